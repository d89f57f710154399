import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@lethe/model';
import { jsonl, lethe, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const records = (run: string): Record<string, number>[] => jsonl<Record<string, number>>(at(run, 'metrics.jsonl'));

beforeAll(() => pretrainProject(folder), 600_000);

const SYNTHETIC = 'data={ rowLength: 64, replay: [{ shards: synthetic/train }] }';
const damage = (): string[] => {
  const all = [
    'name=damaged',
    'stage=refine',
    'model={ init: runs/base/model }',
    SYNTHETIC,
    'steps=60',
    'optimizer.lr=0.01',
  ];
  return ['refine', '--recipe', 'pretrain.yaml', ...all.flatMap((change) => ['--set', change])];
};
const unlearn = (name: string, ...changes: string[]): string[] => {
  const all = [`name=${name}`, 'model.init=runs/damaged/model', 'steps=40', 'optimizer.lr=0.01', ...changes];
  return ['unlearn', '--recipe', 'unlearn.yaml', ...all.flatMap((change) => ['--set', change])];
};

it('an adapter forgets; what is exported is what was trained; plans tell the memory', async () => {
  await succeed(folder, ...damage());
  const adapted = ['model.lora={ rank: 8 }', 'objective.weights.forgetting=0.3', 'metrics.termGradientsEvery=0'];
  await succeed(folder, ...unlearn('unlearn', ...adapted));
  const steps = records('runs/unlearn');
  expect(steps[0]['forgetP']).toBeGreaterThan(0.3);
  expect(steps.at(-1)!['forgetP']).toBeLessThan(steps[0]['forgetP'] / 2);
  expect(steps.at(-1)!['replay']).toBeLessThan(steps[0]['replay'] + 0.5);

  const { stdout: plan } = await succeed(folder, ...unlearn('unlearn', ...adapted), '--dry-run');
  const planned = Number(/^memory \(fp32, estimated\): (.+) MiB$/m.exec(plan)![1]) * 2 ** 20;
  expect(Math.abs(planned / steps[2]['memoryBytes'] - 1)).toBeLessThan(0.15);
  expect(plan).toContain(`of an adapter that is trained: ${(2 * 8 * (2 * 64 + 2 * 48 + 3 * 96)).toLocaleString('en')}`);

  const [model, adapter] = ['runs/damaged/model', 'runs/unlearn/adapter'];
  await succeed(folder, 'export', '--model', model, '--adapter', adapter, '--out', 'merged');
  const file = 'model.safetensors';
  expect(readFileSync(at('merged', file)).equals(readFileSync(at('runs/unlearn/model', file)))).toBe(true);
  const card = readFileSync(at('merged', 'README.md'), 'utf8');
  expect(card).toContain('with the LoRA adapter adapter merged into its weights');
  expect(card).toContain('made to forget the pattern');
  const weights = openSafetensors(at('runs/unlearn/adapter/adapter_model.safetensors'));
  expect(weights.tensors.size).toBe(2 * 2 * 7);
  weights.close();

  const { code, stderr } = await lethe(folder, 'export', '--model', adapter, '--out', 'never');
  expect(code).toBe(1);
  expect(stderr).toContain('holds a LoRA adapter and no model; merge it into its base with lethe export --model BASE');
}, 300_000);
