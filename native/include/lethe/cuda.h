/* The plain C interface of liblethe_cuda, which is opened at run time: by the addon, and by programs that time it
 * beside other libraries on the same device memory (scripts/gpu). Every function but the first three returns 0, or 1 +
 * the position of the error's code in lethe::Code; lethe_cuda_error() is then what happened, for this thread. */
#ifndef LETHE_CUDA_H
#define LETHE_CUDA_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lethe_cuda lethe_cuda;

typedef struct lethe_cuda_tensor {
  void* data; /* device memory */
  size_t bytes;
  uint64_t buffer;  /* 0, or an id that lets the device keep what it derives from the memory ... */
  uint64_t version; /* ... while this number stays the same */
  int32_t bf16;     /* elements are bf16, otherwise fp32 or int32 */
} lethe_cuda_tensor;

typedef struct lethe_cuda_info {
  char name[256];
  int32_t major, minor, multiprocessors;
  size_t total_bytes, free_bytes; /* of the GPU */
  size_t workspace_bytes;         /* working memory of operators */
  size_t kept_bytes;              /* 2-byte copies of weights */
  int64_t plain_products;         /* matrix products that cuBLASLt has no algorithm for, done slowly instead */
  char cublaslt[256];             /* the library in use, "" before the first matrix product */
} lethe_cuda_info;

/* Differs whenever the operator table or this interface differs. */
uint64_t lethe_cuda_abi(void);
const char* lethe_cuda_error(void);
void lethe_cuda_close(lethe_cuda* device);

/* Device `ordinal`, opened once however often it is asked for. */
int lethe_cuda_open(int32_t ordinal, lethe_cuda** device);
int lethe_cuda_describe(lethe_cuda* device, lethe_cuda_info* info);
/* rows held|streamed, head_logits fp16|fp32, head_bytes N, gemm cublaslt|plain, row_cluster N (0 chooses). */
int lethe_cuda_set(lethe_cuda* device, const char* name, const char* value);

int lethe_cuda_alloc(lethe_cuda* device, size_t bytes, void** data);
int lethe_cuda_free(lethe_cuda* device, void* data);
int lethe_cuda_write(lethe_cuda* device, void* to, const void* host, size_t bytes);
int lethe_cuda_read(lethe_cuda* device, void* host, const void* from, size_t bytes); /* waits */
int lethe_cuda_synchronize(lethe_cuda* device);
/* What was kept of a buffer goes with it; 0 is all buffers. */
int lethe_cuda_forget(lethe_cuda* device, uint64_t buffer);

/* Runs an operator with one number per field, in table order; a tensor is its position in `tensors` from 1 on, 0 where
 * it is absent. Shapes and values are checked as the addon checks them. */
int lethe_cuda_run(lethe_cuda* device, uint32_t operator_index, const double* numbers, uint32_t num_numbers,
                   const lethe_cuda_tensor* tensors, uint32_t num_tensors);
/* For the addon: `arguments` is the operator's argument struct of lethe/ops.h, already checked. */
int lethe_cuda_call(lethe_cuda* device, uint32_t operator_index, const void* arguments);
/* The position of an operator in the table, -1 where there is none. */
int32_t lethe_cuda_operator(const char* name);

/* The stream that all work goes through, a cudaStream_t: for timing with events. */
void* lethe_cuda_stream(lethe_cuda* device);

/* Records the calls between begin and end as a CUDA graph, instead of running them. They must have run once before in
 * the same order, and must not read or write the host. Numbers are recorded too: a graph repeats them. */
int lethe_cuda_capture_begin(lethe_cuda* device);
int lethe_cuda_capture_end(lethe_cuda* device, void** graph);
int lethe_cuda_graph_launch(lethe_cuda* device, void* graph);
int lethe_cuda_graph_free(lethe_cuda* device, void* graph);

/* Collectives over NCCL, in place, on the device's stream. bytes of the id: 128. */
int lethe_cuda_collective_id(unsigned char* id);
int lethe_cuda_collective_open(lethe_cuda* device, const unsigned char* id, int32_t rank, int32_t ranks);
int lethe_cuda_all_reduce(lethe_cuda* device, void* data, int64_t count, int32_t bf16);
int lethe_cuda_broadcast(lethe_cuda* device, void* data, int64_t count, int32_t bf16, int32_t root);
/* count elements per rank: `data` holds ranks * count, of which this rank keeps, or gives, its own part. */
int lethe_cuda_reduce_scatter(lethe_cuda* device, void* data, int64_t count, int32_t bf16);
int lethe_cuda_all_gather(lethe_cuda* device, void* data, int64_t count, int32_t bf16);
/* Whether the last of them has been carried out; fails where NCCL has found that it cannot be. */
int lethe_cuda_collective_done(lethe_cuda* device, int32_t* done);

#ifdef __cplusplus
}
#endif
#endif
