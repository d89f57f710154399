import { statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { freeBytes } from './free-bytes.js';
import { lastingPath } from './temporary-path.js';
import { UserError } from './user-error.js';

/** The system refused to write, or to open one file more: says where, how much room there is, what is safe, how to go on. */
export class WriteError extends UserError {
  constructor(
    message: string,
    /** The system's name of the error, such as ENOSPC. */
    readonly code: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

const SAFE = 'What was finished before is whole';
const AGAIN = 'the same command goes on from there';

/** What the system's codes mean for who writes, and what to do; `ulimit` shows and sets the limits of a shell. */
const CODES: Record<string, { what: string; remedy: string }> = {
  ENOSPC: { what: 'the disk is full', remedy: `make room, and ${AGAIN}` },
  EDQUOT: { what: 'the quota of disk space is used up', remedy: `make room or raise the quota, and ${AGAIN}` },
  EFBIG: {
    what: 'larger than the system lets a file be',
    remedy: `raise the limit on file sizes (ulimit -f) or take another file system, and ${AGAIN}`,
  },
  EMFILE: { what: 'too many open files', remedy: `raise the limit (ulimit -n 4096), and ${AGAIN}` },
  ENFILE: { what: 'too many open files in the whole system', remedy: `end other programs, and ${AGAIN}` },
  EIO: { what: 'the disk reports an error', remedy: `check the disk and its cables or network, and ${AGAIN}` },
  EROFS: { what: 'the file system is read-only', remedy: `take another folder, or mount it for writing, and ${AGAIN}` },
};

const UNKNOWN = /Unknown system error -\d+|^UNKNOWN(: unknown error)?/g;

/** The system's name of an error; Node has none for some, of which a quota is one, and gives their number. */
function codeOf({ code, errno }: Partial<NodeJS.ErrnoException>): string | undefined {
  if (errno === undefined || code?.search(UNKNOWN) !== 0) return code;
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0];
}

/** The error of a refused write as a {@link WriteError}; any other as it is. @param bytes how many were to be written. */
export function explainWriteError(error: unknown, file: string, bytes?: number): unknown {
  const code = codeOf((error ?? {}) as NodeJS.ErrnoException);
  const known = code === undefined || error instanceof UserError ? undefined : CODES[code];
  if (!known) return error;
  const room = code === 'ENOSPC' ? roomText(file, bytes ?? copiedBytes(error as NodeJS.ErrnoException)) : '';
  const message = (error as Error).message.replaceAll(UNKNOWN, code!);
  const text = `${lastingPath(file)}: ${known.what}${room} (${message}). ${SAFE}; ${known.remedy}`;
  return new WriteError(text, code!, { cause: error });
}

/** Runs what writes a file, at once or later; an error of the system says more, see {@link WriteError}. @param bytes that are written. */
export function writing<T>(file: string, write: () => T, bytes?: number): T {
  const explained = (error: unknown): never => {
    throw explainWriteError(error, file, bytes);
  };
  try {
    const written = write();
    return written instanceof Promise ? (written.catch(explained) as T) : written;
  } catch (error) {
    return explained(error);
  }
}

/** Writes a text to a file that nobody reads before it is whole. @throws WriteError where the system refuses. */
export const writeText = (file: string, text: string): void =>
  writing(file, () => writeFileSync(file, text), Buffer.byteLength(text));

/** Bytes of the file that was to be copied, where a copy was refused. */
const copiedBytes = ({ syscall, path }: NodeJS.ErrnoException): number | undefined =>
  syscall === 'copyfile' && path !== undefined ? statSync(path, { throwIfNoEntry: false })?.size : undefined;

function roomText(file: string, bytes: number | undefined): string {
  const wanted = bytes === undefined ? [] : [`${bytes} bytes to write`];
  return `: ${[...wanted, `${freeBytes(dirname(file))} bytes free`].join(', ')}`;
}
