// An algorithm is asked for once per kind of product and kept.
#include "cuda/runtime/cublaslt.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "cuda/runtime/context.h"
#include "cuda/runtime/cublaslt_api.h"
#include "cuda/runtime/dynamic_library.h"
#include "cuda/runtime/status.h"

namespace lethe::cuda {
namespace {

using namespace cublaslt;

constexpr size_t workspace_bytes = size_t{64} << 20;

constexpr int data_type(Type type) { return type == Type::f32 ? data_fp32 : type == Type::f16 ? data_fp16 : data_bf16; }

struct Library {
  DynamicLibrary file{"cuBLASLt", "LETHE_CUBLASLT", {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}};
  Create* create;
  Destroy* destroy;
  DescCreate* desc_create;
  Destroy* desc_destroy;
  Set* desc_set;
  LayoutCreate* layout_create;
  Destroy* layout_destroy;
  Create* preference_create;
  Destroy* preference_destroy;
  Set* preference_set;
  GetHeuristic* heuristic;
  Matmul* matmul;

  Library() {
    file.find(create, "cublasLtCreate");
    file.find(destroy, "cublasLtDestroy");
    file.find(desc_create, "cublasLtMatmulDescCreate");
    file.find(desc_destroy, "cublasLtMatmulDescDestroy");
    file.find(desc_set, "cublasLtMatmulDescSetAttribute");
    file.find(layout_create, "cublasLtMatrixLayoutCreate");
    file.find(layout_destroy, "cublasLtMatrixLayoutDestroy");
    file.find(preference_create, "cublasLtMatmulPreferenceCreate");
    file.find(preference_destroy, "cublasLtMatmulPreferenceDestroy");
    file.find(preference_set, "cublasLtMatmulPreferenceSetAttribute");
    file.find(heuristic, "cublasLtMatmulAlgoGetHeuristic");
    file.find(matmul, "cublasLtMatmul");
  }
};

void check_status(int status, const char* op, const char* call) {
  if (status != success)
    throw Error(status == no_memory_left ? Code::out_of_memory : Code::internal, op,
                std::string(call) + " failed with cuBLAS status " + std::to_string(status));
}

std::string& opened_path() {
  static std::string path;
  return path;
}

// The largest power of two, at most 256, that divides an address.
uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  return address == 0 ? 256 : static_cast<uint32_t>(std::min<uintptr_t>(256, address & (~address + 1)));
}

// Everything that an algorithm depends on.
using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int, int, bool, bool, bool, uint32_t,
                       uint32_t, uint32_t>;

struct Plan {
  Handle desc = nullptr, a = nullptr, b = nullptr, c = nullptr;
  Algorithm algorithm = {};
  bool exists = false;
};

}  // namespace

const std::string& cublaslt_path() { return opened_path(); }

struct CublasLt::State {
  Library library;
  Handle handle = nullptr;
  void* workspace = nullptr;
  cudaStream_t stream = nullptr;
  std::map<Key, Plan> plans;

  // cuBLAS is column major: to it our row-major matrices are their transposes, so c^T = b^T a^T is what it computes.
  Plan make(const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b, const Product& c,
            const uint32_t (&alignments)[3]) {
    Plan plan;
    const int left = b.transposed ? transposed : as_it_is, right = a.transposed ? transposed : as_it_is;
    check_status(library.desc_create(&plan.desc, compute_fp32, data_fp32), op, "cublasLtMatmulDescCreate");
    check_status(library.desc_set(plan.desc, transpose_a, &left, sizeof(left)), op, "cublasLtMatmulDescSetAttribute");
    check_status(library.desc_set(plan.desc, transpose_b, &right, sizeof(right)), op, "cublasLtMatmulDescSetAttribute");
    const auto layout = [&](Handle& to, Type type, int64_t rows, int64_t cols, int64_t stride) {
      check_status(
          library.layout_create(&to, data_type(type), static_cast<uint64_t>(rows), static_cast<uint64_t>(cols), stride),
          op, "cublasLtMatrixLayoutCreate");
    };
    layout(plan.a, b.type, b.transposed ? shape.k : shape.n, b.transposed ? shape.n : shape.k, b.stride);
    layout(plan.b, a.type, a.transposed ? shape.m : shape.k, a.transposed ? shape.k : shape.m, a.stride);
    layout(plan.c, c.type, shape.n, shape.m, c.stride);
    Handle preference = nullptr;
    check_status(library.preference_create(&preference), op, "cublasLtMatmulPreferenceCreate");
    library.preference_set(preference, workspace_limit, &workspace_bytes, sizeof(workspace_bytes));
    library.preference_set(preference, reduction_mask, &reduce_in_fp32, sizeof(reduce_in_fp32));
    // a, b, c and d, in cuBLAS's order; d is c.
    const uint32_t ordered[4] = {alignments[1], alignments[0], alignments[2], alignments[2]};
    for (int i = 0; i < 4; ++i) library.preference_set(preference, alignment_a + i, &ordered[i], sizeof(uint32_t));
    Heuristic best = {};
    int found = 0;
    const int status =
        library.heuristic(handle, plan.desc, plan.a, plan.b, plan.c, plan.c, preference, 1, &best, &found);
    library.preference_destroy(preference);
    plan.exists = status == success && found > 0 && best.state == success;
    plan.algorithm = best.algorithm;
    return plan;
  }
};

CublasLt::CublasLt() : state_(std::make_unique<State>()) {
  check_status(state_->library.create(&state_->handle), "cuda", "cublasLtCreate");
  opened_path() = state_->library.file.path();
}

CublasLt::~CublasLt() {
  for (auto& [key, plan] : state_->plans) {
    for (const Handle layout : {plan.a, plan.b, plan.c}) state_->library.layout_destroy(layout);
    state_->library.desc_destroy(plan.desc);
  }
  state_->library.destroy(state_->handle);
  if (state_->workspace) cudaFreeAsync(state_->workspace, state_->stream);
}

bool CublasLt::run(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b,
                   const Product& c) {
  if (!state_->workspace) {
    state_->stream = context.stream();
    state_->workspace = context.allocate(workspace_bytes);
  }
  const uint32_t alignments[3] = {alignment_of(a.data), alignment_of(b.data), alignment_of(c.data)};
  const Key key{shape.m,
                shape.n,
                shape.k,
                a.stride,
                b.stride,
                c.stride,
                static_cast<int>(a.type),
                static_cast<int>(c.type),
                a.transposed,
                b.transposed,
                shape.beta != 0,
                alignments[0],
                alignments[1],
                alignments[2]};
  const auto [at, is_new] = state_->plans.try_emplace(key);
  if (is_new) at->second = state_->make(op, shape, a, b, c, alignments);
  const Plan& plan = at->second;
  if (!plan.exists) return false;
  check_status(state_->library.matmul(state_->handle, plan.desc, &shape.alpha, b.data, plan.a, a.data, plan.b,
                                      &shape.beta, c.data, plan.c, c.data, plan.c, &plan.algorithm, state_->workspace,
                                      workspace_bytes, context.stream()),
               op, "cublasLtMatmul");
  return true;
}

}  // namespace lethe::cuda
