import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants as fs,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Ended, PROGRAM, startProcess } from '../../e2e/lethe.js';
import { Driver } from './driver-process.js';

/** What is to happen at one of a command's changes to files, counted from 1; faults.c says what a change is. */
export interface Fault {
  at: number;
  /**
   * `once`: that change fails; `on`: that one and all later that need room; `kill`: the process is killed before it; `dead`: it,
   * and nothing after it, is done, as after a kill, and the command goes on as it may; `torn`: the same, half of it is written.
   */
  how: 'once' | 'on' | 'kill' | 'dead' | 'torn';
  code?: 'ENOSPC' | 'EDQUOT' | 'EIO';
}

const HOW = ['never', 'once', 'on', 'kill', 'dead', 'torn', 'count', 'places'] as const;

/** A place of the program that changes files, as faults.c tells places apart, and the last change that was made there. */
export interface Place {
  hash: bigint;
  call: string;
  path: string;
  /** The stack of calls that ask for it, the innermost first; empty where that is not known. */
  code: string[];
  /** How often a command comes to it. */
  times: number;
}

/** Where numbers stand in faults.c's `struct control`, and how many; the places come behind them. */
const [FAILED, NUMBERS, PLACES_KNOWN] = [6, 8, 4096];

/** A change that a command made. */
export interface Change {
  number: number;
  call: string;
  needsRoom: boolean;
  path: string;
}

/** Runs `lethe` in a folder where changes to files can go wrong. */
export class Faulty {
  /** What was synced; see power.ts. */
  readonly shadow: string;
  private readonly env: NodeJS.ProcessEnv;
  private readonly control: string;
  private readonly log: string;
  private readonly sites: string;
  private driver: Driver | undefined;

  /**
   * @param beside a folder that no command sees, on the same file system.
   * @param more variables of the commands' environment.
   */
  constructor(
    private readonly folder: string,
    beside: string,
    more: NodeJS.ProcessEnv = {},
  ) {
    this.shadow = join(beside, 'shadow');
    mkdirSync(this.shadow, { recursive: true });
    const [source, library] = [join(__dirname, 'faults.c'), join(beside, 'faults.so')];
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${source}: ${stderr}`);
    [this.control, this.log, this.sites] = [join(beside, 'control'), join(beside, 'log'), join(beside, 'sites')];
    mkdirSync(this.sites);
    writeFileSync(this.control, Buffer.alloc(8 * (NUMBERS + 3 * PLACES_KNOWN)));
    this.env = {
      ...process.env,
      ...more,
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${pathToFileURL(join(__dirname, 'sites.mjs')).href}`,
      FAULT_SITES: this.sites,
      LD_PRELOAD: library,
      FAULT_ROOT: folder,
      FAULT_CONTROL: this.control,
      FAULT_LOG: this.log,
      FAULT_SHADOW: this.shadow,
    };
    this.order();
  }

  /** Runs a command to its end, in a process that has run others. @param keeps what was synced is kept in `shadow`. */
  async run(args: string[], fault?: Fault, keeps = false): Promise<Ended> {
    this.order(fault, keeps);
    const ended = await this.commands().run(args);
    this.order();
    if (!keeps && (fault?.how === 'dead' || fault?.how === 'torn')) this.bury();
    return ended;
  }

  /** Runs a command in a process of its own. @param ms when it is killed, where it has not ended before. */
  async runAlone(args: string[], fault?: Fault, ms?: number): Promise<Ended> {
    this.order(fault);
    const running = startProcess(process.execPath, [PROGRAM, ...args], { cwd: this.folder, env: this.env });
    const timer = ms === undefined ? undefined : setTimeout(() => running.process.kill('SIGKILL'), ms);
    return running.ended.finally(() => clearTimeout(timer));
  }

  /** What a command changes when nothing goes wrong, by the end it comes to. @throws Error where that is another. */
  async changes(args: string[], expected = 0): Promise<Change[]> {
    writeFileSync(this.log, '');
    requireEnd(args, await this.run(args), expected);
    return this.logged();
  }

  private logged(): (Change & { place: bigint; site: string })[] {
    const lines = readFileSync(this.log, 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [number, call, needsRoom, place, site, ...path] = line.split(' ');
      const under = path.join(' ').slice(this.folder.length + 1);
      return { number: Number(number), call, needsRoom: needsRoom === '1', path: under, place: BigInt(place), site };
    });
  }

  /** The places of a command that need room, the same way. */
  async places(args: string[], expected = 0): Promise<Map<bigint, Place>> {
    this.arm([]);
    writeFileSync(this.log, '');
    this.order({ at: 0, how: 'count' });
    requireEnd(args, await this.commands().run(args), expected);
    const places = new Map<bigint, Place>();
    for (const change of this.logged().filter(({ needsRoom }) => needsRoom)) {
      const { times } = places.get(change.place) ?? { times: 0 };
      places.set(change.place, { ...this.placeOf(change), times: times + 1 });
    }
    return places;
  }

  private placeOf({ place, site, call, path }: Change & { place: bigint; site: string }): Place {
    const code = site === '0' ? [] : readFileSync(join(this.sites, site), 'utf8').trim().split('\n');
    return { hash: place, call, path, code, times: 1 };
  }

  /** Lets places fail when they have been come to so often, 0 for never; one that is not among them the first time. */
  arm(places: Iterable<[bigint, number]>): void {
    const table = new BigUint64Array(3 * PLACES_KNOWN);
    for (const [hash, at] of places) {
      let slot = Number(hash % BigInt(PLACES_KNOWN));
      while (table[3 * slot] !== 0n) slot = (slot + 1) % PLACES_KNOWN;
      table.set([hash, 0n, BigInt(at)], 3 * slot);
    }
    this.writeControl(Buffer.from(table.buffer), 8 * NUMBERS);
  }

  /** How often each place may still be come to before it fails; 0 where it has failed. */
  armed(): Map<bigint, number> {
    const bytes = readFileSync(this.control);
    const table = new BigInt64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const left = new Map<bigint, number>();
    for (let at = NUMBERS; at < table.length; at += 3)
      if (table[at] !== 0n)
        left.set(BigInt.asUintN(64, table[at]), Number(table[at + 2] > table[at + 1] ? table[at + 2] : 0n));
    return left;
  }

  /** Runs a command until the first place fails that is due. @returns that place too, if one was. */
  async runToPlace(args: string[], round: number): Promise<{ ended: Ended; place?: Place }> {
    writeFileSync(this.log, '');
    this.order({ at: 0, how: 'places' }, false, round);
    const ended = await this.commands().run(args);
    const hash = readFileSync(this.control).readBigUInt64LE(8 * FAILED);
    this.order();
    const failed = hash === 0n ? undefined : this.logged().findLast(({ place }) => place === hash)!;
    return { ended, place: failed && this.placeOf(failed) };
  }

  private commands(): Driver {
    return (this.driver ??= new Driver(this.folder, this.env));
  }

  end(): void {
    this.driver?.end();
    this.driver = undefined;
  }

  private order(fault?: Omit<Fault, 'how'> & { how: (typeof HOW)[number] }, keeps = false, round = 0): void {
    const errno = constants.errno[fault?.code ?? 'EIO'];
    const numbers = [0, fault?.at ?? 0, HOW.indexOf(fault?.how ?? 'never'), errno, Number(keeps), round, 0, 0];
    this.writeControl(Buffer.from(BigInt64Array.from(numbers.map(BigInt)).buffer), 0);
  }

  /** Written over, not anew: processes have it mapped. */
  private writeControl(bytes: Buffer, at: number): void {
    const handle = openSync(this.control, fs.O_RDWR);
    writeSync(handle, bytes, 0, bytes.length, at);
    closeSync(handle);
  }

  /** The driver lives; the locks and temporary files of a command that counts as killed are to say that it does not. */
  bury(): void {
    for (const name of readdirSync(this.folder, { recursive: true }) as string[]) {
      const file = join(this.folder, name);
      if (name.endsWith('.lock')) {
        const owner = readFileSync(file, 'utf8');
        rmSync(file); // its temporary file may be the same
        writeFileSync(file, owner.replace(/"started":"\d+"/, '"started":"1"'));
      } else if (/\.tmp-[\da-f]{8}-\d*-\d+-\d+$/.test(name) && statSync(file).isFile())
        renameSync(file, file.replace(/\d+-(\d+)$/, `${NO_PROCESS}-$1`));
    }
  }
}

function requireEnd(args: string[], { code, stderr }: Ended, expected: number): void {
  if (code !== expected) throw new Error(`lethe ${args.join(' ')} ended with ${code}\n${stderr}`);
}

/** Above the largest number of a process. */
const NO_PROCESS = 2 ** 22 + 1;

/** Whether this machine can load faults into a process. */
export const canFault = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
