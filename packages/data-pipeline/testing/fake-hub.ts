import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A hub on 127.0.0.1 with one data set, as far as it is needed to list and download it. */
export class FakeHub {
  readonly requests: { path: string; range: string | undefined }[] = [];
  /** Bytes after which the next downloads break off, one entry a download. */
  breakAfter: number[] = [];
  /** Sends other bytes than it lists. */
  isCorrupt = false;
  token: string | undefined;
  commit = 'c0ffee'.padEnd(40, '0');
  private server: Server | undefined;

  constructor(
    private readonly name: string,
    private readonly files: Record<string, Buffer>,
  ) {}

  /** Starts listening; the base address. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>((resolve) => void this.server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => void this.server?.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url!, 'http://hub').pathname);
    this.requests.push({ path, range: request.headers.range });
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      return void response.writeHead(401).end();
    }
    if (path === `/api/datasets/${this.name}/revision/main`)
      return this.json(response, { id: this.name, sha: this.commit });
    if (path === `/api/datasets/${this.name}/tree/${this.commit}`) return this.json(response, this.listing());
    const content = this.files[path.replace(`/datasets/${this.name}/resolve/${this.commit}/`, '')];
    if (!content) return void response.writeHead(404).end();
    this.send(response, this.isCorrupt ? Buffer.alloc(content.length) : content, request.headers.range);
  }

  private send(response: ServerResponse, content: Buffer, range: string | undefined): void {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range ? 206 : 200, { 'content-length': content.length - from });
    const limit = this.breakAfter.shift();
    if (limit === undefined) response.end(content.subarray(from));
    else response.write(content.subarray(from, from + limit), () => setTimeout(() => response.destroy(), 50));
  }

  private listing(): object[] {
    return Object.entries(this.files).map(([path, content]) => {
      const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
      const entry = { type: 'file', path, size: content.length, oid };
      if (!path.endsWith('.parquet')) return entry;
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { ...entry, lfs: { oid: sha256, size: content.length, pointerSize: 130 } };
    });
  }

  private json(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
}
