// Runs an operator from plain numbers, one per field in table order: the whole of what a binding needs.
#pragma once
#include <span>

#include "core/buffer_store.h"

namespace lethe {

// A tensor is the id of a buffer in `store`, 0 where it is absent. Throws Error; nothing is written when a check fails.
void call(Device& device, BufferStore& store, size_t operator_index, std::span<const double> numbers);

}  // namespace lethe
