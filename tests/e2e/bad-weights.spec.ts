import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, failureHere, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

/** Copies the base model and changes the header and data of its weights. */
function changedModel(name: string, change: (header: Header, data: Buffer) => Buffer | void): string {
  cpSync(at('runs/base/model'), at(name), { recursive: true });
  rmSync(at(name, 'SHA256SUMS')); // as a model of elsewhere
  const file = at(name, 'model.safetensors');
  const bytes = readFileSync(file);
  const size = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + size)) as Header;
  const data = bytes.subarray(8 + size);
  const whole = change(header, data);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, whole ?? Buffer.concat([length, text, data]));
  return name;
}

const names = (header: Header): string[] => Object.keys(header).filter((name) => name !== '__metadata__');
const lastOf = (header: Header): Header[string] =>
  header[names(header).reduce((a, b) => (header[a].data_offsets[1] > header[b].data_offsets[1] ? a : b))];

beforeAll(() => pretrainProject(folder), 300_000);

describe('a safetensors file is refused', () => {
  it.each<[string, RegExp, (header: Header, data: Buffer) => Buffer | void]>([
    ['with a header longer than the file', /header/, () => Buffer.from('ffffffffffffff7f00', 'hex')],
    ['with a header that is not JSON', /JSON/, () => Buffer.from('0400000000000000{{{{')],
    ['that is empty', /bytes|empty|header/, () => Buffer.alloc(0)],
    [
      'with tensors that overlap',
      /overlap/,
      (header) => {
        const [a, b] = names(header).filter((name) => header[name].shape.length === 1);
        header[b].data_offsets = [...header[a].data_offsets];
      },
    ],
    [
      'with a hole',
      /hole|unused|gap|covered|expected/,
      (header) => {
        for (const name of names(header))
          header[name].data_offsets = header[name].data_offsets.map((o) => o + 4) as never;
        lastOf(header).data_offsets[1] -= 4;
      },
    ],
    [
      'that is truncated',
      /bytes/,
      (header) => {
        lastOf(header).data_offsets = lastOf(header).data_offsets.map((offset) => offset + 64) as [number, number];
      },
    ],
    [
      'with a shape that its bytes do not have',
      /shape|bytes/,
      (header) => {
        header[names(header)[0]].shape[0] += 1;
      },
    ],
    [
      'without a tensor that the model needs',
      /model\.norm\.weight|missing/,
      (header) => {
        header['model.norm.other'] = header['model.norm.weight'];
        delete header['model.norm.weight'];
      },
    ],
  ])('%s', async (title, expected, change) => {
    const model = changedModel(title.replaceAll(' ', '-'), change);
    const message = await failureHere(folder, 'generate', '--model', model, '--prompt', 'The river');
    expect(message).toContain(model);
    expect(message).toMatch(expected);
  });
});

it.each(['model.safetensors', 'config.json', 'tokenizer.json'])(
  'a bit flipped in %s of a model that a run made is named, whoever reads it',
  async (name) => {
    cpSync(at('runs/base/model'), at('flipped'), { recursive: true });
    const bytes = readFileSync(at('flipped', name));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(at('flipped', name), bytes);
    const told = join('flipped', name);
    const unlearn = ['unlearn', '--recipe', 'unlearn.yaml', '--set', 'model.init=flipped', '--set', 'name=flipped'];
    for (const command of [unlearn, ['export', '--model', 'flipped', '--out', 'exported']])
      expect(await failureHere(folder, ...command)).toContain(told);
    expect(existsSync(at('exported'))).toBe(false);
    rmSync(at('flipped'), { recursive: true });
  },
);

describe('numbers that are none', () => {
  const poisoned = 'model.layers.1.mlp.up_proj.weight';
  const unlearn = (...changes: string[]): string[] => [
    'unlearn',
    '--recipe',
    'unlearn.yaml',
    ...changes.flatMap((change) => ['--set', change]),
  ];

  it('a NaN in a weight of the start model: refused before the first step, with the tensor', async () => {
    changedModel('poisoned', (header, data) => {
      data.writeFloatLE(NaN, header[poisoned].data_offsets[0] + 40);
    });
    const message = await failure(folder, ...unlearn('model.init=poisoned', 'name=poisoned'));
    expect(message).toMatch(/poisoned: tensor '\S+' holds NaN at element 10 of \[.*\]; take another checkpoint/);
    expect(message).toContain(poisoned);
    expect(message).not.toContain('batch');
    expect(existsSync(at('runs/poisoned/model'))).toBe(false);
    expect(existsSync(at('runs/poisoned/checkpoints'))).toBe(false);
  });

  it('a run that explodes saves no ruined weights, finite or not', async () => {
    const changes = ['name=explodes', 'optimizer.lr=1e6', 'optimizer.weightDecay=0.1', 'checkpoint.every=1'];
    const message = await failure(folder, ...unlearn(...changes, 'checkpoint.keep=1', 'schedule.warmupSteps=0'));
    expect(message).toMatch(/step 2: .*(is NaN|not finite|are finite but ruined)/);
    expect(message).toContain('ower optimizer.lr');
    expect(existsSync(at('runs/explodes/checkpoints'))).toBe(false);
    expect(existsSync(at('runs/explodes/model'))).toBe(false);
    const { launches } = JSON.parse(readFileSync(at('runs/explodes/manifest.json'), 'utf8')) as {
      launches: { outcome: string }[];
    };
    expect(launches[0].outcome).toMatch(/^failed: step/);
  });

  it('the model that was copied is as good as before', async () => {
    const { stdout } = await succeed(
      folder,
      'generate',
      '--model',
      'runs/base/model',
      '--prompt',
      'The',
      '--max-new-tokens',
      '4',
    );
    expect(stdout.trim()).not.toBe('');
  });
});
