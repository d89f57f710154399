# Whether Lethe can be set up here at all. Sourced by setup.sh.

readonly least_node=20.11 # the engines field of package.json
readonly least_mebibytes=3000 # node_modules and the builds; measured 1.4 GB, and as much while npm unpacks

check_machine() {
  local system machine
  system=$(uname -s) machine=$(uname -m)
  [ "$system" = Linux ] || refuse "$system is not supported: Lethe runs on Linux (x86-64 or arm64); use a container or a virtual machine"
  case $machine in
    x86_64 | aarch64) ;;
    *) refuse "the processor $machine is not supported: Lethe runs on x86-64 and arm64" ;;
  esac
  check_node
  [ -w . ] || refuse "$PWD cannot be written to: clone the repository to a folder that can"
  check_links
  check_room
}

check_node() {
  command -v node >/dev/null || refuse "Node.js is missing: install $least_node or newer, with npm (https://nodejs.org/en/download)"
  node -e "
    const [major, minor] = process.versions.node.split('.').map(Number), [M, m] = '$least_node'.split('.').map(Number);
    process.exit(major > M || (major === M && minor >= m) ? 0 : 1)" ||
    refuse "Node.js $(node -p process.versions.node) is too old: install $least_node or newer (https://nodejs.org/en/download; Debian 12's own is 18)"
  command -v npm >/dev/null || refuse "npm is missing beside $(command -v node): install it (Node.js from https://nodejs.org has it)"
}

# npm links the workspace's packages into node_modules.
check_links() {
  local link=.lethe-link-$$
  if ! ln -s . "$link" 2>/dev/null; then
    refuse "the file system of $PWD has no symbolic links, which npm's workspaces need: clone the repository to another one"
  fi
  rm "$link"
}

check_room() {
  [ ! -e node_modules/.lethe-lock ] || return 0
  local room
  room=$(df -Pm . | awk 'NR == 2 { print $4 }')
  [ "$room" -ge $least_mebibytes ] || refuse "$room MiB are free for $PWD, $least_mebibytes are needed: free some, or clone to another disk"
}
