import { createHash } from 'node:crypto';

interface Request {
  method: string;
  path: string;
  body: Buffer;
}

type CommitLine =
  | { key: 'header'; value: { summary: string } }
  | { key: 'file'; value: { path: string; content: string } }
  | { key: 'lfsFile'; value: { path: string; oid: string } }
  | { key: 'deletedFile'; value: { path: string } };

/** The half of a fake hub that takes a model: repository, large files by hash, then one commit. */
export class FakeUploads {
  /** Whether the repository exists. */
  isThere = true;
  visibility: string | undefined;
  /** Titles of the commits that were made. */
  readonly commits: string[] = [];
  /** Status with which the next request whose path holds the word is refused. */
  refuse: { word: string; status: number } | undefined;
  private readonly large = new Map<string, Buffer>();

  constructor(
    private readonly name: string,
    private readonly files: Record<string, Buffer>,
  ) {}

  /** The answer to a request of a push; undefined for other requests. */
  answer({ method, path, body }: Request, address: string): { status?: number; value: unknown } | undefined {
    if (this.refuse && path.includes(this.refuse.word))
      return { status: this.refuse.status, value: { error: 'refused' } };
    const text = method === 'POST' ? body.toString('utf8') : '';
    if (path === '/api/whoami-v2')
      return { value: { type: 'user', id: '1', name: 'owner', auth: { type: 'access_token' } } };
    if (path === '/api/repos/create') {
      this.isThere = true;
      this.visibility = (JSON.parse(text) as { visibility: string }).visibility;
      return { value: { url: `${address}/${this.name}`, id: this.name } };
    }
    if (path === `/api/models/${this.name}/preupload/main`) {
      const { files } = JSON.parse(text) as { files: { path: string }[] };
      const mode = (name: string) => (name.endsWith('.safetensors') ? 'lfs' : 'regular');
      return { value: { files: files.map((file) => ({ path: file.path, uploadMode: mode(file.path) })) } };
    }
    if (path === `/${this.name}.git/info/lfs/objects/batch`) {
      const { objects } = JSON.parse(text) as { objects: { oid: string; size: number }[] };
      const upload = (oid: string) => ({ actions: { upload: { href: `${address}/upload/${oid}` } } });
      return { value: { transfer: 'basic', objects: objects.map((one) => ({ ...one, ...upload(one.oid) })) } };
    }
    if (method === 'PUT') {
      const hash = createHash('sha256').update(body).digest('hex');
      if (path !== `/upload/${hash}`) return { status: 400, value: {} };
      this.large.set(hash, body);
      return { value: {} };
    }
    return path === `/api/models/${this.name}/commit/main` ? this.commit(text) : undefined;
  }

  private commit(text: string): { status?: number; value: unknown } {
    for (const line of text.split('\n').map((one) => JSON.parse(one) as CommitLine)) {
      if (line.key === 'header') this.commits.push(line.value.summary);
      else if (line.key === 'file') this.files[line.value.path] = Buffer.from(line.value.content, 'base64');
      else if (line.key === 'lfsFile') this.files[line.value.path] = this.large.get(line.value.oid)!;
      else delete this.files[line.value.path];
    }
    return { value: { commitOid: 'ab'.repeat(20), commitUrl: '' } };
  }
}
