import { existsSync, lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FakeHub } from '../../testing/fake-hub.js';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { writeParquet } from '../../testing/write-parquet.js';
import { documentText } from '../documents/document.js';
import { readDocuments } from '../documents/read-documents.js';
import { prepare } from '../prepare/prepare.js';
import { fetchDataset } from './fetch-dataset.js';
import { hubCacheFolder } from './hub-cache.js';
import { hubDatasetOf, parseHubLocation } from './hub-location.js';

const NAME = 'owner/small-set';
const SOURCE = `hf://datasets/${NAME}`;
const folder = temporaryFolder();
const at = (...names: string[]) => path.join(folder.path, ...names);
const environment = { ...process.env };
let hub: FakeHub;
let cacheNumber = 0;

beforeAll(async () => {
  await writeParquet(at('data.parquet'), `SELECT 'row ' || i AS text FROM range(5000) t(i)`);
});

beforeEach(async () => {
  hub = new FakeHub(NAME, {
    'README.md': Buffer.from('# card'),
    'dataset_infos.json': Buffer.from('{}'),
    'data/train-0.parquet': readFileSync(at('data.parquet')),
    'extra/more rows.jsonl': Buffer.from('{"text": "more"}\n'),
  });
  process.env['HF_ENDPOINT'] = await hub.start();
  process.env['HF_HUB_CACHE'] = at(`cache-${cacheNumber++}`);
  delete process.env['HF_TOKEN'];
  delete process.env['HF_HUB_OFFLINE'];
});

afterEach(async () => {
  process.env = { ...environment };
  await hub.stop();
});

const downloads = () => hub.requests.filter(({ path: name }) => name.includes('/resolve/'));
const relative = (files: string[]) => files.map((file) => file.slice(file.indexOf('snapshots/') + 'snapshots/'.length));

describe('hf:// locations', () => {
  it.each([
    ['hf://datasets/a/b', { name: 'a/b', revision: 'main', path: '' }],
    ['hf://datasets/a/b@v1/data/*.parquet', { name: 'a/b', revision: 'v1', path: 'data/*.parquet' }],
    ['hf://datasets/a/b@refs%2Fpr%2F1', { name: 'a/b', revision: 'refs/pr/1', path: '' }],
  ])('%s', (source, expected) => expect(parseHubLocation(source, 'dataset')).toEqual({ kind: 'dataset', ...expected }));

  it('refuse other forms', () => {
    expect(() => parseHubLocation('hf://owner/name', 'dataset')).toThrow(/expected hf:\/\/datasets\/OWNER\/NAME/);
  });

  it('lie where other Hugging Face libraries keep them', () => {
    expect(hubCacheFolder({ HF_HUB_CACHE: '/c' })).toBe('/c');
    expect(hubCacheFolder({ HF_HOME: '/h' })).toBe('/h/hub');
    expect(hubCacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/huggingface/hub');
  });
});

describe('fetchDataset', () => {
  it('downloads data files once, into the standard layout', async () => {
    const files = await fetchDataset(SOURCE);
    expect(relative(files)).toEqual([`${hub.commit}/data/train-0.parquet`, `${hub.commit}/extra/more rows.jsonl`]);
    const root = path.join(process.env['HF_HUB_CACHE']!, 'datasets--owner--small-set');
    expect(readFileSync(path.join(root, 'refs/main'), 'utf8')).toBe(hub.commit);
    expect(lstatSync(files[0]!).isSymbolicLink()).toBe(true);
    expect(files.map(hubDatasetOf)).toEqual([NAME, NAME]);
    expect(hubDatasetOf(at('data.parquet'))).toBeUndefined();
    expect(readFileSync(files[0]!)).toEqual(readFileSync(at('data.parquet')));
    expect(await fetchDataset(SOURCE)).toEqual(files);
    expect(downloads()).toHaveLength(2);
  });

  it('takes a file, a folder or a glob', async () => {
    expect(relative(await fetchDataset(`${SOURCE}/README.md`))).toEqual([`${hub.commit}/README.md`]);
    expect(relative(await fetchDataset(`${SOURCE}/data`))).toEqual([`${hub.commit}/data/train-0.parquet`]);
    expect(relative(await fetchDataset(`${SOURCE}@main/**/*.jsonl`))).toEqual([`${hub.commit}/extra/more rows.jsonl`]);
    await expect(fetchDataset(`${SOURCE}/nothing`)).rejects.toThrow(
      /no data file matches; the data set has README\.md/,
    );
  });

  it('goes on with downloads that broke off', async () => {
    hub.breakAfter = [5000, 3000];
    const [file] = await fetchDataset(`${SOURCE}/data`);
    expect(readFileSync(file!)).toEqual(readFileSync(at('data.parquet')));
    expect(downloads().map(({ range }) => range)).toEqual([undefined, 'bytes=5000-', 'bytes=8000-']);
    hub.breakAfter = [5, 5, 5];
    await expect(fetchDataset(`${SOURCE}/README.md`)).resolves.toHaveLength(1);
  });

  it('keeps what it has when the connection is lost for good', async () => {
    hub.breakAfter = [4000, 0, 0];
    await expect(fetchDataset(`${SOURCE}/data`)).rejects.toThrow(/broke off 3 times: .*the same command goes on/);
    await fetchDataset(`${SOURCE}/data`);
    expect(downloads().at(-1)?.range).toBe('bytes=4000-');
  });

  it('takes an empty file as it is', async () => {
    const empty = new FakeHub(NAME, { 'data/empty.jsonl': Buffer.alloc(0), 'data/more.jsonl': Buffer.from('{}') });
    process.env['HF_ENDPOINT'] = await empty.start();
    for (let i = 0; i < 2; i++) {
      const files = await fetchDataset(`${SOURCE}/data`);
      expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(['', '{}']);
    }
    await empty.stop();
  });

  it('refuses bytes of another hash', async () => {
    hub.isCorrupt = true;
    await expect(fetchDataset(`${SOURCE}/data`)).rejects.toThrow(/expected bytes of hash [0-9a-f]{64}, received/);
    await expect(fetchDataset(`${SOURCE}/extra`)).rejects.toThrow(/expected bytes of hash [0-9a-f]{40}, received/);
    hub.isCorrupt = false;
    expect(await fetchDataset(SOURCE)).toHaveLength(2);
  });

  it('sends the token of the environment, and says when one is needed', async () => {
    hub.token = 'hf_secret';
    const refused = await fetchDataset(SOURCE).catch((error: Error) => error.message);
    expect(refused).toMatch(/the hub answered 401; it is private or gated: set HF_TOKEN/);
    process.env['HF_TOKEN'] = 'hf_secret';
    expect(await fetchDataset(SOURCE)).toHaveLength(2);
    await expect(fetchDataset('hf://datasets/owner/other')).rejects.toThrow(/the hub answered 404; check the name/);
  });

  it('works offline from the cache, or names it', async () => {
    const files = await fetchDataset(SOURCE);
    process.env['HF_HUB_OFFLINE'] = '1';
    expect(await fetchDataset(SOURCE)).toEqual(files);
    delete process.env['HF_HUB_OFFLINE'];
    await hub.stop();
    expect(await fetchDataset(SOURCE)).toEqual(files);
    await expect(fetchDataset('hf://datasets/owner/absent')).rejects.toThrow(
      /cannot be reached \(.*\), and .*datasets--owner--absent holds no such files; download them/,
    );
  });
});

describe('sources on the hub', () => {
  it('are read and prepared like files', async () => {
    const texts: string[] = [];
    for await (const document of readDocuments([`${SOURCE}/extra`])) texts.push(documentText(document));
    expect(texts).toEqual(['more']);
    const tokenizer = await smallTokenizer(at('tokenizer'));
    const options = { sources: [{ path: SOURCE }], out: at('out'), tokenizer, heldOut: { fraction: 0 } };
    const { report } = await prepare(options);
    expect(report.splits.train.documents).toBe(5001);
    expect((await prepare(options)).isSkipped).toBe(true);
    expect(existsSync(at('out/train/index.json'))).toBe(true);
  });
});
