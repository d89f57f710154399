// Where this process runs, and whether another one on the same machine still does.
#pragma once
#include "collectives/transport.h"

namespace lethe::collectives {

Place this_place();

// False only where the process is certainly gone: one of this machine and process space that has ended.
bool may_live(const Place& place, const Place& mine);

}  // namespace lethe::collectives
