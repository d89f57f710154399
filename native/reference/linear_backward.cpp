// dx (+)= dy weight; dweight += dy^T x; dbias += column sums of dy.
#include "reference/operators.h"

namespace lethe::reference {
namespace {

void input_gradient(const linear_backward_args& a) {
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t i = 0; i < a.I; ++i) {
      float& dx = a.dx.f32()[n * a.I + i];
      double sum = a.accumulate_dx ? dx : 0;
      for (int64_t o = 0; o < a.O; ++o) sum += double{a.dy.f32()[n * a.O + o]} * double{a.weight.f32()[o * a.I + i]};
      dx = static_cast<float>(sum);
    }
}

void weight_gradient(const linear_backward_args& a) {
  for (int64_t o = 0; o < a.O; ++o)
    for (int64_t i = 0; i < a.I; ++i) {
      double sum = a.dweight.f32()[o * a.I + i];
      for (int64_t n = 0; n < a.N; ++n) sum += double{a.dy.f32()[n * a.O + o]} * double{a.x.f32()[n * a.I + i]};
      a.dweight.f32()[o * a.I + i] = static_cast<float>(sum);
    }
}

}  // namespace

void linear_backward(const linear_backward_args& a) {
  if (a.dx) input_gradient(a);
  if (a.dweight) weight_gradient(a);
  if (!a.dbias) return;
  for (int64_t o = 0; o < a.O; ++o) {
    double sum = a.dbias.f32()[o];
    for (int64_t n = 0; n < a.N; ++n) sum += a.dy.f32()[n * a.O + o];
    a.dbias.f32()[o] = static_cast<float>(sum);
  }
}

}  // namespace lethe::reference
