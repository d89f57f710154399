// LETHE_HD marks what host and device share.
#pragma once

#ifdef __CUDACC__
#define LETHE_HD __host__ __device__
#else
#define LETHE_HD
#endif
