# lethe_cuda_headers: what cublaslt_api.h and nccl_api.h say beside NVIDIA's headers, at compile time. They come with the
# CUDA toolkit or with NVIDIA's wheels; LETHE_CUDA_HEADERS names more folders, separated by semicolons.
set(folders ${LETHE_CUDA_HEADERS} $ENV{LETHE_CUDA_HEADERS} $ENV{CUDA_HOME}/include ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES}
            /usr/local/cuda/include)
find_path(LETHE_DRIVER_TYPES driver_types.h PATHS ${folders})
find_path(LETHE_CUBLASLT_H cublasLt.h PATHS ${folders})
find_path(LETHE_NCCL_H nccl.h PATHS ${folders})
add_library(lethe_cuda_headers OBJECT ${CMAKE_CURRENT_LIST_DIR}/headers.cpp)
target_include_directories(lethe_cuda_headers PRIVATE ${CMAKE_CURRENT_LIST_DIR}/../..)
foreach(library CUBLASLT NCCL)
  if(LETHE_DRIVER_TYPES AND LETHE_${library}_H)
    target_include_directories(lethe_cuda_headers SYSTEM PRIVATE ${LETHE_${library}_H} ${LETHE_DRIVER_TYPES})
    target_compile_definitions(lethe_cuda_headers PRIVATE LETHE_HAS_${library}=1)
  else()
    target_compile_definitions(lethe_cuda_headers PRIVATE LETHE_HAS_${library}=0)
  endif()
endforeach()
