// Host memory: what reference and cpu keep their buffers in.
#pragma once
#include "lethe/device.h"

namespace lethe {

Memory& host_memory();

}  // namespace lethe
