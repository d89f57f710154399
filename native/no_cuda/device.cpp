// Stands in for cuda/ in a build without it.
#include "lethe/device.h"

#include "lethe/error.h"

namespace lethe {

Device& cuda_device() { throw Error(Code::not_available, "cuda", "built without CUDA"); }

}  // namespace lethe
