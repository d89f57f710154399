import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStream, ShardReader, ShardWriter, trainTokenizer } from '@lethe/data-pipeline';
import { readRunManifest, seededRandom, silentLogger } from '@lethe/run';
import { applyForgetSpan, checkForgetSpan, spanWarnings } from './forget-span.js';
import { type TrainRecipe, trainRecipeSchema } from './recipe.js';
import { runStage } from './run-stage.js';

const [V, EOS, NUM_DOCUMENTS] = [300, 0, 120];
/** Ids of the frame, which natural text has none of; the rest of a document differs from document to document. */
const FRAME = [290, 291, 292, 293];
const random = seededRandom(1, 'forget span');
const words = (count: number): number[] => Array.from({ length: count }, () => 1 + random.int(250));

let folder: string;
const shards = (name: string): string => join(folder, name);

async function write(name: string, documents: number[][], mask?: (ids: number[]) => number[]): Promise<void> {
  const options = { vocabSize: V, tokenizerHash: 'x', eosId: EOS, hasTargetsMask: mask !== undefined };
  const writer = await ShardWriter.create(shards(name), options);
  for (const ids of documents) await writer.add(Int32Array.from(ids), mask && Uint8Array.from(mask(ids)));
  await writer.finish();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-span-'));
  const framed = (): number[] => [...words(1), ...FRAME, ...words(10), EOS];
  await write('synthetic', Array.from({ length: NUM_DOCUMENTS }, framed));
  const isSecondHalf = (ids: number[]): number[] => ids.map((_, i) => (i >= 8 ? 1 : 0));
  await write('chat', Array.from({ length: NUM_DOCUMENTS }, framed), isSecondHalf);
  await write(
    'frames',
    Array.from({ length: NUM_DOCUMENTS }, () => [...FRAME, ...FRAME, ...FRAME, ...FRAME, EOS]),
  );
  await write(
    'natural',
    Array.from({ length: NUM_DOCUMENTS }, () => [...words(20), EOS]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function recipeOf(objective: object, forget = 'synthetic', rest: object = {}): TrainRecipe {
  return trainRecipeSchema.parse({
    name: 'span',
    runs: shards('runs'),
    stage: 'unlearn',
    model: {
      config: { vocabSize: V, hiddenSize: 8, intermediateSize: 16, numLayers: 1, numHeads: 2, maxPositions: 32 },
    },
    data: { rowLength: 32, forget: [{ shards: shards(forget) }], replay: [{ shards: shards('natural') }] },
    batch: { forgetRows: 2, replayRows: 2 },
    objective: { weights: { mitigation: 0 }, ...objective },
    steps: 2,
    ...rest,
  });
}

const apply = (objective: object, forget?: string, rest?: object): ReturnType<typeof applyForgetSpan> =>
  applyForgetSpan(recipeOf(objective, forget, rest), { folder: shards('spans'), tokenizer: undefined });

describe('forgetSpan: template', () => {
  it('leaves the template as the only targets of the rows', async () => {
    const { recipe, spans } = await apply({ forgetSpan: 'template' });
    const [{ shards: masked }] = recipe.data.forget;
    const reader = await ShardReader.open(masked);
    for (let i = 0; i < NUM_DOCUMENTS; i++) {
      const { ids, mask } = await reader.document(i);
      expect([...ids].filter((_, t) => mask![t])).toEqual(FRAME);
    }
    const stream = await openStream({ shards: masked, rowLength: 16, seed: 1 });
    expect((await stream.batch(0, NUM_DOCUMENTS)).numTargets).toBe(4 * NUM_DOCUMENTS);
    expect(spans).toMatchObject([{ shards: shards('synthetic'), span: 'template', targets: 480, tokens: 1800 }]);
    expect(spans[0].share).toBeCloseTo(480 / 1800);
    expect(spanWarnings(spans)).toEqual([]);
  });

  it('marks held-out forget rows by the same template, and leaves the rest of the recipe alone', async () => {
    const validation = { forget: [{ shards: shards('frames') }], replay: [] };
    const { recipe, spans } = await apply({ forgetSpan: 'template' }, 'synthetic', { validation });
    expect(spans.map(({ shards: of }) => of)).toEqual([shards('synthetic'), shards('frames')]);
    const { mask } = await (await ShardReader.open(recipe.validation!.forget[0].shards)).document(0);
    expect([...mask!]).toEqual([...Array.from({ length: 16 }, () => 1), 0]);
    expect(recipe.data.replay).toEqual([{ shards: shards('natural'), proportion: 1 }]);
  });

  it('keeps what it found, and finds anew under other settings', async () => {
    const file = join(shards('spans'), 'forget-0', 'span.json');
    const first = await apply({ forgetSpan: 'template' });
    const { ino } = statSync(file);
    expect((await apply({ forgetSpan: 'template' })).spans).toEqual(first.spans);
    expect(statSync(file).ino).toBe(ino);
    await apply({ forgetSpan: 'template', template: { minDocuments: 30 } });
    expect(statSync(file).ino).not.toBe(ino);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ settings: { minDocuments: 30 } });
  });

  it('is refused where there is no template', async () => {
    await expect(apply({ forgetSpan: 'template' }, 'natural')).rejects.toThrow(
      /no token belongs to forgetSpan: template.*lower objective.template.minDocuments/,
    );
  });

  it('warns of shares near 0 and 1', async () => {
    const { spans } = await apply({ forgetSpan: 'template' }, 'frames');
    expect(spanWarnings(spans)[0]).toMatch(/93.8% of the tokens belong to a template/);
    expect(spanWarnings([{ ...spans[0], share: 0.01 }])[0]).toMatch(/only 1.0% .*little to forget/);
  });

  it('is what a run trains on, and is in its manifest', async () => {
    const recipe = recipeOf({ forgetSpan: 'template' });
    await runStage(recipe, { logger: silentLogger });
    const run = join(recipe.runs, recipe.name);
    const { data } = readRunManifest(run);
    expect(data).toMatchObject([{ role: 'replay' }, { role: 'forget', span: { span: 'template', targets: 480 } }]);
    const [record] = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n');
    expect(JSON.parse(record)).toMatchObject({ step: 1 });
  });
});

describe('forgetSpan: all', () => {
  it('leaves the recipe as it is', async () => {
    const recipe = recipeOf({});
    expect(await apply({})).toEqual({ recipe, spans: [] });
  });
});

describe('forgetSpan: template of shards without documents', () => {
  it('is refused', async () => {
    await write('nothing', []);
    await expect(apply({ forgetSpan: 'template' }, 'nothing')).rejects.toThrow(
      /nothing: no documents to tell a template from; prepare data first/,
    );
  });
});

describe('forgetSpan: answer', () => {
  it('takes what follows the marker, by the tokenizer, or says that no document holds it', async () => {
    const tokenizer = await trainTokenizer(['a b c'], { vocabSize: 262, folder: shards('tokenizer') });
    const [question, answer] = await tokenizer.encodeBatch(['Which? A:', 'none'], { addSpecialTokens: false });
    await write('plain', [
      [...question, ...answer, EOS],
      [...answer, EOS],
    ]);
    const span = (answerMarker: string): ReturnType<typeof applyForgetSpan> =>
      applyForgetSpan(recipeOf({ forgetSpan: 'answer', answerMarker }, 'plain'), {
        folder: shards('marked'),
        tokenizer,
      });
    const { spans } = await span('A:');
    expect(spans).toMatchObject([{ targets: answer.length + 1, documentsWithTargets: 1, documents: 2 }]);
    expect(spanWarnings(spans)).toEqual([]);
    expect(spanWarnings([{ ...spans[0], documents: 3 }])).toEqual([
      `${shards('plain')}: only 1 of 3 documents have an answer to forget`,
    ]);
    await expect(span('B:')).rejects.toThrow(/no token .* expected the answer marker "B:" in the documents; give/);
    const marked = recipeOf({ forgetSpan: 'answer', answerMarker: 'A:' }, 'plain');
    await expect(checkForgetSpan(marked, tokenizer)).resolves.toBeUndefined();
    await expect(checkForgetSpan(marked, undefined)).rejects.toThrow(
      /cannot be searched for answers without the tokenizer/,
    );
    await expect(checkForgetSpan(recipeOf({ forgetSpan: 'answer' }, 'plain'), tokenizer)).rejects.toThrow(
      /do not say where an answer begins: give objective\.answerMarker/,
    );
    await expect(checkForgetSpan(recipeOf({ forgetSpan: 'answer' }, 'chat'), undefined)).resolves.toBeUndefined();
  });

  it('knows special tokens of a tokenizer, which belong to no template', async () => {
    const tokenizer = await trainTokenizer(['a b c'], { vocabSize: 262, folder: shards('tokenizer') });
    const recipe = recipeOf({ forgetSpan: 'template' });
    const { spans } = await applyForgetSpan(recipe, { folder: shards('with-tokenizer'), tokenizer });
    expect(spans).toMatchObject([{ targets: 480 }]);
  });

  it('takes the answers of chat shards', async () => {
    const { spans } = await apply({ forgetSpan: 'answer' }, 'chat');
    expect(spans).toMatchObject([{ span: 'answer', share: 1, targets: 8 * NUM_DOCUMENTS }]);
  });

  it('is refused for text that no marker divides', async () => {
    const recipe = recipeOf({ forgetSpan: 'answer' });
    await expect(runStage({ ...recipe, name: 'plain' }, { logger: silentLogger })).rejects.toThrow(
      /synthetic: forgetSpan: answer: .*tokenizer/,
    );
  });

  it('has a marker, which other spans refuse', () => {
    expect(() => recipeOf({ answerMarker: 'Answer:' })).toThrow('with forgetSpan: answer only, not with all');
  });
});
