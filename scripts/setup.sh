#!/usr/bin/env bash
# Brings a fresh Debian machine to where `npm run demo` and `npm test` work: system packages, npm packages, the addon,
# the TypeScript build. Does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."

# bubblewrap, util-linux and python3 run the programs of HumanEval and MBPP.
packages=(build-essential cmake git libdnnl-dev libgtest-dev bubblewrap util-linux python3)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then
    echo "setup: installing ${missing[*]}" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup: these system packages are missing; install them and run the command again:" >&2
    echo "  sudo apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
fi

# npm ci again only when the lock file has changed since the last one.
stamp=node_modules/.lethe-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo 'setup: npm ci' >&2
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi

node scripts/build.mjs
