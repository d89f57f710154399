// A machine with a GPU need not have what the CPU device is built on: these programs do without it.
#include "lethe/device.h"
#include "lethe/error.h"

namespace lethe {

Device& cpu_device();
Device& cpu_device() { throw Error(Code::not_available, "cpu", "built without the CPU device"); }

}  // namespace lethe
