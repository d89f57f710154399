// Where the tiles of attention keep things, against the layout that the instructions expect (emulation/ptx.cuh follows
// NVIDIA's manual lane by lane, and knows nothing of attention_tile.h).
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "cuda/kernels/attention_tile.cuh"

namespace lethe::cuda {
namespace {

TEST(Tile, PutsEachChunkInAPlaceOfItsOwnAndRowsOfAMatrixInDifferentBanks) {
  std::set<int> places;
  for (int row = 0; row < 64; ++row)
    for (int chunk = 0; chunk < 16; ++chunk) places.insert(tile_offset<128>(row, chunk));
  EXPECT_EQ(places.size(), 64U * 16U);
  EXPECT_EQ(*places.rbegin(), 64 * 128 - 8);
  for (int chunk = 0; chunk < 8; ++chunk) {
    std::set<int> banks;  // of 16 bytes; 8 of them are one access of all 32 banks
    for (int row = 0; row < 8; ++row) banks.insert(tile_offset<64>(row, chunk) / 8 % 8);
    EXPECT_EQ(banks.size(), 8U) << chunk;
  }
}

TEST(Fragments, CoverEachResultOnce) {
  std::set<std::pair<int, int>> places;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) places.insert({result_row(lane, i), result_column(lane, i)});
  EXPECT_EQ(places.size(), 16U * 8U);
}

std::vector<float> random_numbers(size_t count, unsigned seed) {
  std::mt19937 bits(seed);
  std::vector<float> values(count);
  for (float& x : values) x = from_bf16(to_bf16(static_cast<float>(bits() % 2001) / 500 - 2));
  return values;
}

template <int width>
std::vector<Bf16> tile_of(const std::vector<float>& rows) {
  std::vector<Bf16> tile(rows.size() + 8);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int row = static_cast<int>(i) / width, column = static_cast<int>(i) % width;
    from_float(rows[i], tile[static_cast<size_t>(tile_offset<width>(row, column / 8) + column % 8)]);
  }
  return tile;
}

// 16-byte aligned storage, as shared memory is.
template <class T>
T* aligned(std::vector<T>& storage) {
  const auto address = reinterpret_cast<uintptr_t>(storage.data());
  return storage.data() + (16 - address % 16) % 16 / sizeof(T);
}

TEST(Fragments, MultiplyTiles) {
  constexpr int width = 64;
  const auto left = random_numbers(32 * width, 1), right = random_numbers(32 * width, 2);
  auto left_tile = tile_of<width>(left), right_tile = tile_of<width>(right);
  std::vector<Bf16> left_copy(left_tile.size() + 8), right_copy(right_tile.size() + 8);
  std::copy_n(left_tile.begin(), 32 * width, aligned(left_copy));
  std::copy_n(right_tile.begin(), 32 * width, aligned(right_copy));
  float results[32][4][4] = {};
  emulation::run_grid(dim3(1), dim3(32), 0, 1, [&] {
    multiply_tiles<width, width / 16>(results[threadIdx.x], aligned(left_copy), 16, aligned(right_copy));
  });
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < 4; ++n)
      for (int i = 0; i < 4; ++i) {
        const int row = 16 + result_row(lane, i), column = n * 8 + result_column(lane, i);
        double sum = 0;
        for (int k = 0; k < width; ++k)
          sum += double{left[static_cast<size_t>(row * width + k)]} * right[static_cast<size_t>(column * width + k)];
        EXPECT_NEAR(results[lane][n][i], sum, 1e-4) << lane << ' ' << n << ' ' << i;
      }
}

TEST(Fragments, MultiplyResults) {
  constexpr int width = 64;
  const auto right = random_numbers(32 * width, 3), left = random_numbers(16 * 32, 4);
  auto tile = tile_of<width>(right);
  std::vector<Bf16> copy(tile.size() + 8);
  std::copy_n(tile.begin(), 32 * width, aligned(copy));
  float results[32][width / 8][4] = {};
  emulation::run_grid(dim3(1), dim3(32), 0, 1, [&] {
    const int lane = static_cast<int>(threadIdx.x);
    float mine[4][4];
    for (int n = 0; n < 4; ++n)
      for (int i = 0; i < 4; ++i)
        mine[n][i] = left[static_cast<size_t>(result_row(lane, i) * 32 + n * 8 + result_column(lane, i))];
    multiply_results<width>(results[lane], mine, aligned(copy));
  });
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < width / 8; ++n)
      for (int i = 0; i < 4; ++i) {
        const int row = result_row(lane, i), column = n * 8 + result_column(lane, i);
        double sum = 0;
        for (int k = 0; k < 32; ++k)
          sum += double{left[static_cast<size_t>(row * 32 + k)]} * right[static_cast<size_t>(k * width + column)];
        EXPECT_NEAR(results[lane][n][i], sum, 1e-4) << lane << ' ' << n << ' ' << i;
      }
}

TEST(TileKeys, TellWhatNobodyAndWhatEverybodySees) {
  TileKeys keys = no_tile_keys();
  EXPECT_TRUE(keys.is_empty());
  keys = merge(merge(keys, tile_keys_of({3, 40})), tile_keys_of({10, 90}));
  EXPECT_TRUE(keys.touches(90, 91));
  EXPECT_FALSE(keys.touches(91, 128));
  EXPECT_TRUE(keys.touches(0, 4));
  EXPECT_FALSE(keys.touches(0, 3));
  EXPECT_TRUE(keys.is_full(10, 41));
  EXPECT_FALSE(keys.is_full(9, 41));
  EXPECT_FALSE(keys.is_full(10, 42));
  EXPECT_FALSE(merge(keys, tile_keys_of({0, -1})).is_full(10, 20)) << "a query that sees nothing";
  EXPECT_TRUE(clipped(-5, -1, 8).is_empty());
  EXPECT_EQ(clipped(2, 100, 8).last, 7);
}

}  // namespace
}  // namespace lethe::cuda
