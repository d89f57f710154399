import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { UserError } from '@lethe/run';
import { ApiError } from './api-error.js';

/** Who may use the server. */
export interface Access {
  /** The address it listens on. */
  host: string;
  /** Absent: anyone who can reach it. */
  apiKey?: string;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** @throws UserError for an address that others can reach, without a key and without saying so. */
export function checkAccess({ host, apiKey }: Access, allowsNoKey: boolean): void {
  if (apiKey === '') throw new UserError('--api-key: expected a key, received an empty one');
  if (isLoopback(host) || apiKey !== undefined || allowsNoKey) return;
  throw new UserError(
    `--host ${host} can be reached from other machines: set LETHE_API_KEY (or --api-key), ` +
      'or say --no-api-key to serve everyone who can reach it',
  );
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Checks the headers of a request to an endpoint that computes.
 * @throws ApiError 401 for a missing or wrong key; 403 for a name that a web page has made to point to this machine.
 */
export function authorize({ host, apiKey }: Access, headers: { authorization?: string; host?: string }): void {
  if (apiKey !== undefined) {
    const [, given] = /^Bearer\s+(.+?)\s*$/i.exec(headers.authorization ?? '') ?? [];
    // Digests are of one length, and compared in a time that tells nothing.
    if (given !== undefined && timingSafeEqual(digest(given), digest(apiKey))) return;
    const expected = 'expected the header "authorization: Bearer KEY" with the key of this server';
    throw new ApiError(401, `${expected}, received ${given === undefined ? 'none' : 'another key'}`, {
      code: 'invalid_api_key',
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  if (!isLoopback(host) || headers.host === undefined) return;
  const name = headers.host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (isLoopback(name)) return;
  throw new ApiError(403, `expected the host localhost, 127.0.0.1 or [::1], received ${headers.host}; or set a key`, {
    code: 'forbidden_host',
  });
}
