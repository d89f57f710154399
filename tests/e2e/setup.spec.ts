import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PLAIN = 'bash sh awk cat cmp cp df dirname flock git grep head id ln mktemp rm sort tail uname'.split(' ');

// A machine as set-up meets it: every program that it looks at is a stub, everything else is as here.
const GOOD = {
  node: 'case "$*" in *versions.node*) echo 20.20.0;; *) exit 0;; esac',
  npm: 'mkdir -p node_modules',
  uname: '[ "$1" = -m ] && echo x86_64 || echo Linux',
  'dpkg-query': "echo 'install ok installed'",
  cmake: "echo 'cmake version 3.25.1'",
  'g++': 'case "$1" in -dumpfullversion) echo 12.2.0;; *) echo "g++ (Debian 12.2.0-14) 12.2.0";; esac',
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe set-up '));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs scripts/setup.sh in a checkout of nothing else, where some programs answer otherwise or (null) are missing. */
function setUp(changes: Record<string, string | null>, env: Record<string, string> = {}): string {
  const [bin, checkout] = [join(folder, 'bin'), join(folder, 'checkout')];
  mkdirSync(bin);
  mkdirSync(join(checkout, 'scripts'), { recursive: true });
  cpSync(join(ROOT, 'scripts/setup.sh'), join(checkout, 'scripts/setup.sh'));
  cpSync(join(ROOT, 'scripts/setup'), join(checkout, 'scripts/setup'), { recursive: true });
  writeFileSync(join(checkout, 'package-lock.json'), '{}');
  const stubs: Record<string, string | null> = { ...GOOD, ...changes };
  for (const name of PLAIN) {
    const path = ['/usr/bin', '/bin'].map((place) => join(place, name)).find(existsSync);
    if (path && !(name in stubs)) symlinkSync(path, join(bin, name));
  }
  for (const [name, script] of Object.entries({ mkdir: 'exec /bin/mkdir "$@"', ...stubs }))
    if (script !== null) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
  const options = { env: { PATH: bin, ...env }, encoding: 'utf8' as const };
  const { status, stderr } = spawnSync('/bin/bash', [join(checkout, 'scripts/setup.sh')], options);
  return `${status}: ${stderr.trim()}`;
}

/** The last line of a refusal, which must end the set-up with status 1. */
const refusal = (...args: Parameters<typeof setUp>): string => {
  const [, last] = /^1: (?:[^]*\n)?(setup: .+)$/.exec(setUp(...args)) ?? [];
  return last;
};

it('goes through on a machine that has everything', () => {
  expect(setUp({})).toBe('0: setup: installing npm packages (npm ci, about half a minute)');
  expect(existsSync(join(folder, 'checkout/node_modules/.lethe-lock'))).toBe(true);
});

it.each([
  ['macOS', { uname: 'echo Darwin' }, /Darwin is not supported: Lethe runs on Linux/],
  ['a processor', { uname: '[ "$1" = -m ] && echo riscv64 || echo Linux' }, /riscv64 is not supported/],
  ['no Node', { node: null }, /Node\.js is missing: install 20\.11 or newer/],
  [
    'an old Node',
    { node: 'case "$*" in "-p "*) echo 18.19.0;; *) exit 1;; esac' },
    /Node\.js 18\.19\.0 is too old: install 20\.11/,
  ],
  ['no npm', { npm: null }, /npm is missing beside/],
  ['no links', { ln: 'exit 1' }, /has no symbolic links.*clone the repository to another/],
  ['no room', { df: 'printf "Size Used Avail\\nx 1 1 700 x\\n"' }, /700 MiB are free.*3000 are needed/],
  ['an old CMake', { cmake: "echo 'cmake version 3.18.4'" }, /cmake version 3\.18\.4 is too old: install CMake 3\.20/],
  [
    'an old g++',
    { 'g++': 'case "$1" in -dumpfullversion) echo 10.2.1;; *) echo "g++ 10";; esac' },
    /g\+\+ 10\.2\.1 is too old: install g\+\+ 12.*CXX=g\+\+-12/,
  ],
  ['no compiler', { 'g++': null }, /the compiler g\+\+ is missing: install g\+\+ 12 or clang 14/],
])('refuses %s in one line with the remedy', (_, changes, line) => {
  expect(refusal(changes)).toMatch(line);
});

it('takes the compiler that CXX names, and checks that one', () => {
  const clang = 'case "$1" in -dump*) echo 13.0.1;; *) echo "Debian clang version 13.0.1";; esac';
  expect(refusal({ 'my-clang': clang }, { CXX: 'my-clang' })).toMatch(/clang 13\.0\.1 is too old: install 14 or newer/);
});

it('gives a user who may not install one line for an administrator', () => {
  const missing = { 'dpkg-query': 'case "$*" in *cmake*|*libdnnl*) exit 1;; *) echo "install ok installed";; esac' };
  expect(refusal({ ...missing, id: 'echo 1000' })).toBe(
    'setup: system packages are missing; let an administrator run this, then the same command again: ' +
      "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends cmake libdnnl-dev'",
  );
});

it('ends with the cause where apt cannot install', () => {
  const apt = { 'dpkg-query': 'exit 1', id: 'echo 0', 'apt-get': "echo 'E: Unable to locate package cmake'; exit 100" };
  const told = setUp(apt);
  expect(told).toMatch(/^1: .*\nE: Unable to locate package cmake\nsetup: apt-get failed \(above\): check the network/);
});

it('names the packages of a system without dpkg', () => {
  const fedora = { 'dpkg-query': null, dnf: 'exit 0', cmake: null, bwrap: null };
  expect(refusal(fedora)).toMatch(
    /missing here: .*cmake.*bwrap.*: dnf install gcc-c\+\+ cmake ninja-build onednn|dnf install/,
  );
});

it.each([
  ['npm error code ENOTFOUND', /registry cannot be reached.*https-proxy/],
  ['npm error code ENOSPC', /the disk is full/],
])('ends with the cause where npm fails: %s', (error, cause) => {
  const told = refusal({ npm: `[ "$1" = ci ] || exit 0; echo '${error}' >&2; exit 1` });
  expect(told).toMatch(cause);
  expect(existsSync(join(folder, 'checkout/node_modules/.lethe-lock'))).toBe(false);
});
