#include "cpu/gemm.h"

#include <cstring>
#include <dnnl.hpp>
#include <map>
#include <string>

#include "cpu/runtime.h"
#include "cpu/vector/kernels.h"
#include "lethe/error.h"

namespace lethe::cpu {
namespace {

using dnnl::memory;

struct Key {
  int64_t m, n, k, a_stride, b_stride, c_stride;
  bool a_transposed, b_transposed, b_panels, bf16, c_bf16, accumulate, bias;
  int threads;
  auto operator<=>(const Key&) const = default;
};

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory::desc describe(int64_t rows, int64_t cols, int64_t stride, bool transposed, bool bf16) {
  const memory::dims strides = transposed ? memory::dims{1, stride} : memory::dims{stride, 1};
  return {{rows, cols}, bf16 ? memory::data_type::bf16 : memory::data_type::f32, strides};
}

memory::desc describe_panels(int64_t rows, int64_t cols, bool bf16) {
  if (bf16) return {{rows, cols}, memory::data_type::bf16, memory::format_tag::BA16a64b2a};
  return {{rows, cols}, memory::data_type::f32, memory::format_tag::BA16a64b};
}

dnnl::matmul::primitive_desc describe_product(const memory::desc& a, const memory::desc& b, const memory::desc* bias,
                                              const memory::desc& c, const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  if (bias) return {engine(), a, b, *bias, c, attributes};
  return {engine(), a, b, c, attributes};
#else
  const auto desc = bias ? dnnl::matmul::desc(a, b, *bias, c) : dnnl::matmul::desc(a, b, c);
  return {desc, attributes, engine()};
#endif
}

struct Primitive {
  dnnl::matmul matmul;
  memory a, b, c, bias;

  explicit Primitive(const Key& key) {
    const auto a_desc = describe(key.m, key.k, key.a_stride, key.a_transposed, key.bf16);
    const auto b_desc = key.b_panels ? describe_panels(key.k, key.n, key.bf16)
                                     : describe(key.k, key.n, key.b_stride, key.b_transposed, key.bf16);
    const auto c_desc = describe(key.m, key.n, key.c_stride, false, key.c_bf16);
    const memory::desc bias_desc({1, key.n}, memory::data_type::f32, memory::dims{key.n, 1});
    dnnl::primitive_attr attributes;
    if (key.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    matmul = dnnl::matmul(describe_product(a_desc, b_desc, key.bias ? &bias_desc : nullptr, c_desc, attributes));
    a = memory(a_desc, engine(), nullptr);
    b = memory(b_desc, engine(), nullptr);
    c = memory(c_desc, engine(), nullptr);
    if (key.bias) bias = memory(bias_desc, engine(), nullptr);
  }
};

// Primitives and stream belong to a thread: execution sets data handles, and worker threads run side by side.
Primitive& find(const Key& key) {
  thread_local std::map<Key, Primitive> primitives;
  const auto found = primitives.find(key);
  if (found != primitives.end()) return found->second;
  if (primitives.size() > 1024) primitives.clear();  // ragged lengths: start again rather than grow for ever
  return primitives.emplace(key, Primitive(key)).first->second;
}

void execute(const Key& key, const Product& product, const Operand& a, const Operand& b, void* c) {
  thread_local dnnl::stream stream(engine());
  Primitive& primitive = find(key);
  primitive.a.set_data_handle(const_cast<void*>(a.data));
  primitive.b.set_data_handle(const_cast<void*>(b.data));
  primitive.c.set_data_handle(c);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, primitive.a}, {DNNL_ARG_WEIGHTS, primitive.b}, {DNNL_ARG_DST, primitive.c}};
  if (product.bias) {
    primitive.bias.set_data_handle(const_cast<float*>(product.bias));
    arguments.emplace(DNNL_ARG_BIAS, primitive.bias);
  }
  primitive.matmul.execute(stream, arguments);
  stream.wait();
}

// oneDNN refuses empty inner dimensions.
void empty_product(const Product& p, float* c, int64_t c_stride) {
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      float& y = c[i * c_stride + j];
      y = (p.accumulate ? y : 0) + (p.bias ? p.bias[j] : 0);
    }
}

// Through fp32, where there is no product that writes bf16.
void gemm_through_fp32(const Product& p, const Operand& a, const Operand& b, const Result& c) {
  Scratch scratch;
  float* wide = scratch.floats(p.m * p.n);
  auto* halves = static_cast<uint16_t*>(c.data);
  for (int64_t i = 0; p.accumulate && i < p.m; ++i) kernels().from_bf16(halves + i * c.stride, wide + i * p.n, p.n);
  gemm(p, a, b, {wide, p.n, false});
  for (int64_t i = 0; i < p.m; ++i) kernels().to_bf16(wide + i * p.n, halves + i * c.stride, p.n);
}

// An operand as stored in bf16, with one more inner element of 0. `wide`: its other dimension; `along`: inner elements
// are neighbours.
Operand with_zero(const Operand& x, int64_t wide, int64_t k, bool along, Scratch& scratch) {
  const auto* from = static_cast<const uint16_t*>(x.data);
  const int64_t rows = along ? wide : k, cols = along ? k : wide, stride = along ? k + 1 : wide;
  uint16_t* to = scratch.halves(wide * (k + 1));
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(to + i * stride, from + i * x.stride, static_cast<size_t>(cols) * sizeof *to);
    if (along) to[i * stride + cols] = 0;
  }
  if (!along) std::memset(to + rows * stride, 0, static_cast<size_t>(cols) * sizeof *to);
  return {to, stride, x.transposed, true};
}

// oneDNN 2.6 sets AMX's tiles wrongly for some odd k, such as [33, 63] x [63, 16], which ends the process (SIGILL).
void gemm_of_odd_k(const Product& p, const Operand& a, const Operand& b, const Result& c) {
  Scratch scratch;
  const Operand left = with_zero(a, p.m, p.k, !a.transposed, scratch);
  // Panels end in zeros, to a multiple of 32.
  const Operand right = b.panels ? b : with_zero(b, p.n, p.k, b.transposed, scratch);
  gemm({p.m, p.n, p.k + 1, p.accumulate, p.bias}, left, right, c);
}

}  // namespace

Operand operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch) {
  const int64_t count = rows * cols;
  if (bf16 && runtime().bf16) {
    if (x.bf16) return {x.data, cols, false, true};
    uint16_t* halves = scratch.halves(count);
    kernels().to_bf16(x.f32(), halves, count);
    return {halves, cols, false, true};
  }
  if (!bf16 && !x.bf16) return plain(x.f32(), cols);
  float* wide = scratch.floats(count);
  if (x.bf16)
    kernels().from_bf16(x.halves(), wide, count);
  else
    kernels().round_to_bf16(x.f32(), wide, count);
  return plain(wide, cols);
}

void gemm(const Product& p, const Operand& a, const Operand& b, const Result& c) {
  if (p.m == 0 || p.n == 0) return;
  if (c.bf16 && (p.k == 0 || !a.bf16)) return gemm_through_fp32(p, a, b, c);
  if (p.k == 0) return empty_product(p, static_cast<float*>(c.data), c.stride);
  if (a.bf16 && p.k % 2 != 0) return gemm_of_odd_k(p, a, b, c);
  const Key key{p.m,          p.n,      p.k,    a.stride, b.stride,     c.stride,          a.transposed,
                b.transposed, b.panels, a.bf16, c.bf16,   p.accumulate, p.bias != nullptr, num_threads()};
  try {
    execute(key, p, a, b, c.data);
  } catch (const dnnl::error& error) {
    const Code code = error.status == dnnl_out_of_memory ? Code::out_of_memory : Code::internal;
    throw Error(code, "gemm",
                "oneDNN failed on [" + std::to_string(p.m) + ", " + std::to_string(p.k) + "] x [" +
                    std::to_string(p.k) + ", " + std::to_string(p.n) + "]: " + error.what());
  }
}

}  // namespace lethe::cpu
