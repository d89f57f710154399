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

const HOW = ['never', 'once', 'on', 'kill', 'dead', 'torn'];

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
    [this.control, this.log] = [join(beside, 'control'), join(beside, 'log')];
    this.env = {
      ...process.env,
      ...more,
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
    this.driver ??= new Driver(this.folder, this.env);
    const ended = await this.driver.run(args);
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

  /** What a command changes when nothing goes wrong. @throws Error where it fails. */
  async changes(args: string[]): Promise<Change[]> {
    writeFileSync(this.log, '');
    const { code, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`lethe ${args.join(' ')} ended with ${code}\n${stderr}`);
    const lines = readFileSync(this.log, 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [number, call, needsRoom, ...path] = line.split(' ');
      const under = path.join(' ').slice(this.folder.length + 1);
      return { number: Number(number), call, needsRoom: needsRoom === '1', path: under };
    });
  }

  end(): void {
    this.driver?.end();
    this.driver = undefined;
  }

  /** Written over, not anew: processes have it mapped. */
  private order(fault?: Fault, keeps = false): void {
    const numbers = [
      0,
      fault?.at ?? 0,
      HOW.indexOf(fault?.how ?? 'never'),
      constants.errno[fault?.code ?? 'EIO'],
      Number(keeps),
    ];
    const bytes = Buffer.alloc(8 * numbers.length);
    for (const [i, number] of numbers.entries()) bytes.writeBigInt64LE(BigInt(number), 8 * i);
    const handle = openSync(this.control, fs.O_RDWR | fs.O_CREAT);
    writeSync(handle, bytes, 0, bytes.length, 0);
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

/** Above the largest number of a process. */
const NO_PROCESS = 2 ** 22 + 1;

/** Whether this machine can load faults into a process. */
export const canFault = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
