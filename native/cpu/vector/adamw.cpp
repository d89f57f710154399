// AdamW (Loshchilov & Hutter 2019), PyTorch's order. One pass, 28 bytes of traffic per parameter, bound by it.
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

void adamw(const adamw_args& a) {
  const auto step = static_cast<double>(a.step);
  const auto narrow = [](double x) { return static_cast<float>(x); };
  const float decay = narrow(1 - a.lr * a.weight_decay), scale = narrow(a.grad_scale), epsilon = narrow(a.epsilon);
  const float rate = narrow(a.lr / (1 - __builtin_pow(a.beta1, step)));
  const float root = narrow(1 / __builtin_sqrt(1 - __builtin_pow(a.beta2, step)));
  const float beta1 = narrow(a.beta1), rest1 = narrow(1 - a.beta1), beta2 = narrow(a.beta2),
              rest2 = narrow(1 - a.beta2);
  float *param = a.param.f32(), *first = a.m.f32(), *second = a.v.f32();
  const float* grad = a.grad.f32();
  const auto update = [=](Vec w, Vec g, Vec& m, Vec& v) {
    g = g * scale;
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * (g * g);
    return w * decay - rate * m / (sqrt(v) * root + epsilon);
  };
  parallel_blocks(a.N, [&](int64_t begin, int64_t end) {
    each_vector(
        begin, end,
        [&](int64_t i) {
          Vec m = load(first + i), v = load(second + i);
          store(param + i, update(load(param + i), load(grad + i), m, v));
          store(first + i, m);
          store(second + i, v);
        },
        [&](int64_t i, int64_t n) {
          Vec m = load_part(first + i, n), v = load_part(second + i, n);
          store_part(param + i, update(load_part(param + i, n), load_part(grad + i, n), m, v), n);
          store_part(first + i, m, n);
          store_part(second + i, v, n);
        });
  });
}

}  // namespace lethe::cpu::LETHE_ISA
