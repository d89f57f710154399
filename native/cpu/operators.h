// The operators of the CPU that are not vector code themselves: matrix products, the fused head, copies.
#pragma once
#include "lethe/ops.h"

namespace lethe::cpu {

void embedding(const embedding_args& a);
void linear(const linear_args& a);
void linear_backward(const linear_backward_args& a);
void unlearn_head(const unlearn_head_args& a);
void fill(const fill_args& a);
void matmul(const matmul_args& a);
void copy_block(const copy_block_args& a);
void convert(const convert_args& a);

}  // namespace lethe::cpu
