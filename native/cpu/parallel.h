// Loops over independent iterations. Small ones run on the calling thread without OpenMP, whose parallel region costs a
// microsecond even with one thread: as much as a small operator.
#pragma once
#include <cstdint>

namespace lethe::cpu {

// body(i) for i in [0, count), on all threads when `large`; which thread runs what is fixed by the count.
template <class Body>
inline __attribute__((always_inline)) void parallel_for(bool large, int64_t count, Body body) {
  if (!large) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) body(i);
}

// The same for iterations of uneven size: threads take the next one when they are free.
template <class Body>
inline __attribute__((always_inline)) void parallel_for_uneven(bool large, int64_t count, Body body) {
  if (!large) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace lethe::cpu
