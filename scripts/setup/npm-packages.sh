# The npm packages of package-lock.json. Sourced by setup.sh.

# A copy of the lock file that is written last: an npm ci that was broken off leaves none, and is run again.
readonly stamp=node_modules/.lethe-lock

install_npm_packages() {
  ! cmp -s package-lock.json $stamp || return 0
  echo 'setup: installing npm packages (npm ci, about half a minute)' >&2
  local log
  log=$(mktemp)
  if ! npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
    grep -v 'A complete log of this run' "$log" | head -n 12 >&2 || true
    local cause
    cause=$(npm_failure "$log")
    rm "$log"
    refuse "npm ci failed (above): $cause, then run the same command again"
  fi
  rm "$log"
  cp package-lock.json $stamp
}

npm_failure() {
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|UNABLE_TO|CERT' "$1"; then
    echo "npm's registry cannot be reached ($(npm config get registry)); check the network and, behind a proxy, npm config set https-proxy URL"
  elif grep -q ENOSPC "$1"; then
    echo 'the disk is full; free some space'
  else
    echo 'remedy what it names'
  fi
}
