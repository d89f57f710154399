import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeUploads } from './fake-uploads.js';

/** A hub on 127.0.0.1 with one data set or model, as far as it is needed to list, download and push it. */
export class FakeHub {
  readonly requests: { method: string; path: string; range: string | undefined }[] = [];
  /** Bytes after which the next downloads break off, one entry a download. */
  breakAfter: number[] = [];
  /** Sends other bytes than it lists. */
  isCorrupt = false;
  token: string | undefined;
  commit = 'c0ffee'.padEnd(40, '0');
  /** What is pushed to it. */
  readonly uploads: FakeUploads;
  private server: Server | undefined;
  private address = '';

  constructor(
    private readonly name: string,
    readonly files: Record<string, Buffer>,
    private readonly kind: 'dataset' | 'model' = 'dataset',
  ) {
    this.uploads = new FakeUploads(name, files);
  }

  /** Starts listening; the base address. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => void this.answer(request, response));
    await new Promise<void>((resolve) => void this.server!.listen(0, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this.address;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => void this.server?.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url!, 'http://hub').pathname);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.requests.push({ method: request.method!, path, range: request.headers.range });
    const isUpload = path.startsWith('/upload/'); // its address is the permission
    if (!isUpload && this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      return void response.writeHead(401).end();
    }
    const pushed = this.uploads.answer({ method: request.method!, path, body: Buffer.concat(chunks) }, this.address);
    if (pushed) return this.json(response, pushed.value, pushed.status);
    const api = `/api/${this.kind}s/${this.name}`;
    const isThere = this.uploads.isThere;
    if (isThere && /^\/revision\/[^/]+$/.test(path.slice(api.length)) && path.startsWith(api))
      return this.json(response, { id: this.name, sha: this.commit });
    if (isThere && path === api) return this.json(response, { id: this.name });
    if (isThere && [`${api}/tree/${this.commit}`, `${api}/tree/main`].includes(path))
      return this.json(response, this.listing());
    const folder = `${this.kind === 'dataset' ? '/datasets' : ''}/${this.name}/resolve/${this.commit}/`;
    const content = this.files[path.replace(folder, '')];
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
      if (!/\.(parquet|safetensors)$/.test(path)) return entry;
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { ...entry, lfs: { oid: sha256, size: content.length, pointerSize: 130 } };
    });
  }

  private json(response: ServerResponse, value: unknown, status = 200): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
}
