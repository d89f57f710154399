import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, writeFileAtomically } from '@lethe/run';

/** What a phase found, and the seconds it took. */
interface PhaseFile<T> {
  seconds: number;
  found: T;
}

/** The phases of one folder: what a phase found is kept in a file, so that an interrupted repair goes on behind it. */
export class Phases {
  readonly seconds: Record<string, number> = {};

  constructor(private readonly folder: string) {}

  private fileOf(name: string): string {
    return join(this.folder, 'phases', `${name}.json`);
  }

  /** Whether a phase has found what it looks for. */
  has(name: string): boolean {
    return existsSync(this.fileOf(name));
  }

  /** Keeps what a phase found. */
  keep(name: string, phase: PhaseFile<unknown>): void {
    this.seconds[name] = phase.seconds;
    writeFileAtomically(this.fileOf(name), `${JSON.stringify(phase)}\n`);
  }

  /** What a phase found before, or finds now. */
  async once<T>(name: string, find: () => T | Promise<T>): Promise<T> {
    const file = this.fileOf(name);
    if (existsSync(file)) {
      const { seconds, found } = readJsonFile(file) as PhaseFile<T>;
      this.seconds[name] = seconds;
      return found;
    }
    const began = performance.now();
    const found = await find();
    this.keep(name, { seconds: (performance.now() - began) / 1000, found });
    // As it will be read: a repair that goes on must not differ from one that was not interrupted.
    return JSON.parse(JSON.stringify(found)) as T;
  }
}
