// A seccomp program (classic BPF) that lets a process make threads and no further processes: a limit on processes would
// not hold for root, and would count the user's other processes.

/** What differs between processors: the audit number, fork-like calls, clone, clone3. */
const PROCESSORS: Partial<Record<NodeJS.Architecture, { audit: number; forks: number[]; clone: number }>> = {
  x64: { audit: 0xc000003e, forks: [57, 58], clone: 56 },
  arm64: { audit: 0xc00000b7, forks: [], clone: 220 },
};
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
const EAGAIN = 11;
const ENOSYS = 38;
/** Offsets in seccomp_data. */
const [NUMBER, AUDIT, FIRST_ARGUMENT] = [0, 4, 16];

type Target = 'allow' | 'refuse' | 'absent' | 'kill' | 'next';
interface Instruction {
  code: number;
  value: number;
  met?: Target;
  unmet?: Target;
}

/** The program's bytes; undefined for processors it is not written for. */
export function threadsOnlyFilter(architecture: NodeJS.Architecture = process.arch): Buffer | undefined {
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
    test(IF_EQUAL, CLONE3, 'absent'), // the C library goes on with clone, whose flags can be read
    test(IF_EQUAL, processor.clone, 'next', 'allow'),
    { code: LOAD, value: FIRST_ARGUMENT },
    test(IF_ANY_BIT, CLONE_THREAD, 'allow', 'refuse'),
  ];
  const results = { allow: ALLOW, refuse: refuse(EAGAIN), absent: refuse(ENOSYS), kill: KILL };
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
