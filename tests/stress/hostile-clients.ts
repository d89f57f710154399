import { connect } from 'node:net';
import type { Random } from '@lethe/run';

/** What a client does that means no good, on a connection of its own: what it writes, and whether it waits for an answer. */
interface Attack {
  name: string;
  bytes(random: Random): Buffer | string;
  /** Hangs up after so many milliseconds; without, when the server does. */
  leavesAfter?: number;
}

const post = (path: string, body: string, length = Buffer.byteLength(body)): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`;
const completion = (body: object): string => post('/v1/completions', JSON.stringify(body));
const noise = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random.int(256)));

/** The kinds of attacks; all bounded, so that many can run beside each other. */
export const ATTACKS: Attack[] = [
  { name: 'bytes that are no HTTP', bytes: (random) => noise(random, 2000) },
  { name: 'headers that never end', bytes: () => `GET /health HTTP/1.1\r\nx: ${'a'.repeat(500)}\r\n`, leavesAfter: 3000 },
  { name: 'a body that never comes', bytes: () => post('/v1/completions', '{"prompt": "a', 1000), leavesAfter: 3000 },
  { name: 'a length beyond the limit', bytes: () => post('/v1/completions', '{}', 2 ** 40) },
  { name: 'two lengths', bytes: () => 'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}' },
  { name: 'a body deep in lists', bytes: () => post('/v1/completions', `{"prompt": ${'['.repeat(50_000)}`) },
  { name: 'a prompt of megabytes', bytes: () => completion({ prompt: 'long '.repeat(400_000), max_tokens: 1 }) },
  { name: 'text that merges slowly', bytes: () => completion({ prompt: 'a'.repeat(30_000), max_tokens: 1 }) },
  { name: 'thousands of choices', bytes: () => completion({ prompt: 'a', n: 100_000, max_tokens: 500 }) },
  { name: 'thousands of prompts', bytes: () => completion({ prompt: Array(20_000).fill('a'), max_tokens: 1 }) },
  { name: 'values of other types', bytes: () => completion({ prompt: { a: 1 }, max_tokens: 'x', stop: [1], seed: {} }) },
  { name: 'half of a JSON body', bytes: () => post('/v1/chat/completions', '{"messages": [{"role": "user"') },
  { name: 'control characters', bytes: () => completion({ prompt: '\u001b[2J\u0000\u202e', model: '\u001b[31m' }) },
  { name: 'a stream that is left', bytes: () => completion({ prompt: 'Once', max_tokens: 400, stream: true }), leavesAfter: 150 },
  { name: 'a stream that is not read', bytes: () => completion({ prompt: 'Once', max_tokens: 400, stream: true, logprobs: 20 }), leavesAfter: 4000 },
  { name: 'a connection that says nothing', bytes: () => '', leavesAfter: 2000 },
  { name: 'another host’s name', bytes: () => 'GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n\r\n', leavesAfter: 1000 },
  { name: 'a path without end', bytes: () => `GET /${'a/'.repeat(7000)} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n` },
]; // prettier-ignore

/** Runs one attack to its end. Resolves also where the server ends the connection. */
export function attack(url: string, { bytes, leavesAfter }: Attack, random: Random): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((done) => {
    const socket = connect(Number(port), hostname);
    const end = (): void => {
      socket.destroy();
      done();
    };
    socket.on('error', end).on('close', end);
    if (leavesAfter === undefined) socket.resume();
    socket.setTimeout(leavesAfter ?? 60_000, end);
    if (leavesAfter !== undefined) setTimeout(end, leavesAfter);
    socket.write(bytes(random));
  });
}
