import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import { escapeHtml, htmlPage, pageScript } from '../charts/html.js';
import { readRuns } from './read-runs.js';
import { runPage } from './run-page.js';

/** Only this machine is served. */
const LOOPBACK = '127.0.0.1';
/** Nothing but what the page itself holds: its style, its pictures, and its one script, by its hash. */
const policy = (): string =>
  `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${createHash('sha256').update(pageScript()).digest('base64')}'`;
/** Seconds after which a browser asks again while a run goes on. */
const REFRESH = 5;

/** A page of what a folder holds now; `isFinal` where it will not change. */
export interface LivePage {
  html: string;
  isFinal: boolean;
}

/**
 * The page of a folder: of a run, of a folder of runs, or of a repair, whose own page is taken once it is there. A folder that
 * holds nothing yet gives a page that says so.
 */
export function livePage(folder: string): LivePage {
  const finished = join(folder, 'report.html');
  if (existsSync(finished)) return { html: readFileSync(finished, 'utf8'), isFinal: true };
  const inside = join(folder, 'runs');
  try {
    const html = runPage(readRuns([existsSync(join(folder, 'request.json')) && existsSync(inside) ? inside : folder]));
    return { html, isFinal: false };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const body = `<p>${escapeHtml(error.message)}</p><p>This page looks again every ${REFRESH} seconds.</p>`;
    return { html: htmlPage('Nothing to show yet', body), isFinal: false };
  }
}

function answer(folder: string, response: ServerResponse): void {
  try {
    const { html, isFinal } = livePage(folder);
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy(),
      ...(!isFinal && { refresh: String(REFRESH) }),
    });
    response.end(html);
  } catch (error) {
    // A file that is being written: the next look finds it whole.
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8', refresh: String(REFRESH) });
    response.end(`${(error as Error).message}\n`);
  }
}

/**
 * Serves the page of a folder, made anew at each request, on this machine only: other hosts' names are refused, so that no web
 * page reads it.
 * @param port 0 takes a free one.
 * @returns the server, listening, and its address. @throws the system's error where the port is taken.
 */
export async function serveLivePage(folder: string, port: number): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const host = request.headers.host?.replace(/:\d+$/, '');
    const isOwn = host === LOOPBACK || host === 'localhost';
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isOwn && isRead && request.url === '/') answer(folder, response);
    else response.writeHead(!isOwn ? 403 : isRead ? 404 : 405).end();
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, LOOPBACK, listening);
  });
  const address = server.address() as { port: number };
  return { server, url: `http://${LOOPBACK}:${address.port}/` };
}
