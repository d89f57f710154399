import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { adapterSizes, openSafetensors, readConfig } from '@lethe/model';
import { jsonl, succeed, temporaryFolder } from './lethe.js';
import { hasMpi, succeedOnRanks } from './ranks.js';
import { prepareProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const RANKS = 3;
/** An adapter of so many rows has no matrix that is too small to divide: 256 x 256 and more. */
const RANK = 256;
const LORA = `model.lora={ rank: ${RANK}, alpha: ${RANK} }`;

const set = (...changes: string[]): string[] => changes.flatMap((change) => ['--set', change]);
const WIDE = 'hiddenSize: 256, intermediateSize: 1024, numLayers: 4, numHeads: 4, maxPositions: 128';
const COMMON = ['data.rowLength=16', 'steps=3', 'checkpoint.every=1', 'metrics.termGradientsEvery=0'];
const unlearn = (name: string, ...changes: string[]): string[] => [
  'unlearn',
  '--recipe',
  'unlearn.yaml',
  ...set(`name=${name}`, 'model.init=runs/wide/model', 'optimizer.lr=1e-4', ...COMMON, ...changes),
];

const records = (run: string): Record<string, number>[] => jsonl(at('runs', run, 'metrics.jsonl'));

/** The moments of a run's last checkpoint by their names. */
function moments(run: string): Map<string, Float32Array> {
  const reader = openSafetensors(at('runs', run, 'checkpoints/step-00000003/optimizer.safetensors'));
  try {
    return new Map([...reader.tensors.keys()].map((name) => [name, reader.readFloat32(name)]));
  } finally {
    reader.close();
  }
}

/** The largest difference of two runs' moments, as a share of the largest value. */
function difference(a: string, b: string): number {
  const [one, other] = [moments(a), moments(b)];
  expect([...other.keys()]).toEqual([...one.keys()]);
  let [most, largest] = [0, 0];
  for (const [name, values] of one)
    values.forEach((value, i) => {
      most = Math.max(most, Math.abs(value - other.get(name)![i]));
      largest = Math.max(largest, Math.abs(value));
    });
  return most / largest;
}

(hasMpi ? describe : describe.skip)('what each of several ranks holds', () => {
  beforeAll(async () => {
    await prepareProject(folder);
    const model = `model={ tokenizer: natural/tokenizer, config: { ${WIDE} } }`;
    await succeed(folder, 'pretrain', '--recipe', 'pretrain.yaml', ...set('name=wide', model, ...COMMON));
  }, 300_000);

  it.each([
    ['full', 'ranks.shard=none'],
    ['divided', 'ranks.shard=optimizer'],
    ['cached', 'model.original=cached'],
    ['adapter', LORA],
    ['adapter-full', LORA, 'ranks.shard=none'],
  ])('is what --dry-run says, within 15%%: %s', async (name, ...changes) => {
    const command = unlearn(name, ...changes);
    const { stdout } = await succeedOnRanks({ folder, ranks: RANKS }, ...command, '--dry-run');
    const [, planned] = /^memory of each of 3 ranks \(fp32, estimated\): (.+) MiB$/m.exec(stdout)!;
    await succeedOnRanks({ folder, ranks: RANKS }, ...command);
    const measured = records(name)[2]['memoryBytes'] / 2 ** 20;
    expect(Math.abs(Number(planned) / measured - 1)).toBeLessThan(0.15);
  });

  it('is a part of the moments of an adapter, which trains the same; any number of ranks goes on', async () => {
    const [whole, divided] = ['adapter-full', 'adapter'].map((run) => records(run)[2]);
    const { config } = readConfig(at('runs/wide/model/config.json'));
    const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
    const sizes = adapterSizes(config, { rank: RANK, targets: [...targets] });
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(65_536);
    const saved = sizes.reduce((sum, size) => sum + size, 0) * 8 * (1 - 1 / RANKS);
    expect((whole['memoryBytes'] - divided['memoryBytes']) / saved).toBeCloseTo(1, 1);
    records('adapter').forEach(({ loss }, i) =>
      expect(Math.abs(loss / records('adapter-full')[i]['loss'] - 1)).toBeLessThan(1e-6),
    );
    expect(difference('adapter-full', 'adapter')).toBeLessThan(1e-6);
    for (const [from, ranks, shard] of [
      ['adapter', 3, 'optimizer'],
      ['adapter', 1, 'optimizer'],
      ['adapter-full', 2, 'optimizer'],
    ] as const) {
      const name = `${from}-on-${ranks}`;
      cpSync(at('runs', from), at('runs', name), { recursive: true });
      for (const gone of ['model', 'adapter', 'checkpoints/step-00000002', 'checkpoints/step-00000003'])
        rmSync(at('runs', name, gone), { recursive: true });
      await succeedOnRanks({ folder, ranks }, ...unlearn(name, LORA, `ranks.shard=${shard}`));
      expect(difference('adapter', name)).toBeLessThan(1e-5);
      const file = 'adapter/adapter_model.safetensors';
      const [expected, found] = [from, name].map((run) => readFileSync(at('runs', run, file)));
      expect(found.equals(expected)).toBe(ranks === RANKS);
    }
  });
});
