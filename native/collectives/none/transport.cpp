// One process: sums are what they were.
#include "collectives/transport.h"

#include "collectives/place.h"

namespace lethe::collectives {
namespace {

class Alone final : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string library() const override { return "none"; }
  const std::vector<Place>& places() const override { return places_; }
  int64_t most(const Call& call) const override { return call.count; }
  void start(const Call&) override {}
  bool finished(Lane) override { return true; }
  void beat(const Beat&) override {}
  bool heard(int&, Beat&) override { return false; }
  void abort() noexcept override {}
  void close() override {}

 private:
  std::vector<Place> places_{this_place()};
};

}  // namespace

std::unique_ptr<Transport> open_none() { return std::make_unique<Alone>(); }

}  // namespace lethe::collectives
