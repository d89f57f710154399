// A seccomp program (classic BPF). A process may make threads and no further processes: a limit on processes would not
// hold for root, and would count the user's other processes. It may not make namespaces, mounts, memory that no limit
// counts, or anything by which it reaches another process or more of the kernel than a program of a benchmark needs.

interface Processor {
  audit: number;
  forks: number[];
  clone: number;
  /** unshare, setns, mount, umount2, pivot_root, chroot. */
  namespaces: number[];
  /** ptrace, process_vm_readv and _writev, bpf, perf_event_open, keyctl, add_key, request_key, userfaultfd. */
  kernel: number[];
  /** memfd_create, shmget, shmat, semget, msgget, mq_open: memory beyond the address space. */
  memory: number[];
}

/** What differs between processors: the audit number, and the numbers of system calls. */
const PROCESSORS: Partial<Record<NodeJS.Architecture, Processor>> = {
  x64: {
    audit: 0xc000003e,
    forks: [57, 58],
    clone: 56,
    namespaces: [272, 308, 165, 166, 155, 161],
    kernel: [101, 310, 311, 321, 298, 250, 248, 249, 323],
    memory: [319, 29, 30, 64, 68, 240],
  },
  arm64: {
    audit: 0xc00000b7,
    forks: [],
    clone: 220,
    namespaces: [97, 268, 40, 39, 41, 51],
    kernel: [117, 270, 271, 280, 241, 219, 217, 218, 282],
    memory: [279, 194, 196, 190, 186, 180],
  },
};
/** The same on all processors: io_uring, the calls of the new mount interface, pidfd_getfd, memfd_secret. */
const ANYWHERE = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447];
const CLONE3 = 435;
const CLONE_THREAD = 0x10000;
/** Calls of the x32 interface of x86-64 begin here; no call of arm64 is as large. */
const X32 = 0x40000000;

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refuse = (errno: number): number => 0x00050000 | errno;
const EPERM = 1;
const EAGAIN = 11;
const ENOSYS = 38;
/** Offsets in seccomp_data. */
const [NUMBER, AUDIT, FIRST_ARGUMENT] = [0, 4, 16];

type Target = 'allow' | 'refuse' | 'forbid' | 'absent' | 'kill' | 'next';
interface Instruction {
  code: number;
  value: number;
  met?: Target;
  unmet?: Target;
}

/** The program's bytes; undefined for processors it is not written for. */
export function programFilter(architecture: NodeJS.Architecture = process.arch): Buffer | undefined {
  const processor = PROCESSORS[architecture];
  if (!processor) return undefined;
  const test = (code: number, value: number, met: Target, unmet: Target = 'next'): Instruction => ({
    code,
    value,
    met,
    unmet,
  });
  const checks: Instruction[] = [
    { code: LOAD, value: AUDIT },
    test(IF_EQUAL, processor.audit, 'next', 'kill'),
    { code: LOAD, value: NUMBER },
    test(IF_AT_LEAST, X32, 'refuse'),
    ...processor.forks.map((number) => test(IF_EQUAL, number, 'refuse')),
    ...[...processor.namespaces, ...processor.kernel, ...processor.memory, ...ANYWHERE].map((number) =>
      test(IF_EQUAL, number, 'forbid'),
    ),
    test(IF_EQUAL, CLONE3, 'absent'), // the C library goes on with clone, whose flags can be read
    test(IF_EQUAL, processor.clone, 'next', 'allow'),
    { code: LOAD, value: FIRST_ARGUMENT },
    test(IF_ANY_BIT, CLONE_THREAD, 'allow', 'refuse'),
  ];
  const results = { allow: ALLOW, refuse: refuse(EAGAIN), forbid: refuse(EPERM), absent: refuse(ENOSYS), kill: KILL };
  const names = Object.keys(results) as (keyof typeof results)[];
  const instructions = [...checks, ...names.map((name) => ({ code: RETURN, value: results[name] }))] as Instruction[];
  const bytes = Buffer.alloc(8 * instructions.length);
  instructions.forEach(({ code, value, met = 'next', unmet = 'next' }, at) => {
    const distance = (target: Target): number =>
      target === 'next' ? 0 : checks.length + names.indexOf(target) - at - 1;
    bytes.writeUInt16LE(code, 8 * at);
    bytes.writeUInt8(distance(met), 8 * at + 2);
    bytes.writeUInt8(distance(unmet), 8 * at + 3);
    bytes.writeUInt32LE(value >>> 0, 8 * at + 4);
  });
  return bytes;
}
