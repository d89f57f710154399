#include "collectives/place.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace lethe::collectives {
namespace {

// The state of a process as Linux tells it; '?' where it does not. The command's name may hold anything: the state
// follows the last parenthesis.
char state_of(int64_t pid) {
  char text[512] = {};
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  FILE* file = std::fopen(path.c_str(), "r");
  if (!file) return '?';
  const size_t length = std::fread(text, 1, sizeof(text) - 1, file);
  std::fclose(file);
  text[length] = 0;
  const char* end = std::strrchr(text, ')');
  return end && end[1] == ' ' ? end[2] : '?';
}

}  // namespace

Place this_place() {
  Place place;
  gethostname(place.host, sizeof(place.host) - 1);
  const ssize_t length = readlink("/proc/self/ns/pid", place.process_space, sizeof(place.process_space) - 1);
  if (length < 0) place.process_space[0] = 0;
  place.pid = getpid();
  return place;
}

bool may_live(const Place& place, const Place& mine) {
  if (std::strcmp(place.host, mine.host) != 0 || std::strcmp(place.process_space, mine.process_space) != 0) return true;
  if (kill(static_cast<pid_t>(place.pid), 0) != 0 && errno == ESRCH) return false;
  return state_of(place.pid) != 'Z';
}

}  // namespace lethe::collectives
