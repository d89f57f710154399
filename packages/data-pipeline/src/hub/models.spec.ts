import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FakeHub } from '../../testing/fake-hub.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { modelFolder, pinModel } from './fetch-model.js';
import { checkPush, pushModel } from './push-model.js';

const NAME = 'owner/small-model';
const LOCATION = `hf://${NAME}`;
const folder = temporaryFolder();
const environment = { ...process.env };
let hub: FakeHub;
let cacheNumber = 0;

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const FILES = {
  '.gitattributes': Buffer.from('*.safetensors filter=lfs'),
  'README.md': Buffer.from('---\nlicense: mit\n---\n'),
  'config.json': json({ model_type: 'llama' }),
  'generation_config.json': json({}),
  'tokenizer.json': json({ model: { vocab: {} } }),
  'tokenizer.model': Buffer.from('sentencepiece'),
  'onnx/model.onnx': Buffer.alloc(1000),
  'pytorch_model.bin': Buffer.alloc(1000),
};
const SHARDS = {
  'model-00001-of-00002.safetensors': Buffer.alloc(3000, 1),
  'model-00002-of-00002.safetensors': Buffer.alloc(2000, 2),
};
const INDEX = { weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } };

async function serve(files: Record<string, Buffer>): Promise<void> {
  hub = new FakeHub(NAME, files, 'model');
  process.env['HF_ENDPOINT'] = await hub.start();
}

beforeEach(() => {
  process.env['HF_HUB_CACHE'] = path.join(folder.path, `cache-${cacheNumber++}`);
  for (const name of ['HF_TOKEN', 'HF_HUB_OFFLINE']) delete process.env[name];
});

afterEach(async () => {
  process.env = { ...environment };
  await hub.stop();
});

const downloads = () => hub.requests.filter(({ path: name }) => name.includes('/resolve/'));

describe('modelFolder', () => {
  it('is the folder of a checkpoint as it is, and fetches what Lethe needs of one on the hub', async () => {
    await serve({ ...FILES, 'model.safetensors': Buffer.alloc(5000, 3) });
    expect(await modelFolder('runs/base/model')).toBe('runs/base/model');
    const told: string[] = [];
    const found = await modelFolder(LOCATION, { onFile: (file) => told.push(file) });
    expect(path.basename(found)).toBe(hub.commit);
    expect(found).toContain('models--owner--small-model');
    const wanted = [
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer.model',
    ];
    expect(readdirSync(found).sort()).toEqual(wanted);
    expect(told).toHaveLength(wanted.length);
    expect(readFileSync(path.join(found, 'model.safetensors'))).toEqual(Buffer.alloc(5000, 3));
    expect(await modelFolder(`${LOCATION}@main`)).toBe(found);
    expect(downloads()).toHaveLength(wanted.length);
  });

  it('fetches the shards that the index names, goes on with broken downloads, and works offline', async () => {
    await serve({
      ...FILES,
      ...SHARDS,
      'consolidated.safetensors': Buffer.alloc(9),
      'model.safetensors.index.json': json(INDEX),
    });
    hub.breakAfter = [...Array<number>(6).fill(1e6), 1000]; // the first shard comes seventh
    const found = await modelFolder(LOCATION);
    for (const [name, content] of Object.entries(SHARDS)) expect(readFileSync(path.join(found, name))).toEqual(content);
    expect(existsSync(path.join(found, 'consolidated.safetensors'))).toBe(false);
    process.env['HF_HUB_OFFLINE'] = '1';
    expect(await modelFolder(LOCATION)).toBe(found);
    rmSync(path.join(found, 'model-00002-of-00002.safetensors'));
    await expect(modelFolder(LOCATION)).rejects.toThrow(/index\.json names model-00002-of-00002\.safetensors/);
  });

  it('takes a folder inside, and the tokenizer without the weights', async () => {
    const inside = Object.fromEntries(Object.entries(FILES).map(([name, content]) => [`chat/${name}`, content]));
    await serve({ ...inside, 'chat/model.safetensors': Buffer.alloc(10) });
    expect(readdirSync(await modelFolder(`${LOCATION}/chat`, { weights: false }))).not.toContain('model.safetensors');
    expect(readdirSync(await modelFolder(`${LOCATION}/chat`))).toContain('model.safetensors');
    await expect(modelFolder(LOCATION)).rejects.toThrow(/expected a model, found no config\.json; the model has chat/);
  });

  it('refuses pickle, with the reason, before it downloads anything', async () => {
    await serve(FILES);
    await expect(modelFolder(LOCATION)).rejects.toThrow(
      /pickle only \(pytorch_model\.bin\).*can run code.*safetensors/,
    );
    expect(downloads()).toEqual([]);
  });

  it('says what is wrong with a name, a token, bytes', async () => {
    await serve({ ...FILES, 'model.safetensors': Buffer.alloc(5000, 3) });
    await expect(modelFolder('hf://datasets/owner/name')).rejects.toThrow(/expected hf:\/\/OWNER\/NAME/);
    await expect(modelFolder('hf://owner/other')).rejects.toThrow(/answered 404; check the name/);
    hub.token = 'hf_secret';
    await expect(modelFolder(LOCATION)).rejects.toThrow(/answered 401; it is private or gated: set HF_TOKEN/);
    process.env['HF_TOKEN'] = 'hf_secret';
    hub.isCorrupt = true;
    await expect(modelFolder(LOCATION)).rejects.toThrow(/expected bytes of hash/);
  });

  it('can be pinned to a commit', async () => {
    await serve({ ...FILES, 'model.safetensors': Buffer.alloc(10) });
    expect(await pinModel('runs/base/model')).toBe('runs/base/model');
    const pinned = await pinModel(LOCATION);
    expect(pinned).toBe(`${LOCATION}@${hub.commit}`);
    process.env['HF_HUB_OFFLINE'] = '1';
    expect(path.basename(await modelFolder(pinned))).toBe(hub.commit);
  });
});

describe('pushModel', () => {
  const model = path.join(folder.path, 'model');
  const push = { folder: model, name: NAME, title: 'Add the model' };

  beforeAll(() => {
    mkdirSync(model, { recursive: true });
    writeFileSync(path.join(model, 'config.json'), '{}');
    writeFileSync(path.join(model, 'model.safetensors'), Buffer.alloc(4000, 7));
  });

  beforeEach(() =>
    serve({ 'README.md': Buffer.from('theirs'), ...SHARDS, 'model.safetensors.index.json': json(INDEX) }),
  );

  it('needs a name, the network and a token that the hub knows', async () => {
    await expect(checkPush('name')).rejects.toThrow('--push name: expected OWNER/NAME');
    await expect(checkPush(NAME)).rejects.toThrow(/HF_TOKEN is not set; set it to a token that may write to owner/);
    hub.token = 'hf_secret';
    process.env['HF_TOKEN'] = 'hf_other';
    await expect(checkPush(NAME)).rejects.toThrow(/does not accept HF_TOKEN .*answered 401/);
    process.env['HF_TOKEN'] = 'hf_secret';
    await expect(checkPush(NAME)).resolves.toBeUndefined();
    process.env['HF_HUB_OFFLINE'] = '1';
    await expect(checkPush(NAME)).rejects.toThrow(/HF_HUB_OFFLINE is set/);
  });

  it('makes a private repository and commits once', async () => {
    process.env['HF_TOKEN'] = hub.token = 'hf_secret';
    for (const name of Object.keys(hub.files)) delete hub.files[name];
    hub.uploads.isThere = false;
    const { url, commit } = await pushModel(push);
    expect(url).toBe(`${process.env['HF_ENDPOINT']}/${NAME}`);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(hub.uploads.visibility).toBe('private');
    expect(hub.uploads.commits).toEqual(['Add the model']);
    expect(hub.files).toEqual({ 'config.json': Buffer.from('{}'), 'model.safetensors': Buffer.alloc(4000, 7) });
    hub.uploads.isThere = false;
    await pushModel({ ...push, isPublic: true });
    expect(hub.uploads.visibility).toBe('public');
  });

  it('replaces the weights of an earlier push, and keeps other files', async () => {
    process.env['HF_TOKEN'] = 'hf_secret';
    await pushModel(push);
    expect(Object.keys(hub.files).sort()).toEqual(['README.md', 'config.json', 'model.safetensors']);
  });

  it.each(['preupload', '/upload/', 'commit'])('commits nothing when %s fails', async (word) => {
    process.env['HF_TOKEN'] = 'hf_secret';
    const before = { ...hub.files };
    hub.uploads.refuse = { word, status: 403 };
    await expect(pushModel(push)).rejects.toThrow(/nothing was committed; .*the same command goes on from there .*403/);
    expect(hub.files).toEqual(before);
    expect(hub.uploads.commits).toEqual([]);
  });
});
