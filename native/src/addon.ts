import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What a tensor field allows: read, overwritten, added to, or read and overwritten; `_opt` fields may be absent (0). */
export type Access = 'in' | 'in_opt' | 'out' | 'out_opt' | 'acc' | 'acc_opt' | 'inout';

/**
 * One field of an operator. dtype `act`: f32 or bf16, the same for all of a call; `wgt`: f32 or bf16, each for itself.
 * Shapes are products of the operator's dimensions: `"N,2R"`.
 */
export type Field =
  | { kind: 'dim' | 'real' | 'int' | 'flag'; name: string }
  | { kind: 'tensor'; name: string; access: Access; dtype: 'f32' | 'i32' | 'act' | 'wgt'; shape: string };

/** An operator as the addon reports it. */
export interface OperatorDescription {
  name: string;
  fields: Field[];
}

/** Bytes, except for the two counts. */
export interface MemoryStats {
  /** Bytes of buffers that are not released. */
  live: number;
  /** The most that `live` has been since {@link Addon.resetPeak}. */
  peak: number;
  /** Bytes of released blocks that are kept for reuse. */
  cached: number;
  /** Buffers that are not released. */
  buffers: number;
  /** Blocks taken from the device so far; constant in a steady state. */
  allocations: number;
}

/** What the native library found on this machine. */
export interface NativeInfo {
  simd: 'avx512' | 'avx2' | 'generic';
  /** Whether bf16 products run on bf16 instructions, rather than on rounded fp32. */
  bf16: boolean;
  onednn: string;
  /** `available`, or why there is no CUDA device. */
  cuda: string;
}

/** The processes of a job as this one sees them. */
export interface OpenedCollectives {
  rank: number;
  size: number;
  /** What carries the data: `Open MPI v4.1.4`; `none` for a process alone. */
  library: string;
  /** Where each rank runs, by rank. */
  places: { host: string; pid: number }[];
}

/** The `code` of every error that the addon throws. */
export type NativeErrorCode = 'invalid_argument' | 'out_of_memory' | 'not_available' | 'internal';

/**
 * The addon. Buffers are integer ids of device memory, never reused, and belong to the thread that made them; they are
 * freed with it. Every function throws an `Error` with a {@link NativeErrorCode} in `code`.
 */
export interface Addon {
  operators(): OperatorDescription[];
  /** A new buffer of exactly `bytes` bytes, holding whatever was there; of bf16 elements, or of 4-byte ones. */
  alloc(device: number, bytes: number, bf16?: boolean): number;
  release(buffer: number): void;
  /** Copies the whole of `data` into the buffer, from `byteOffset` on. */
  write(buffer: number, byteOffset: number, data: NodeJS.TypedArray): void;
  /** Fills the whole of `data` from the buffer, from `byteOffset` on, after the work that writes the buffer. */
  read(buffer: number, byteOffset: number, data: NodeJS.TypedArray): void;
  /** Runs an operator with one number per field, in table order: a tensor is its buffer, 0 where it is absent. */
  run(device: number, operator: number, ...values: (number | boolean)[]): void;
  run(device: number, operator: number, values: readonly (number | boolean)[]): void;
  memory(device: number): MemoryStats;
  resetPeak(device: number): void;
  /** Gives cached blocks back to the device. */
  emptyCache(device: number): void;
  /** Threads for the operators that this thread calls. Results are bit-identical for the same number. */
  setNumThreads(count: number): void;
  numThreads(): number;
  info(): NativeInfo;
  /**
   * Makes this process part of the job that a launcher started; once, on the main thread. A rank that ends, gives no sign of
   * life for `silence` seconds or lets others wait for `deadline` seconds ends the job on all ranks, named on stderr.
   */
  openCollectives(transport: 'mpi' | 'none', deadline: number, silence: number): OpenedCollectives;
  /**
   * One collective in place on `count` elements of a host device's buffer from element `first` on; `reduce_scatter` and
   * `all_gather` on `size * count`, of which the part at `rank * count` is this rank's. Calls on buffers run in the order in
   * which they are given, which must be the same on all ranks, beside those on arrays, which have an order of their own;
   * the buffer must live and be left alone until the promise is settled, or {@link collectivesWait} has returned.
   */
  collectiveOnBuffer(
    kind: number,
    device: number,
    buffer: number,
    first: number,
    count: number,
    root: number,
  ): Promise<void>;
  /** The same on an array: floats, doubles, bf16 as Uint16Array; bytes, which have no sum. */
  collectiveOnArray(kind: number, array: NodeJS.TypedArray, count: number, root: number): Promise<void>;
  /** Blocks until no call works on the buffer. Throws once a call has failed. */
  collectivesWait(device: number, buffer: number): void;
  /** What this rank does, for messages: `step 12`. */
  collectivesAt(where: string): void;
  /** Waits for the other ranks, and leaves the job. */
  closeCollectives(): void;
  /** Ends every process of the job, this one first. */
  abortCollectives(): never;
}

/** The addon could not be loaded; `cause` says why. */
export class AddonError extends Error {
  override name = 'AddonError';
}

/** What this package has built from its own sources: src/ and dist/ are both one level below its folder. */
const builtHere = fileURLToPath(new URL('../build/Release/lethe.node', import.meta.url));
/** The optional package that has it built, with the libraries it needs. */
const prebuiltPackage = `@lethe/native-${process.platform}-${process.arch}`;

function findAddon(): string {
  if (existsSync(builtHere)) return builtHere;
  try {
    return createRequire(import.meta.url).resolve(`${prebuiltPackage}/lethe.node`);
  } catch {
    return builtHere; // Neither is there: loading says so.
  }
}

/** Where the addon is, for child processes that open it: what was built here, or else the prebuilt package's. */
export const addonPath = findAddon();
/** How to get an addon where there is none that can be loaded. */
export const addonRemedy = existsSync(fileURLToPath(new URL('../tests', import.meta.url)))
  ? 'in the repository: rm -rf native/build; bash scripts/setup.sh (it installs what the build needs, and builds)'
  : `npm install ${prebuiltPackage}; where there is none for this machine, install g++, cmake, ninja and oneDNN ` +
    '(Debian: apt-get install g++ cmake ninja-build libdnnl-dev), then: npm rebuild --foreground-scripts @lethe/native';
let loaded: Addon | undefined;

/**
 * OpenMP threads that wait spin, by default for milliseconds: on a machine whose cores are shared they hold back the
 * thread they wait for (measured: a step takes 2.6 times as long beside one busy core). libgomp reads this when the
 * addon is loaded; what the user has set stays.
 */
function limitSpinning(): void {
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '1000';
}

/**
 * The native library, loaded at the first call.
 * @throws AddonError when it is not there or cannot be loaded, with the remedy.
 */
export function loadAddon(): Addon {
  try {
    if (!loaded) limitSpinning();
    loaded ??= createRequire(import.meta.url)(addonPath) as Addon;
    return loaded;
  } catch (cause) {
    const { message } = cause as Error;
    throw new AddonError(`cannot load ${addonPath} (${message.split('\n')[0]}): ${addonRemedy}`, { cause });
  }
}
