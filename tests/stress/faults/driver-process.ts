import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Ended } from '../../e2e/lethe.js';

/** A process that runs commands of `lethe` one after another: a start takes longer than most of them. */
export class Driver {
  private readonly process: ChildProcess;
  private readonly lines: Interface;

  constructor(folder: string, env: NodeJS.ProcessEnv = process.env) {
    this.process = spawn(process.execPath, [join(__dirname, 'driver.mjs')], {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.process.stdout! });
  }

  /** Runs a command to its end. @throws Error where the process ends meanwhile. */
  async run(args: string[]): Promise<Ended> {
    const line = this.nextResult();
    this.process.stdin!.write(`${JSON.stringify(args)}\n`);
    return JSON.parse(await line) as Ended;
  }

  end(): void {
    this.process.kill('SIGKILL');
    this.lines.close();
  }

  private async nextResult(): Promise<string> {
    const left = new AbortController();
    const over = once(this.process, 'exit', left).then(([code, signal]) => {
      throw new Error(`the process of commands ended with ${code ?? signal}`);
    });
    over.catch(() => {}); // ended by the line
    // What trains a tokenizer writes to standard output itself: other lines come with it, more than one at a time.
    let listen!: (line: string) => void;
    const told = new Promise<string>((resolve) => {
      listen = (line) => line.startsWith('{"code"') && resolve(line);
      this.lines.on('line', listen);
    });
    try {
      return await Promise.race([told, over]);
    } finally {
      this.lines.off('line', listen);
      left.abort();
    }
  }
}
