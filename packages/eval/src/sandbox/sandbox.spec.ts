import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chooseIsolation, sandboxProblem } from './choose-isolation.js';
import { controlGroup } from './control-group.js';
import type { ProgramLimits } from './isolation.js';
import { type Program, type Verdict, verdictOf } from './report.js';
import { runProgram } from './run-program.js';
import { programFilter } from './seccomp-filter.js';

// Known before tests are collected, so that a machine without a sandbox counts them as skipped.
const hasSandbox =
  ['/usr/bin/bwrap', '/usr/bin/prlimit', '/usr/bin/python3'].every((file) => existsSync(file)) &&
  spawnSync('/usr/bin/bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/usr/bin/true']).status === 0;
const FORGED = JSON.parse(readFileSync(resolve(__dirname, '../../../../tests/cases/forged-verdicts.json'), 'utf8')) as {
  program: string;
  right: string;
}[];
const LIBC = 'import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)';
const WORKERS = 'from concurrent.futures import ThreadPoolExecutor';
const EVERYWHERE = `import os
for d in range(64):
    for word in (b'pass', b'started \\npass \\n', b'ready \\npass \\n'):
        try: os.write(d, word + b'\\n')
        except OSError: pass
os._exit(0)`;
const ON_STACK = `import sys, os
frame = sys._getframe()
while frame:
    report = frame.f_locals.get('report')
    if report: report('pass')
    frame = frame.f_back
os._exit(0)`;
const THREAD = `import threading, os
def work():
    while True:
        try: os.write(3, b'pass \\n')
        except OSError: return
threading.Thread(target=work, daemon=True).start()`;
const WAITING = `import threading
ends = []
gate = threading.Barrier(16)
def work():
    gate.wait()
    ends.append(1)
threads = [threading.Thread(target=work) for _ in range(16)]
[t.start() for t in threads]
[t.join() for t in threads]`;

const run = (program: string | Program, seconds = 100) => runProgram(program, { isolation: 'bubblewrap', seconds });

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
    ['writing beside /tmp', 'open("/f0", "wb").write(b"x")', 'fail', /Read-only/],
    ['much into /tmp', 'for i in range(8): open("/tmp/%d" % i, "wb").write(b"x" * (15 << 20))', 'fail', /No space/],
    ['memory behind descriptors', 'import os\nos.memfd_create("x")', 'fail', /PermissionError/],
    ['a namespace', `${LIBC}\nassert libc.unshare(0x10000000) == 0`, 'fail', /AssertionError/],
    ['a mount', `${LIBC}\nassert libc.mount(b"x", b"/tmp", b"tmpfs", 0, 0) == 0`, 'fail', /AssertionError/],
    ['a trace', `${LIBC}\nassert libc.ptrace(0, 0, 0, 0) == 0`, 'fail', /AssertionError/],
    ['sixteen workers', `${WORKERS}\nassert sum(ThreadPoolExecutor(16).map(abs, range(1000))) == 499500`, 'pass'],
    ['sixteen threads that wait', `${WAITING}\nassert len(ends) == 16`, 'pass'],
    ['the end of the first process, which has none', 'import os\nos.kill(os.getppid(), 9)', 'pass'],
    ['the end of everything', 'import os\nos.kill(-1, 9)', 'fail', /ended with|ProcessLookupError/],
    ['a session of its own', 'import os\ntry:\n    os.setsid()\nexcept OSError: pass', 'pass'],
    ['a signal handler', 'import signal\nsignal.signal(signal.SIGTERM, print)', 'pass'],
    ['writing for itself', 'open("/tmp/x", "w").write("1")', 'pass'],
    ['a large file', 'open("/tmp/x", "wb").write(b"1" * (1 << 26))', 'fail'],
    ['devices in memory', 'open("/dev/shm/x", "w")', 'fail', /Read-only|FileNotFound|OSError/],
    ['the environment', 'import os\nassert "HOME" not in os.environ and "LETHE_DATA" not in os.environ', 'pass'],
    ['standard input', 'import sys\nassert sys.stdin.read() == ""', 'pass'],
    ['much output', 'for i in range(300_000): print("x" * 100)', 'pass'],
    ['many open files', 'fs = []\nwhile True: fs.append(open("/dev/null"))', 'fail', /Too many open files/],
    ['a fault of the processor', 'import ctypes\nctypes.string_at(0)', 'fail', /ended with/],
    ['another program in its place', 'import os\nos.execv("/bin/true", ["true"])', 'fail', /ended with/],
    ['its own death', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)', 'fail', /ended with/],
    ['an exit status of passing tests', 'import os, sys\nsys.exit = os._exit\nsys.exit(0)', 'fail', /status 0/],
    [
      'a folder under its feet',
      'import os, shutil\nos.mkdir("d")\nos.chdir("d")\nos.rmdir("/tmp/d")\nopen("x", "w")',
      'fail',
      /No such file/,
    ],
    ['a link out of /tmp', 'import os\nos.symlink("/usr", "/tmp/u")\nopen("/tmp/u/x", "w")', 'fail', /Read-only/],
    [
      'a hard link of the system',
      'import os\nos.link("/usr/bin/python3", "/tmp/p")',
      'fail',
      /Invalid cross-device|not permitted/,
    ],
    ['other rights', 'import os\nos.chmod("/usr/bin/python3", 0o777)', 'fail', /Read-only/],
    ['another user', 'import os\nos.setuid(12345)', 'fail', /Invalid argument|not permitted/],
    [
      'wider limits',
      'import resource as r\nr.setrlimit(r.RLIMIT_AS, (1 << 40, 1 << 40))',
      'fail',
      /exceed|not allowed|not permitted/,
    ],
    ['memory of the first process', 'import os\nos.open("/proc/1/mem", os.O_WRONLY)', 'fail', /Read-only|Permission/],
    ...['sys/kernel/core_pattern', 'sys/kernel/hostname', 'sys/vm/drop_caches', 'self/oom_score_adj'].map(
      (name): [string, string, Verdict, RegExp] => [
        `what the kernel takes from /proc/${name}`,
        `import os\nos.open("/proc/${name}", os.O_WRONLY)`,
        'fail',
        /Read-only|Permission/,
      ],
    ),
    [
      'datagrams',
      'import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53))',
      'fail',
      /unreachable/,
    ],
    [
      'a pickle that acts',
      'import pickle\nclass P:\n    def __reduce__(self):\n        import os\n        return os.system, ("true",)\nassert pickle.loads(pickle.dumps(P())) == 0',
      'fail',
      /AssertionError|BlockingIOError/,
    ],
    [
      'an error whose text is another one',
      'class E(Exception):\n    def __str__(self): raise SystemExit(0)\nraise E',
      'fail',
      /^E/,
    ],
    ['an error with a text of megabytes', 'raise ValueError("\\U0001f600" * 3_000_000)', 'fail', /^ValueError/],
    [
      'output of every character',
      'import sys\nfor i in range(0x110000): sys.stdout.buffer.write(chr(i).encode("utf-8", "surrogatepass"))',
      'pass',
    ],
    ['output that is no text', 'import os\nfor i in range(2000): os.write(2, os.urandom(4096))', 'pass'],
    ['a sparse file of terabytes', 'open("/tmp/x", "wb").truncate(1 << 42)', 'fail'],
    ['endless reading', 'open("/dev/zero", "rb").read()', 'out-of-memory'],
    [
      'a hundred thousand threads',
      'import threading, time\nfor i in range(100_000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
      'fail',
      /thread/,
    ],
  ])(
    '%s',
    async (_, program, verdict, detail = /^/) => {
      const result = await run(program);
      expect([result.verdict, result.detail]).toEqual([verdict, expect.stringMatching(detail)]);
      expect(result.output.length).toBeLessThanOrEqual(8192);
    },
    300_000,
  );

  // What a model might write to be told that it passed. The tests fail, or never run.
  it.each<[string, string]>([
    ['the word on the descriptor', "import os\nos.write(3, b'pass \\n')\nos._exit(0)"],
    ['every word on every descriptor', EVERYWHERE],
    ['the report of the runner', "import sys\nsys.modules['__main__'].report('pass')\nimport os\nos._exit(0)"],
    ['the report on the stack', ON_STACK],
    ['another os.write', "import os\nreal = os.write\nos.write = lambda d, t: real(d, t.replace(b'fail', b'pass'))"],
    ['another exec', 'import builtins\nbuiltins.exec = lambda *a: None\nbuiltins.compile = lambda *a: None'],
    ['another BaseException', 'import builtins\nbuiltins.BaseException = builtins.Exception = KeyError'],
    ['a word at exit', "import atexit, os\natexit.register(lambda: os.write(3, b'pass\\n'))\nraise SystemExit"],
    ['a thread that reports', THREAD],
    ['a second report', "import os\nos.write(3, b'started \\npass \\n')"],
    ['a torn report', "import os\nos.write(3, b'pa')"],
    ['an endless report', "import os\nfor i in range(10000): os.write(3, b'pass \\n' * 1000)"],
    ['a closed report', 'import os\nos.close(3)'],
    ['a closed program', 'import os\nos.close(5)'],
    [
      'a ready of its own',
      "import os\nos.write(3, b'ready \\n')\nos.read(5, 9999)\nos.write(3, b'pass \\n')\nos._exit(0)",
    ],
    ['an exit in the tests', 'import os\ndef f(x): os._exit(0)'],
    ['a polite exit in the tests', 'def f(x): raise SystemExit(0)'],
    ['a tracer', 'import sys, os\nsys.settrace(lambda *a: os._exit(0))'],
  ])(
    'is not deceived by %s',
    async (_, code) => {
      const { verdict } = await run({ code: `def f(x): return 0\n${code}\n`, tests: 'assert f(1) == 2' }, 20);
      expect(['fail', 'timeout']).toContain(verdict);
    },
    300_000,
  );

  it.each(FORGED)('the program of the case is judged: $program', async ({ program, right }) => {
    const { verdict, detail } = await run(program, 20);
    expect(verdict).toBe('fail');
    if (right !== 'fail') expect(detail).toMatch(/Read-only/); // refused before its first byte
  });

  it.each([
    ['a busy loop', 'while True: pass'],
    ['a stop', 'import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)'],
    ['waiting for what never comes', 'import os\nr, w = os.pipe()\nos.read(r, 1)'],
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

const hasInterpreter = ['/usr/bin/prlimit', '/usr/bin/python3'].every((file) => existsSync(file));
(hasInterpreter ? describe : describe.skip)('programs without a sandbox, where that is allowed', () => {
  const bare = (program: string, limits: Partial<ProgramLimits> = {}) =>
    runProgram(program, { isolation: 'none', seconds: 60, ...limits });

  it('run, under their limits', async () => {
    expect(await bare('assert 1 + 1 == 2')).toMatchObject({ verdict: 'pass' });
    expect(await bare('assert 1 + 1 == 3')).toMatchObject({ verdict: 'fail', detail: 'AssertionError:' });
    expect(await bare('while True: pass', { seconds: 4 })).toMatchObject({ verdict: 'timeout' });
  });

  it('that cannot start are told apart from programs that fail, with what was said', async () => {
    const { verdict, detail } = await bare('assert True', { memoryBytes: 2 ** 20 });
    expect(verdict).toBe('sandbox-error');
    expect(detail).toMatch(/memory|libpython|shared|mmap|ended with/i);
  });
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
  expect(programFilter('x64')!.length % 8).toBe(0);
  expect(programFilter('arm64')).not.toEqual(programFilter('x64'));
  expect(programFilter('mips')).toBeUndefined();
});

describe('the verdict of a report', () => {
  const words = { ready: 'r', pass: 'p' };
  const end = { isLate: false, how: 'status 0' };
  it.each<[string, Verdict]>([
    ['started \nr \np \n', 'pass'],
    ['started \np \n', 'fail'],
    ['started \nr \nfail ValueError: x\n', 'fail'],
    ['started \nout-of-memory \n', 'out-of-memory'],
    ['', 'sandbox-error'],
    ['started \n', 'fail'],
    ['started \nr \np', 'fail'],
    ['started \nr \np \np \n', 'fail'],
    ['started \npass \n', 'fail'],
    ['pass \n', 'fail'],
    ['started \nr \nfail x\np \n', 'fail'],
  ])('%j is %s', (report, verdict) => {
    expect(verdictOf(report, words, end).verdict).toBe(verdict);
  });

  it('a program that is late and had not ended timed out; one that had told how it ended did not', () => {
    const late = { isLate: true, how: 'SIGKILL' };
    expect(verdictOf('started \nr \n', words, late).verdict).toBe('timeout');
    expect(verdictOf('started \nr \np \n', words, late).verdict).toBe('pass');
  });
});

describe('control groups', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'lethe-cgroup-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  it('are not made where the controllers are not there, and nothing is left', () => {
    expect(controlGroup({ seconds: 1 }, root)).toBeUndefined();
    writeFileSync(join(root, 'cgroup.controllers'), '');
    expect(controlGroup({ seconds: 1 }, root)).toBeUndefined();
    expect(readdirSync(root)).toEqual(['cgroup.controllers']);
  });
});
