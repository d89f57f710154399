import { shortened } from './plain-text.js';
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
  ELOOP: 'its links lead in a circle; name the file or folder itself',
};

/** The error of a path that the system refuses, in the user's words; any other as it is. */
export function explainSystemError(error: unknown): unknown {
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const what = code === undefined || syscall === undefined || path === undefined ? undefined : CODES[code];
  if (what === undefined || error instanceof UserError) return error;
  const message = path === '' ? 'an empty path; name a file or folder' : `${shortened(path!, 150)}: ${what}`;
  return new UserError(`${message} (${code})`, { cause: error });
}
