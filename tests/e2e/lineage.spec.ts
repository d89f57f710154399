import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evalRecipeSchema } from '@lethe/eval';
import { jsonl, succeed, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const weights = (run: string): Buffer => readFileSync(at('runs', run, 'model/model.safetensors'));
const losses = (run: string): number[] =>
  jsonl<{ loss: number }>(folder, 'runs', run, 'metrics.jsonl').map(({ loss }) => loss);

/** A recipe that goes on from the base model. */
function goOn(name: string, stage: string, replay: string): string[] {
  const lines = [
    `name: ${name}`,
    `stage: ${stage}`,
    'threads: 1',
    'model: { init: runs/base/model }',
    'data:',
    '  rowLength: 64',
    `  replay: ${replay}`,
    'batch: { replayRows: 4 }',
    'optimizer: { lr: 1.0e-3 }',
    'steps: 12',
  ];
  writeFileSync(at(`${name}.yaml`), `${lines.join('\n')}\n`);
  return [stage, '--recipe', `${name}.yaml`];
}

beforeAll(() => pretrainProject(folder), 60000);

describe('the other models of the lineage', () => {
  it('synth: the base goes on with a mix, in the proportions of the weights', async () => {
    const mix = (natural: number, synthetic: number): string =>
      `[{ shards: natural/train, proportion: ${natural} }, { shards: synthetic/train, proportion: ${synthetic} }]`;
    await succeed(folder, ...goOn('synth', 'pretrain', mix(0.7, 0.3)));
    await succeed(folder, ...goOn('synth-scaled', 'pretrain', mix(7, 3)));
    await succeed(folder, ...goOn('synth-other', 'pretrain', mix(1, 9)));
    expect(weights('synth-scaled').equals(weights('synth'))).toBe(true);
    expect(weights('synth-other').equals(weights('synth'))).toBe(false);
    expect(losses('synth')).toHaveLength(12);
  });

  it('refine: goes on with natural data only, and records no forgetting', async () => {
    await succeed(folder, ...goOn('refine', 'refine', '[{ shards: natural/train }]'));
    const records = jsonl<Record<string, unknown>>(folder, 'runs/refine/metrics.jsonl');
    expect(records).toHaveLength(12);
    for (const record of records) {
      expect(record).not.toHaveProperty('forgetting');
      expect(record).not.toHaveProperty('mitigation');
      expect(record.loss).toBeCloseTo(record.replay as number, 10);
    }
    expect(weights('refine').equals(weights('base'))).toBe(false);
  });

  it('finetune: only the assistant’s tokens are targets', async () => {
    const chat = ['--out', 'chat', '--as', 'chat', '--tokenizer', 'natural/tokenizer', '--held-out', '0.1'];
    const { stderr } = await succeed(folder, 'prepare', 'synthetic.jsonl', ...chat);
    const [, tokens, targets] = /train: \d+ documents, (\d+) tokens, (\d+) targets/.exec(stderr)!;
    expect(Number(targets)).toBeGreaterThan(0);
    expect(Number(targets)).toBeLessThan(0.8 * Number(tokens));
    await succeed(folder, ...goOn('chat', 'finetune', '[{ shards: chat/train }]'));
    const [first, last] = [losses('chat')[0], losses('chat').at(-1)!];
    expect(last).toBeLessThan(first);
  });

  it('eval: instructions, every item in the results', async () => {
    writeFileSync(at('rules.jsonl'), '{"prompt":"Say A","constraints":[{"kind":"case","is":"upper"}]}\n');
    const tasks = [{ kind: 'instructions', name: 'rules', data: 'rules.jsonl', maxNewTokens: 4 }];
    writeFileSync(at('eval.yaml'), JSON.stringify(evalRecipeSchema.parse({ out: 'results.json', tasks })));
    const { stdout } = await succeed(folder, 'eval', '--recipe', 'eval.yaml', '--model', 'runs/chat/model');
    expect(stdout).toMatch(/rules +HSR %/);
    const { tasks: results } = JSON.parse(readFileSync(at('results.json'), 'utf8')) as {
      tasks: { scores: { judged: { prompt: string; response: string }[] } }[];
    };
    expect(results[0].scores.judged).toMatchObject([{ prompt: 'Say A', response: expect.any(String) as string }]);
  });

  it('eval: a model without a chat template is asked its instructions in plain words, and the result says so', async () => {
    cpSync(at('runs/chat/model'), at('plain'), { recursive: true });
    for (const name of ['chat_template.jinja', 'SHA256SUMS']) rmSync(at('plain', name), { force: true });
    const config = JSON.parse(readFileSync(at('plain/tokenizer_config.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(at('plain/tokenizer_config.json'), JSON.stringify({ ...config, chat_template: undefined }));
    const { stdout } = await succeed(
      folder,
      'eval',
      '--recipe',
      'eval.yaml',
      '--model',
      'plain',
      '--set',
      'out=plain.json',
    );
    expect(stdout).toMatch(/rules +asked as User: \.\. Assistant: \.\., since the model has no chat template +1/);
  });
});
