// cuBLASLt's documented behaviour on a CPU, as far as cublaslt.cpp uses it: column-major matrices, d = alpha op(a)
// op(b) + beta c in fp32. What the documentation does not allow is refused, so that a wrong layout or type shows here.
#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "core/bf16.h"
#include "cuda/runtime/cublaslt_api.h"
#include "ptx.cuh"

namespace {

using namespace lethe::cuda::cublaslt;

constexpr int invalid_value = 7, not_supported = 15;
constexpr uint64_t mark = 0x6c65746865;  // of an algorithm that came from here
constexpr size_t workspace_needed = size_t{1} << 20;

struct Object {  // a description, a layout or a preference
  int type = -1, scale = -1;
  uint64_t rows = 0, cols = 0;
  int64_t ld = 0;
  std::map<int, std::vector<char>> attributes = {};

  template <class T>
  T get(int attribute, T otherwise) const {
    const auto found = attributes.find(attribute);
    if (found != attributes.end()) std::memcpy(&otherwise, found->second.data(), sizeof(T));
    return otherwise;
  }
};

int64_t products = 0;

Object& object(Handle handle) { return *static_cast<Object*>(handle); }

float load(const void* data, int type, int64_t at) {
  if (type == data_fp32) return static_cast<const float*>(data)[at];
  const uint16_t bits = static_cast<const uint16_t*>(data)[at];
  return type == data_bf16 ? lethe::from_bf16(bits) : lethe::cuda::half_to_float(bits);
}
void store(void* data, int type, int64_t at, float x) {
  if (type == data_fp32)
    static_cast<float*>(data)[at] = x;
  else
    static_cast<uint16_t*>(data)[at] = type == data_bf16 ? lethe::to_bf16(x) : lethe::cuda::float_to_half(x);
}

struct Operand {
  uint64_t rows, cols;
  bool is_transposed;
};
Operand operand(const Object& layout, const Object& desc, int attribute) {
  const bool is_transposed = desc.get(attribute, as_it_is) == transposed;
  return {is_transposed ? layout.cols : layout.rows, is_transposed ? layout.rows : layout.cols, is_transposed};
}

// The table of cublasLtMatmul() for CUBLAS_COMPUTE_32F.
bool is_allowed(const Object& desc, const Object& a, const Object& b, const Object& c, const Object& d) {
  const Operand left = operand(a, desc, transpose_a), right = operand(b, desc, transpose_b);
  const bool shapes = left.rows == d.rows && right.cols == d.cols && left.cols == right.rows && c.rows == d.rows &&
                      c.cols == d.cols && left.cols > 0;
  const auto dense = [](const Object& x) { return x.ld >= static_cast<int64_t>(x.rows); };
  return desc.type == compute_fp32 && desc.scale == data_fp32 && shapes && a.type == b.type && c.type == d.type &&
         (d.type == data_fp32 || d.type == a.type) && dense(a) && dense(b) && dense(c) && dense(d);
}

bool is_aligned(const void* data, uint32_t to) { return reinterpret_cast<uintptr_t>(data) % to == 0; }

}  // namespace

extern "C" {

int64_t fake_cublaslt_products() { return products; }

int cublasLtCreate(Handle* handle) {
  *handle = new Object;
  return success;
}
int cublasLtDestroy(Handle handle) {
  delete &object(handle);
  return success;
}
int cublasLtMatmulDescCreate(Handle* desc, int compute_type, int scale_type) {
  *desc = new Object{compute_type, scale_type};
  return success;
}
int cublasLtMatmulDescDestroy(Handle desc) { return cublasLtDestroy(desc); }
int cublasLtMatmulDescSetAttribute(Handle desc, int attribute, const void* value, size_t bytes) {
  if (bytes != sizeof(int)) return invalid_value;
  const auto* begin = static_cast<const char*>(value);
  object(desc).attributes[attribute].assign(begin, begin + bytes);
  return success;
}
int cublasLtMatrixLayoutCreate(Handle* layout, int type, uint64_t rows, uint64_t cols, int64_t ld) {
  *layout = new Object{type, -1, rows, cols, ld};
  return success;
}
int cublasLtMatrixLayoutDestroy(Handle layout) { return cublasLtDestroy(layout); }
int cublasLtMatmulPreferenceCreate(Handle* preference) { return cublasLtCreate(preference); }
int cublasLtMatmulPreferenceDestroy(Handle preference) { return cublasLtDestroy(preference); }
int cublasLtMatmulPreferenceSetAttribute(Handle preference, int attribute, const void* value, size_t bytes) {
  if (bytes != (attribute == workspace_limit ? sizeof(size_t) : sizeof(uint32_t))) return invalid_value;
  const auto* begin = static_cast<const char*>(value);
  object(preference).attributes[attribute].assign(begin, begin + bytes);
  return success;
}

// There is no algorithm where k is 13, so that a caller's other way is taken too.
int cublasLtMatmulAlgoGetHeuristic(Handle, Handle desc, Handle a, Handle b, Handle c, Handle d, Handle preference,
                                   int most, Heuristic* results, int* found) {
  *found = 0;
  if (most < 1) return invalid_value;
  const Object& wanted = object(preference);
  if (!is_allowed(object(desc), object(a), object(b), object(c), object(d))) return not_supported;
  if (wanted.get(workspace_limit, size_t{0}) < workspace_needed) return not_supported;
  if (operand(object(a), object(desc), transpose_a).cols == 13) return not_supported;
  results[0] = {};
  results[0].algorithm.data[0] = mark;
  for (int i = 0; i < 4; ++i) results[0].algorithm.data[1 + i] = wanted.get(alignment_a + i, uint32_t{256});
  results[0].workspace = workspace_needed;
  *found = 1;
  return success;
}

int cublasLtMatmul(Handle, Handle desc, const void* alpha, const void* a, Handle of_a, const void* b, Handle of_b,
                   const void* beta, const void* c, Handle of_c, void* d, Handle of_d, const Algorithm* algorithm,
                   void* workspace, size_t workspace_bytes, cudaStream_t) {
  const Object &left = object(of_a), &right = object(of_b), &from = object(of_c), &to = object(of_d);
  if (!is_allowed(object(desc), left, right, from, to)) return not_supported;
  if (algorithm->data[0] != mark || !workspace || workspace_bytes < workspace_needed) return invalid_value;
  const void* pointers[4] = {a, b, c, d};
  for (int i = 0; i < 4; ++i)
    if (!is_aligned(pointers[i], static_cast<uint32_t>(algorithm->data[1 + i]))) return invalid_value;
  const Operand l = operand(left, object(desc), transpose_a), r = operand(right, object(desc), transpose_b);
  const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
  for (uint64_t column = 0; column < to.cols; ++column)
    for (uint64_t row = 0; row < to.rows; ++row) {
      float sum = 0;
      for (uint64_t k = 0; k < l.cols; ++k) {
        const auto at_a =
            static_cast<int64_t>(l.is_transposed ? k : row) + static_cast<int64_t>(l.is_transposed ? row : k) * left.ld;
        const auto at_b = static_cast<int64_t>(r.is_transposed ? column : k) +
                          static_cast<int64_t>(r.is_transposed ? k : column) * right.ld;
        sum += load(a, left.type, at_a) * load(b, right.type, at_b);
      }
      const auto at = static_cast<int64_t>(row), offset = static_cast<int64_t>(column);
      const float before = keep == 0 ? 0 : keep * load(c, from.type, at + offset * from.ld);
      store(d, to.type, at + offset * to.ld, scale * sum + before);
    }
  ++products;
  return success;
}

}  // extern "C"
