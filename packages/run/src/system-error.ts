import { plainLine, shortened } from './plain-text.js';
import { lastingPath } from './temporary-path.js';
import { UserError } from './user-error.js';

/** What the system's codes mean for who named a file or folder, and what to do. */
const CODES: Record<string, string> = {
  ENOENT: 'there is no such file or folder; check the path',
  ENOTDIR: 'a part of the path is a file where a folder is expected; check the path',
  EISDIR: 'expected a file, received a folder; name a file in it',
  EACCES: 'the system does not permit it; check who owns the file or folder, and its mode',
  EPERM: 'the system does not permit it; check who owns the file or folder, and its mode',
  EEXIST: 'it is there already; take another name, or remove it',
  ENOTEMPTY: 'the folder is not empty; take another name, or remove it',
  ENAMETOOLONG: 'the path is longer than the system allows; shorten it',
  EIO: 'the system cannot read it; name an ordinary file, or check the disk',
  ELOOP: 'its links lead in a circle; name the file or folder itself',
};

const NUL_PATH = 'a path cannot hold a NUL character; remove it';

/** Node names neither the file nor the remedy where a path holds a NUL character. */
const isNulPath = ({ code, message }: Partial<NodeJS.ErrnoException>): boolean =>
  code === 'ERR_INVALID_ARG_VALUE' && message?.includes('null bytes') === true;

/** What a code means; a folder that cannot be made because of what has its name is a case of its own. */
const meaning = ({ code, syscall }: NodeJS.ErrnoException): string | undefined =>
  code === 'EEXIST' && syscall === 'mkdir'
    ? 'expected a folder, found something else of that name; take another name'
    : CODES[code ?? ''];

/** Why a file could not be read, and the remedy: of what the system refuses, and of JSON that is none. */
export function readingProblem(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException;
  if (error.name === 'SyntaxError')
    return `expected JSON (${plainLine(error.message, 100)}); the file is cut off, damaged or another: write it anew`;
  if (isNulPath(error)) return NUL_PATH;
  const what = meaning(error);
  return what === undefined ? error.message : `${what} (${error.code})`;
}

/** The error of a path that the system refuses, in the user's words; any other as it is. */
export function explainSystemError(error: unknown): unknown {
  const told = (error ?? {}) as NodeJS.ErrnoException;
  const { code, path, syscall } = told;
  if (isNulPath(told))
    return new UserError(`${/Received '(.*)'/s.exec(told.message)?.[1] ?? 'a path'}: ${NUL_PATH}`, { cause: error });
  const what = code === undefined || syscall === undefined || path === undefined ? undefined : meaning(error as Error);
  if (what === undefined || error instanceof UserError) return error;
  const message =
    path === '' ? 'an empty path; name a file or folder' : `${shortened(lastingPath(path!), 150)}: ${what}`;
  return new UserError(`${message} (${code})`, { cause: error });
}
