import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { trainTokenizer } from '@lethe/data-pipeline';
import type { EvalItem, IfevalScores } from '@lethe/eval';
import { initializeLlama, parseConfig, saveLlama } from '@lethe/model';
import { failureHere, letheHere, temporaryFolder } from './lethe.js';

const root = resolve(__dirname, '../..');
const data = resolve(root, process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/ifeval');
jest.setTimeout(600_000);
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

interface Results {
  tasks: { name: string; counts: Record<string, number>; scores: IfevalScores; items: EvalItem[] }[];
}

/** A model with random weights; its tokenizer has a chat template. */
async function makeModel(name: string, seed: number): Promise<void> {
  const { vocabSize } = await trainTokenizer(['a b c'], { vocabSize: 264, folder: at('tokenizer') });
  const sizes = { hidden_size: 16, intermediate_size: 32, num_hidden_layers: 2, num_attention_heads: 2 };
  const config = {
    model_type: 'llama',
    vocab_size: vocabSize,
    max_position_embeddings: 1024,
    initializer_range: 0.5,
    ...sizes,
  };
  const model = initializeLlama(parseConfig(config), seed);
  await saveLlama(model, at(name), { tokenizerFrom: at('tokenizer') });
  model.dispose();
}

async function evaluate(model: string, ...set: string[]): Promise<{ stdout: string; results: Results }> {
  const task = { kind: 'ifeval', name: 'IFEval', data, maxNewTokens: 24, maxItems: 5 };
  const flags = ['--set', `tasks=[${JSON.stringify(task)}]`, ...set.flatMap((one) => ['--set', one])];
  const { code, stdout, stderr } = await letheHere(
    folder,
    'eval',
    '--model',
    model,
    '--out',
    `${model}/out/results.json`,
    ...flags,
  );
  if (code !== 0) throw new Error(stderr);
  return { stdout, results: JSON.parse(readFileSync(at(model, 'out/results.json'), 'utf8')) as Results };
}

(existsSync(data) ? describe : describe.skip)('IFEval on real prompts', () => {
  beforeAll(async () => {
    await makeModel('one', 3);
    await makeModel('two', 4);
  });

  it('scores, shows and keeps every item, and goes on where it stopped', async () => {
    const { stdout, results } = await evaluate('one');
    const [{ scores, items, counts }] = results.tasks;
    expect(items.map(({ id }) => id)).toEqual(['1000', '1001', '1005', '1012', '1019']);
    expect(items[0].gold).toBe(
      'punctuation:no_comma detectable_format:number_highlighted_sections length_constraints:number_words',
    );
    for (const { texts, verdicts, gold, place } of items) {
      expect(texts).toHaveLength(1);
      expect(verdicts).toHaveLength(gold!.split(' ').length);
      expect(place!.file).toBe(join(data, 'input_data.jsonl'));
    }
    expect([scores.format, scores.strict.prompt.n]).toEqual(['chat', 5]);
    expect(scores.strict.instruction.n).toBe(items.flatMap(({ verdicts }) => verdicts!).length);
    expect(counts).not.toHaveProperty('prompts given without a chat format');
    expect(stdout).toMatch(/IFEval\s+prompt-level accuracy % \(strict\)\s+\d+\.\d \[\d+\.\d, \d+\.\d\]\s+5/);
    expect(stdout).toMatch(/accuracy % \(strict\), punctuation:no_comma/);

    const [name] = readdirSync(at('one/out/items'));
    const log = at('one/out/items', name);
    const lines = readFileSync(log, 'utf8').split('\n');
    writeFileSync(log, `${lines.slice(0, 3).join('\n')}\n${lines[3].slice(0, 20)}`); // two items, and one cut off
    expect((await evaluate('one')).results).toEqual(results);
    expect(readFileSync(log, 'utf8').split('\n').slice(0, 3)).toEqual(lines.slice(0, 3));
  });

  it('prompts without the chat format are other items, and are counted', async () => {
    const chat = (await evaluate('one')).results.tasks[0];
    const plain = (await evaluate('one', 'tasks.0.format=plain')).results.tasks[0];
    expect(plain.counts['prompts given without a chat format']).toBe(5);
    expect(plain.scores.format).toBe('plain');
    expect(plain.items.map(({ texts }) => texts)).not.toEqual(chat.items.map(({ texts }) => texts));
    expect(readdirSync(at('one/out/items'))).toHaveLength(2);
  });

  it('a base model is given prompts as they are; a chat format it has not is refused', async () => {
    const file = at('two/tokenizer_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...config, chat_template: undefined }));
    expect((await evaluate('two')).results.tasks[0].scores.format).toBe('plain');
    const task = { kind: 'ifeval', name: 'IFEval', data, format: 'chat' };
    const message = await failureHere(folder, 'eval', '--model', 'two', '--set', `tasks=[${JSON.stringify(task)}]`);
    expect(message).toMatch(/IFEval: format: chat needs a chat template, .* or set format: plain/);
  });

  it('two models are compared prompt by prompt', async () => {
    await evaluate('one');
    await evaluate('two');
    const { code, stdout } = await letheHere(folder, 'compare', 'one/out/results.json', 'two/out/results.json');
    expect(code).toBe(0);
    expect(stdout).toMatch(/IFEval\s+5/);
  });
});
