// AdamW as PyTorch: g = grad grad_scale; param *= 1 - lr weight_decay; m, v moving averages;
// param -= lr (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon). All [N] in fp32: four reads, three
// writes, and the bf16 copy that matrix products read, where there is one, in the same pass.
#include <cmath>

#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

struct Update {
  float *param, *m, *v;
  const float* grad;
  Bf16* copy;  // or nullptr
  int64_t N;
  float keep, rate, beta1, rest1, beta2, rest2, root_correction2, epsilon, grad_scale;
  bool wide;
};

__global__ void adamw_kernel(Update a) {
  for (int64_t i = first_of_thread(); i < a.N; i += step_of_grid()) {
    float param[8], m[8], v[8], grad[8];
    load_part(a.param, i, a.N, a.wide, param);
    load_part(a.m, i, a.N, a.wide, m);
    load_part(a.v, i, a.N, a.wide, v);
    load_part(a.grad, i, a.N, a.wide, grad);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float g = grad[j] * a.grad_scale;
      m[j] = a.beta1 * m[j] + a.rest1 * g;
      v[j] = a.beta2 * v[j] + a.rest2 * g * g;
      param[j] = param[j] * a.keep - a.rate * m[j] / (sqrtf(v[j]) / a.root_correction2 + a.epsilon);
    }
    store_part(a.param, i, a.N, a.wide, param);
    store_part(a.m, i, a.N, a.wide, m);
    store_part(a.v, i, a.N, a.wide, v);
    if (a.copy) store_part(a.copy, i, a.N, a.wide, param);
  }
}

}  // namespace

void adamw(Context& context, const adamw_args& a) {
  const auto step = static_cast<double>(a.step);
  const double correction1 = 1 - std::pow(a.beta1, step), correction2 = 1 - std::pow(a.beta2, step);
  const auto narrow = [](double x) { return static_cast<float>(x); };
  KeptCopies::Copy* copy = context.copies().find(a.param, CopyKind::bf16);
  if (copy && copy->bytes != static_cast<size_t>(a.N) * 2) copy = nullptr;
  const bool wide = are_aligned(a.param.data, a.grad.data, a.m.data, a.v.data);
  const Update update{a.param.f32(),
                      a.m.f32(),
                      a.v.f32(),
                      a.grad.f32(),
                      copy ? static_cast<Bf16*>(copy->data) : nullptr,
                      a.N,
                      narrow(1 - a.lr * a.weight_decay),
                      narrow(a.lr / correction1),
                      narrow(a.beta1),
                      narrow(1 - a.beta1),
                      narrow(a.beta2),
                      narrow(1 - a.beta2),
                      narrow(std::sqrt(correction2)),
                      narrow(a.epsilon),
                      narrow(a.grad_scale),
                      wide};
  launch(context.stream(), "adamw", adamw_kernel, elementwise(a.N), update);
  if (copy) copy->version = a.param.version;
}

}  // namespace lethe::cuda
