import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, saveLlama } from '@lethe/model';
import { type Logger, silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { BENCHMARKS } from './benchmarks.js';
import { compareEvaluations, evalRecipeSchema, readEvaluation, runEvaluation } from './index.js';

describe('the list of benchmarks', () => {
  it('holds the benchmark of every folder that has one', () => {
    const folders = readdirSync(__dirname).filter((name) => existsSync(join(__dirname, name, 'benchmark.ts')));
    expect(BENCHMARKS.map(({ kind }) => kind).sort()).toEqual(folders.sort());
  });

  it('gives each a schema of its own kind, which the recipe takes', () => {
    for (const { kind, schema } of BENCHMARKS) {
      expect([...schema.shape.kind.values]).toEqual([kind]);
      const issues = evalRecipeSchema.safeParse({ tasks: [{ kind, name: 1 }] }).error!.issues;
      expect(issues.map(({ path }) => path.join('.'))).toContain('tasks.0.name');
    }
  });
});

describe('an evaluation from a program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-evaluate-'));
  const sizes = { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
  const model = join(folder, 'model');
  beforeAll(async () => {
    await useDevice('lethe-cpu');
    const tokenizer = await trainTokenizer(['one and two are three'], { vocabSize: 270, folder: join(folder, 't') });
    const { vocabSize } = tokenizer;
    const made = initializeLlama(baselm({ ...sizes, vocabSize, maxPositions: 256, initializerRange: 0.4 }), 3);
    await saveLlama(made, model, { tokenizerFrom: join(folder, 't') });
    made.dispose();
    const rows = ['one', 'two', 'three'].map((word) => JSON.stringify({ question: `${word}?`, answer: 'So.\n#### 3' }));
    for (const name of ['test', 'train']) writeFileSync(join(folder, `${name}.jsonl`), `${rows.join('\n')}\n`);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('scores GSM8K by each protocol, keeps items, goes on from them, and is compared', async () => {
    const task = { kind: 'gsm8k', name: 'G', data: folder, protocols: ['opencompass', 'lm-eval'], shots: 1 };
    const { tasks } = evalRecipeSchema.parse({ tasks: [{ ...task, maxNewTokens: 4, maxItems: 2 }] });
    const lines: string[] = [];
    const logger: Logger = { ...silentLogger, progress: (line) => lines.push(line) };
    const plan = { model, tasks, items: join(folder, 'items') };
    const found = await runEvaluation(plan, logger);
    expect(found.tasks.map(({ kind, name }) => [kind, name])).toEqual([
      ['gsm8k', 'G (opencompass)'],
      ['gsm8k', 'G (lm-eval)'],
    ]);
    const [first] = found.tasks;
    if (first.kind !== 'gsm8k') throw new Error(`expected gsm8k, received ${first.kind}`);
    expect(first.items.map(({ id, gold }) => [id, gold])).toEqual([
      ['0', '3'],
      ['1', '3'],
    ]);
    expect(first.measures.map(({ name, score }) => [name, score.n])).toEqual([
      ['accuracy % (flexible)', 2],
      ['accuracy % (strict)', 2],
    ]);
    expect(lines).toContain(`${model}: G (opencompass) 2 of 2`);

    lines.length = 0;
    expect(await runEvaluation(plan, logger)).toEqual(found);
    expect(lines.filter((line) => / [01] of 2$/.test(line))).toEqual([]);

    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify(found));
    expect(readFileSync(file, 'utf8')).toContain('"items"');
    const read = readEvaluation(file);
    const [{ benchmarks }] = compareEvaluations([read, { ...read, model: 'the same' }]);
    expect(benchmarks.map(({ name, n, p }) => [name, n, p])).toEqual([
      ['G (opencompass)', 2, 1],
      ['G (lm-eval)', 2, 1],
    ]);
  });
});
