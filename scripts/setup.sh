#!/usr/bin/env bash
# Brings a fresh machine to where `npm run demo` and `npm test` work: checks it, installs Debian's packages (as root),
# npm's, builds the addon and the TypeScript packages. What is done already is not done again; what was broken off is
# done anew. Every refusal is one line that says what is missing and what to do.
set -euo pipefail
cd "$(dirname "$0")/.."

refuse() {
  echo "setup: $*" >&2
  exit 1
}

# One set-up at a time: the second waits, and then finds everything done. The folder itself is locked, no file is left.
if command -v flock >/dev/null; then
  exec 9<.
  flock -n 9 || { echo 'setup: waiting for another set-up of this checkout' >&2; flock 9; }
fi

source scripts/setup/machine.sh
source scripts/setup/system-packages.sh
source scripts/setup/npm-packages.sh

check_machine
install_system_packages
install_npm_packages
node scripts/build.mjs
