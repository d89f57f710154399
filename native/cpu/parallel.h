// Loops over independent iterations. Small ones run on the calling thread without OpenMP, whose parallel region costs a
// microsecond even with one thread: as much as a small operator.
#pragma once
#include <sched.h>

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

// body(i) for i in [0, count), begun in that order by whichever thread is free: what i waits for must lie below i.
template <class Body>
inline void parallel_in_order(bool large, int64_t count, Body body) {
  int64_t next = 0;
#pragma omp parallel if (large)
  for (int64_t i; (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count;) body(i);
}

// How many iterations of a kind have ended, for others to wait for.
class Completed {
 public:
  void add() { __atomic_fetch_add(&count_, 1, __ATOMIC_RELEASE); }
  void wait_for(int64_t count) const {
    for (int64_t spins = 0; __atomic_load_n(&count_, __ATOMIC_ACQUIRE) < count; ++spins)
      if (spins > 1000) sched_yield();  // more threads than cores: the one that is waited for may not be running
  }

 private:
  int64_t count_ = 0;
};

}  // namespace lethe::cpu
