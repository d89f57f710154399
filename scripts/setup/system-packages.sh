# What the operating system provides. Sourced by setup.sh.

system_packages=(
  g++           # compiles the addon; brings libc's headers and OpenMP
  cmake         # configures it
  ninja-build   # builds it in parallel, and never trusts an object file that a killed compiler left
  libdnnl-dev   # oneDNN: matrix products of the CPU device
  git           # the revision in a run's manifest
  bubblewrap    # the sandbox of HumanEval's and MBPP's programs
  util-linux    # prlimit and unshare, for the same
  python3       # runs these programs
  libgtest-dev  # tests of the C++ library, in npm test
)

install_system_packages() {
  if command -v dpkg-query >/dev/null; then install_debian_packages; else check_programs; fi
  check_versions
}

install_debian_packages() {
  local package missing=()
  for package in "${system_packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  [ "$(id -u)" = 0 ] || refuse "system packages are missing; let an administrator run this, then the same command again: sudo sh -c '$install'"
  echo "setup: installing ${missing[*]}" >&2
  local log
  log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive sh -c "$install" >"$log" 2>&1; then
    grep -E '^(E|W|Err|dpkg)' "$log" | tail -n 5 >&2 || true
    rm "$log"
    refuse "apt-get failed (above): check the network, the proxy and /etc/apt, then run the same command again"
  fi
  rm "$log"
}

# Other systems name their packages otherwise: what matters is that the programs and the header are there.
check_programs() {
  local program lacking=()
  for program in g++ cmake ninja git bwrap prlimit python3; do
    command -v $program >/dev/null || lacking+=("$program")
  done
  if command -v g++ >/dev/null; then
    for header in dnnl.hpp gtest/gtest.h; do
      echo "#include <$header>" | g++ -fsyntax-only -x c++ - 2>/dev/null || lacking+=("<$header>")
    done
  fi
  [ ${#lacking[@]} -gt 0 ] || return 0
  local install='g++, cmake, ninja, git, oneDNN, GoogleTest, bubblewrap, util-linux and python3'
  if command -v dnf >/dev/null; then
    install='dnf install gcc-c++ cmake ninja-build git onednn-devel gtest-devel bubblewrap util-linux python3'
  elif command -v apk >/dev/null; then
    install='apk add g++ cmake ninja git onednn-dev gtest-dev bubblewrap util-linux python3'
  elif command -v brew >/dev/null; then
    install='brew install gcc cmake ninja git onednn googletest python3'
  fi
  refuse "missing here: ${lacking[*]}; install them, then run the same command again: $install"
}

check_versions() {
  local compiler=${CXX:-g++} version
  is_at_least 3.20 "$(cmake --version | awk 'NR == 1 { print $3 }')" ||
    refuse "$(cmake --version | head -n 1) is too old: install CMake 3.20 or newer"
  command -v "$compiler" >/dev/null || refuse "the compiler $compiler is missing: install g++ 12 or clang 14, or newer"
  version=$("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)
  case $("$compiler" --version | head -n 1) in
    *clang*) is_at_least 14 "$version" || refuse "clang $version is too old: install 14 or newer, or g++ 12 or newer" ;;
    *) is_at_least 12 "$version" || refuse "g++ $version is too old: install g++ 12 or newer; CXX=g++-12 names another than the default" ;;
  esac
}

# is_at_least LEAST VERSION
is_at_least() {
  [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
