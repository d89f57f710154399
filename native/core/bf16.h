// bf16 is fp32 without the low 16 bits of the significand. Rounding is to nearest, ties to even; NaN stays NaN.
#pragma once
#include <bit>
#include <cstdint>

namespace lethe {

inline uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float from_bf16(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }

inline float round_to_bf16(float x) { return from_bf16(to_bf16(x)); }

}  // namespace lethe
