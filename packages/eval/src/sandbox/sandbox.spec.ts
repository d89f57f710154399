import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chooseIsolation, sandboxProblem } from './choose-isolation.js';
import { runProgram, type Verdict } from './run-program.js';
import { threadsOnlyFilter } from './seccomp-filter.js';

// Known before tests are collected, so that a machine without a sandbox counts them as skipped.
const hasSandbox =
  ['/usr/bin/bwrap', '/usr/bin/prlimit', '/usr/bin/python3'].every((file) => existsSync(file)) &&
  spawnSync('/usr/bin/bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/usr/bin/true']).status === 0;
const run = (program: string, seconds = 100) => runProgram(program, { isolation: 'bubblewrap', seconds });

(hasSandbox ? describe : describe.skip)('programs in the sandbox', () => {
  it('is chosen where it works', async () => {
    expect(await sandboxProblem()).toBeUndefined();
    expect(await chooseIsolation({ allowsNone: true })).toBe('bubblewrap');
  });

  it.each<[string, string, Verdict, RegExp?]>([
    ['passes', 'def f(x):\n    return x + 1\nassert f(1) == 2', 'pass'],
    ['a wrong answer', 'assert 1 == 2, "no"', 'fail', /AssertionError: no/],
    ['a syntax error', 'def f(:', 'fail', /SyntaxError/],
    ['an exit before the tests', 'import sys\nsys.exit(0)', 'fail', /SystemExit/],
    ['an end without a word', 'import os\nos._exit(0)', 'fail', /status 0/],
    ['main is not run', 'if __name__ == "__main__":\n    raise ValueError', 'pass'],
    ['a memory bomb', 'x = bytearray(1 << 33)', 'out-of-memory'],
    ['a slow memory bomb', 'x = []\nwhile True: x.append("a" * 10_000_000)', 'out-of-memory'],
    ['endless recursion', 'def f(): return f()\nf()', 'fail', /RecursionError/],
    ['a child process', 'import os\nos.fork()', 'fail', /BlockingIOError/],
    ['a shell', 'import os\nassert os.system("true") == 0', 'fail', /AssertionError|BlockingIOError/],
    ['threads', 'import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()', 'pass'],
    ['the network', 'import socket\nsocket.create_connection(("1.1.1.1", 53), 5)', 'fail', /OSError|Network/],
    ['host files', 'import os\nassert sorted(set(os.listdir("/")) & {"root", "home", "etc", "work"}) == []', 'pass'],
    ['writing to the system', 'open("/usr/x", "w")', 'fail', /Read-only|OSError|PermissionError/],
    ['writing for itself', 'open("/tmp/x", "w").write("1")', 'pass'],
    ['a large file', 'open("/tmp/x", "wb").write(b"1" * (1 << 26))', 'fail'],
    ['devices in memory', 'open("/dev/shm/x", "w")', 'fail', /Read-only|FileNotFound|OSError/],
    ['the environment', 'import os\nassert "HOME" not in os.environ and "LETHE_DATA" not in os.environ', 'pass'],
    ['standard input', 'import sys\nassert sys.stdin.read() == ""', 'pass'],
    ['much output', 'for i in range(300_000): print("x" * 100)', 'pass'],
  ])(
    '%s',
    async (_, program, verdict, detail = /^/) => {
      const result = await run(program);
      expect([result.verdict, result.detail]).toEqual([verdict, expect.stringMatching(detail)]);
      expect(result.output.length).toBeLessThanOrEqual(8192);
    },
    300_000,
  );

  it.each([
    ['a busy loop', 'while True: pass'],
    ['sleep, which a limit of processor time would miss', 'import time\ntime.sleep(1000)'],
    [
      'a loop that catches everything',
      'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
    ],
  ])(
    '%s ends at the wall limit',
    async (_, program) => {
      const { verdict } = await run(program, 2);
      expect(verdict).toBe('timeout');
    },
    300_000,
  );
});

it('without the sandbox programs are refused, by name of what is missing, unless that is allowed', async () => {
  const programs = { bwrap: '/nowhere/bwrap' };
  expect(await sandboxProblem(programs)).toMatch(/^\/nowhere\/bwrap not found; .*apt-get install bubblewrap/);
  await expect(chooseIsolation({ allowsNone: false }, programs)).rejects.toThrow(
    /not run outside a sandbox: .*--without-sandbox/,
  );
  expect(await chooseIsolation({ allowsNone: true }, programs)).toBe('none');
});

it('the filter of system calls is 8 bytes an instruction, and absent for other processors', () => {
  expect(threadsOnlyFilter('x64')!.length % 8).toBe(0);
  expect(threadsOnlyFilter('arm64')).not.toEqual(threadsOnlyFilter('x64'));
  expect(threadsOnlyFilter('mips')).toBeUndefined();
});
