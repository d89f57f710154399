import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveLivePage } from './live-page.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-live-'));
let live: Awaited<ReturnType<typeof serveLivePage>>;
beforeAll(async () => (live = await serveLivePage(folder, 0)));
afterAll(async () => {
  await new Promise((closed) => live.server.close(closed));
  rmSync(folder, { recursive: true });
});

/** Status, headers and text of an answer. */
function ask(options: { host?: string; method?: string; path?: string } = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((found, failed) => {
    const { host, method = 'GET', path = '/' } = options;
    const sent = request(new URL(path, live.url), { method, agent: false, headers: host ? { host } : {} }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += String(part)));
      answer.on('end', () => found({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    sent.on('error', failed).end();
  });
}

describe('the page of a run that goes on', () => {
  it('says that there is nothing yet, and is looked at again', async () => {
    const { status, headers, text } = await ask();
    expect(status).toBe(200);
    expect(text).toContain('neither a run nor a folder of runs');
    expect(headers).toMatchObject({ refresh: '5', 'cache-control': 'no-store' });
  });

  it('is the page of the repair once that is there, and rests', async () => {
    writeFileSync(join(folder, 'report.html'), '<h1>Repaired</h1>');
    const { headers, text } = await ask();
    expect(text).toBe('<h1>Repaired</h1>');
    expect(headers['refresh']).toBeUndefined();
  });

  it.each([
    ['another host', { host: 'example.org' }, 403],
    ['another path', { path: '/etc' }, 404],
    ['another method', { method: 'POST' }, 405],
  ])('refuses %s', async (_what, options, status) => expect((await ask(options)).status).toBe(status));

  it('is served on the loopback address', () => expect(live.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/));
});
