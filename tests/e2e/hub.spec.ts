import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FakeHub } from '../../packages/data-pipeline/testing/fake-hub.js';
import { jsonl, letheHere, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const NAME = 'owner/tiny';
const LOCATION = `hf://${NAME}`;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const environment = { ...process.env };
let hub: FakeHub;

async function here(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await letheHere(folder, ...args);
  if (code !== 0) throw new Error(`lethe ${args.join(' ')}\n${stderr}`);
  return stdout + stderr;
}

const filesOf = (model: string): Record<string, Buffer> =>
  Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))]));

beforeAll(async () => {
  await pretrainProject(folder);
  const card = Buffer.from('---\nlicense: apache-2.0\n---\n# Tiny\n');
  hub = new FakeHub(
    NAME,
    { ...filesOf(at('runs/base/model')), 'README.md': card, 'pytorch_model.bin': Buffer.alloc(10) },
    'model',
  );
  process.env['HF_ENDPOINT'] = await hub.start();
  process.env['HF_HUB_CACHE'] = at('cache');
  for (const name of ['HF_TOKEN', 'HF_HUB_OFFLINE']) delete process.env[name];
}, 180_000);

afterAll(async () => {
  process.env = environment;
  await hub?.stop();
});

describe('a model of the hub in place of a folder', () => {
  it.each([
    ['generate', undefined, ['--prompt', 'The river', '--max-new-tokens', '5', '--model']],
    [
      'diagnose',
      'diagnosis/diagnosis.json',
      ['--data', 'natural/heldout', '--out', 'diagnosis', '--model', 'runs/base/model', '--base'],
    ],
    [
      'eval',
      'results.json',
      ['--set', 'tasks=[{kind: perplexity, name: text, shards: natural/heldout}]', '--out', 'results.json', '--model'],
    ],
    ['score', 'scores.jsonl', ['--in', 'natural.jsonl', '--out', 'scores.jsonl', '--model']],
    ['prepare', 'again/train/index.json', ['natural.jsonl', '--out', 'again', '--force', '--tokenizer']],
  ])('%s', async (command, file, args) => {
    const resultOf = async (model: string): Promise<string> => {
      const { code, stdout } = await letheHere(folder, command, ...args, model);
      expect(code).toBe(0);
      return (file === undefined ? stdout : readFileSync(at(file), 'utf8')).replaceAll(model, 'runs/base/model');
    };
    expect(await resultOf(LOCATION)).toBe(await resultOf('runs/base/model'));
  });

  it('unlearn: the manifest names the commit, and the finished run is known offline', async () => {
    const args = ['unlearn', '--recipe', 'unlearn.yaml', '--set', `model.init=${LOCATION}`];
    expect(await here(...args, '--dry-run')).toMatch(/parameters: [\d,]+\n/);
    await here(...args);
    const manifest = JSON.parse(readFileSync(at('runs/unlearn/manifest.json'), 'utf8')) as {
      recipe: { model: { init: string } };
    };
    expect(manifest.recipe.model.init).toBe(`${LOCATION}@${hub.commit}`);
    process.env['HF_HUB_OFFLINE'] = '1';
    expect(await here(...args)).toContain('runs/unlearn is finished (20 steps); nothing to do');
    delete process.env['HF_HUB_OFFLINE'];
  });
});

describe('the model card', () => {
  it('comes from the runs: lineage, recipe, data, losses, evaluation, versions', async () => {
    const recipe = [
      'name: chat',
      'stage: finetune',
      'model: { init: runs/unlearn/model }',
      'data:',
      '  rowLength: 64',
      '  replay: [{ shards: synthetic/train }]',
      'batch: { replayRows: 4 }',
      'steps: 3',
      '',
    ];
    writeFileSync(at('chat.yaml'), recipe.join('\n'));
    await here('finetune', '--recipe', 'chat.yaml');
    await here(
      'eval',
      '--set',
      'tasks=[{kind: perplexity, name: natural text, shards: natural/heldout}]',
      '--model',
      'runs/chat/model',
    );
    await here('export', '--model', 'runs/chat/model', '--out', 'chat', '--dtype', 'bfloat16');
    const card = readFileSync(at('chat/README.md'), 'utf8');
    expect(parse(card.split('---\n')[1]!)).toEqual({
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      base_model: NAME,
      base_model_relation: 'finetune',
      tags: ['lethe', 'unlearn', 'finetune'],
    });
    expect(card).toContain(
      `| unlearn | unlearn | [${NAME}](https://huggingface.co/${NAME}) at ${hub.commit} | 20 of 20 |`,
    );
    expect(card).toMatch(/\| chat \| finetune \| unlearn \| 3 of 3 \| \d{4}-\d\d-\d\d \|/);
    const index = readFileSync(at('synthetic/train/index.json'));
    const { documents, tokens } = JSON.parse(index.toString()) as { documents: number; tokens: number };
    const sha256 = createHash('sha256').update(index).digest('hex');
    const data = `synthetic/train | synthetic.jsonl | ${documents} | ${tokens.toLocaleString('en')} | ${sha256} |`;
    expect(card).toContain(`| unlearn | forget | ${data}`);
    expect(card).toContain(`| chat | replay | ${data}`);
    const losses = jsonl<{ forgetting: number }>(folder, 'runs/unlearn/metrics.jsonl').map(
      ({ forgetting }) => forgetting,
    );
    expect(card).toContain(
      `| unlearn | forgetting | ${losses[0]!.toPrecision(4)} (step 1) | ${losses.at(-1)!.toPrecision(4)} (step 20) |`,
    );
    expect(card).toMatch(/\| natural text \| perplexity \| \d+\.\d\d \| \d+ tokens \|/);
    expect(card).toMatch(/\| lethe \| \d+\.\d+\.\d+ \|/);
    expect(card).toContain('as bfloat16');
    expect(card).not.toContain(folder);
    expect(readFileSync(at('chat/SOURCE-README.md'), 'utf8')).toContain('# Tiny');
    for (const name of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'])
      expect(existsSync(at('chat', name))).toBe(true);
  });

  it('of fresh weights names no source; of a checkpoint that no run made, nothing but it', async () => {
    await here('export', '--model', 'runs/base/model', '--out', 'base');
    expect(readFileSync(at('base/README.md'), 'utf8')).toMatch(/\| base \| pretrain \| fresh weights \| 30 of 30 \|/);
    expect(existsSync(at('base/SOURCE-README.md'))).toBe(false);
    await here('export', '--model', LOCATION, '--out', 'plain');
    const card = readFileSync(at('plain/README.md'), 'utf8');
    expect(card).toContain(`From [${NAME}](https://huggingface.co/${NAME})`);
    expect(card).toContain('\n# tiny\n');
    expect(card).not.toContain('## Recipe');
  });
});

describe('export into a folder that is there', () => {
  const command = (...more: string[]): string[] => ['export', '--model', 'runs/base/model', '--out', 'twice', ...more];
  const refusal = async (...more: string[]): Promise<string> => {
    const { code, stderr } = await letheHere(folder, ...command(...more));
    expect([code, readdirSync(folder).filter((name) => name.startsWith('.twice'))]).toEqual([1, []]);
    return stderr;
  };

  it('is done where it holds what would be written, as after an end behind its last change', async () => {
    expect(await here(...command())).toContain('runs/base/model written to twice as float32');
    const before = filesOf(at('twice'));
    expect(await here(...command())).toContain('runs/base/model is whole already in twice as float32');
    expect(filesOf(at('twice'))).toEqual(before);
  });

  it('is refused where it holds another model, a damaged one, or none', async () => {
    expect(await refusal('--dtype', 'bfloat16')).toBe(
      'lethe: twice exists and is another export: this command writes another config.json; choose another folder, or remove it\n',
    );
    const weights = readFileSync(at('twice/model.safetensors'));
    weights[weights.length - 1] ^= 1;
    writeFileSync(at('twice/model.safetensors'), weights);
    expect(await refusal()).toMatch(
      /^lethe: twice.model\.safetensors: was changed after it was written: .* restore it/,
    );
    rmSync(at('twice/SHA256SUMS'));
    expect(await refusal()).toMatch(
      /^lethe: twice exists and has no SHA256SUMS, .*; choose another folder, or remove it$/m,
    );
  });
});

describe('export --push', () => {
  it('needs a token before it does anything', async () => {
    const { code, stderr } = await letheHere(
      folder,
      'export',
      '--model',
      'runs/base/model',
      '--out',
      'pushed',
      '--push',
      'owner/new',
    );
    expect(code).toBe(1);
    expect(stderr).toBe('lethe: --push owner/new: HF_TOKEN is not set; set it to a token that may write to owner\n');
    expect(existsSync(at('pushed'))).toBe(false);
  });

  it('pushes what the folder holds, and the pushed model does what the folder does', async () => {
    const target = new FakeHub('owner/new', {}, 'model');
    target.uploads.isThere = false;
    process.env['HF_ENDPOINT'] = await target.start();
    process.env['HF_TOKEN'] = target.token = 'hf_secret';
    const command = ['export', '--model', 'runs/base/model', '--out', 'pushed', '--push', 'owner/new'];
    target.uploads.refuse = { word: 'commit', status: 403 };
    const { code, stderr } = await letheHere(folder, ...command);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('pushed is whole, and the same command goes on from there'),
    ]);
    target.uploads.refuse = undefined;
    const out = await here(...command);
    expect(out).toMatch(/is whole already in pushed[^]*pushed to http.*\/owner\/new as commit [0-9a-f]{40}/);
    expect(target.files).toEqual(filesOf(at('pushed')));
    expect([target.uploads.visibility, target.uploads.commits.length]).toEqual(['private', 1]);
    const prompt = ['--prompt', 'The river', '--max-new-tokens', '5'];
    const [stored] = (await letheHere(folder, 'generate', ...prompt, '--model', 'pushed')).stdout.split('\n');
    expect((await letheHere(folder, 'generate', ...prompt, '--model', 'hf://owner/new')).stdout).toContain(stored);
    await target.stop();
  });
});
