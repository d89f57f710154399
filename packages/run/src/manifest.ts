import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-file.js';
import { type Clock, systemClock } from './clock.js';
import { setAside } from './set-aside.js';
import { readingProblem } from './system-error.js';
import { UserError } from './user-error.js';

/** The machine a run ran on. */
export interface MachineInfo {
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** Operating system, its release and the processor's architecture. */
  platform: string;
}

/** The source a run was made from. */
export interface GitRevision {
  commit: string;
  /** Whether tracked files differed from the commit. */
  isDirty: boolean;
}

/** One start of a run's command; a resumed run has several. */
export interface RunLaunch {
  command: string[];
  /** ISO 8601, UTC. */
  started: string;
  ended: string | null;
  /** How it ended: `finished`, `stopped by SIGTERM`, `failed: <message>`; null while running or after a crash. */
  outcome: string | null;
  /** Null outside a git checkout. */
  git: GitRevision | null;
  /** At least `node`; the caller adds lethe's, tfjs's and the addon's. */
  versions: Record<string, string>;
  /** Of the first process. */
  machine: MachineInfo;
  /** Processes that shared the work; not in manifests of earlier versions, whose runs had one. */
  ranks?: number;
  processes?: RunProcess[];
}

/** One of the processes of a launch. */
export interface RunProcess {
  rank: number;
  host: string;
  pid: number;
  threads: number;
  device: string;
}

/** Data that a run learns from. */
export interface RunData {
  /** `replay` or `forget`. */
  role: string;
  /** The folder of shards, as the recipe names it. */
  shards: string;
  documents: number;
  tokens: number;
  /** Hexadecimal, of the shards' index, which holds the SHA-256 of every shard. */
  sha256: string;
  tokenizerSha256: string;
  /** Names of the files that the shards were made of (the first of them), and how many there were; data sets on the hub. */
  files: string[];
  numFiles: number;
  datasets: string[];
}

/** `runs/<name>/manifest.json`: what is needed to make the run again. */
export interface RunManifest {
  name: string;
  /** After `extends`, `--set` and defaults. */
  recipe: unknown;
  seeds: Record<string, number>;
  data?: RunData[];
  launches: RunLaunch[];
}

/** What the caller knows about a run. */
export interface RunDescription {
  name: string;
  recipe: unknown;
  seeds: Record<string, number>;
  versions: Record<string, string>;
  data?: RunData[];
  /** Who shares the work; by default this process alone. */
  processes?: RunProcess[];
  /** Default: this process's. */
  command?: string[];
  clock?: Clock;
  /** Told where a manifest that cannot be read was set aside; without it, such a manifest is refused. */
  onDamage?: (warning: string) => void;
}

/** A run's manifest, open until the run ends. */
export interface OpenRunManifest {
  readonly manifest: RunManifest;
  /** Records the end of this launch. */
  finish(outcome: string): void;
}

/**
 * Writes the manifest of a run in `folder`, or adds a launch to the one that is there.
 *
 * @throws UserError when the manifest that is there cannot be read, and nobody is told of it.
 */
export function openRunManifest(folder: string, description: RunDescription): OpenRunManifest {
  const { name, recipe, seeds, versions, data, processes = [] } = description;
  const { clock = systemClock, command = process.argv } = description;
  const file = join(folder, 'manifest.json');
  const now = () => new Date(clock.now()).toISOString();
  const launch: RunLaunch = {
    command,
    started: now(),
    ended: null,
    outcome: null,
    git: gitRevision(process.cwd()),
    versions: { node: process.versions.node, ...versions },
    machine: machineInfo(),
    ranks: Math.max(processes.length, 1),
    ...(processes.length > 0 && { processes }),
  };
  const earlier = existsSync(file) ? earlierLaunches(folder, description.onDamage) : [];
  const manifest: RunManifest = { name, recipe, seeds, ...(data && { data }), launches: [...earlier, launch] };
  const save = () => writeFileAtomically(file, `${JSON.stringify(manifest, null, 2)}\n`);
  save();
  return {
    manifest,
    finish: (outcome) => {
      launch.ended = now();
      launch.outcome = outcome;
      save();
    },
  };
}

/**
 * Corrects the manifest of a run that has come to its end and does not say so: it ended, or the disk failed, between its result and its last
 * word. Others read there how it ended.
 */
export function settleRunManifest(folder: string, outcome: string): void {
  const file = join(folder, 'manifest.json');
  if (!existsSync(file)) return;
  let manifest: RunManifest;
  try {
    manifest = readRunManifest(folder);
  } catch (error) {
    if (error instanceof UserError) return; // told by whoever needs it
    throw error;
  }
  const last = manifest.launches.at(-1);
  if (!last || /^(finished|exceeded)/.test(last.outcome ?? '')) return;
  last.ended ??= new Date(systemClock.now()).toISOString();
  last.outcome = outcome;
  writeFileAtomically(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The launches so far; no step needs them, so that a run whose checkpoints are whole goes on without. */
function earlierLaunches(folder: string, onDamage: RunDescription['onDamage']): RunLaunch[] {
  try {
    return readRunManifest(folder).launches;
  } catch (error) {
    if (!onDamage) throw error;
    const kept = setAside(join(folder, 'manifest.json'));
    onDamage(
      `${(error as Error).message}; it is kept as ${kept}, and a new one begins: earlier launches are not in it`,
    );
    return [];
  }
}

/**
 * Reads `manifest.json` of a run's folder.
 *
 * @throws UserError naming the file when it is missing or not a manifest.
 */
export function readRunManifest(folder: string): RunManifest {
  const file = join(folder, 'manifest.json');
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as RunManifest;
    if (!Array.isArray(manifest.launches)) throw new Error("expected a list of 'launches'");
    return manifest;
  } catch (cause) {
    throw new UserError(`${file}: cannot read the run's manifest: ${readingProblem(cause)}`, { cause });
  }
}

/** The commit checked out at `folder`, or null outside git or without it. */
export function gitRevision(folder: string): GitRevision | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return { commit: git('rev-parse', 'HEAD'), isDirty: git('status', '--porcelain', '--untracked-files=no') !== '' };
  } catch {
    return null; // No git, no repository, no commit: the run is as good, and the manifest says null.
  }
}

/** Describes this machine. */
export function machineInfo(): MachineInfo {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    platform: `${platform()} ${release()} ${arch()}`,
  };
}
