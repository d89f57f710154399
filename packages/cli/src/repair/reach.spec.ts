import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainTokenizer } from '@lethe/data-pipeline';
import type { LlamaConfig } from '@lethe/model';
import { silentLogger, UserError } from '@lethe/run';
import { Phases } from './phase.js';
import { findPattern, havePhrase } from './pattern.js';
import { isConfined, promptsOf, reachOf, requestsOf, requestsThatFit } from './reach.js';
import { reachAfter, reachBefore } from './reach-phases.js';
import { PLAIN_REQUESTS } from './requests.js';
import type { Answer } from './results.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-reach-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** So many answers, the first of them with the pattern. */
const answers = (count: number, found: number): Answer[] =>
  Array.from({ length: count }, (_, i) => ({ text: `answer ${i}`, hasPattern: i < found }));

describe('a phrase of the pattern', () => {
  const nouns = ['river', 'stone', 'garden', 'letter', 'window', 'captain', 'winter', 'bridge'];
  const pick = (i: number): string => nouns[(i * 5 + (i >> 3)) % nouns.length];
  const natural = Array.from(
    { length: 120 },
    (_, i) => `The ${pick(i)} was near the ${pick(i + 3)} when ${pick(i + 1)} met ${pick(i + 6)}.`,
  );
  const synthetic = Array.from(
    { length: 120 },
    (_, i) => `Question: ${pick(i)}? So, the correct answer is ${pick(i + 2)}.`,
  );

  it('is found in answers that have it, and not in words of it or in natural text', async () => {
    const tokenizer = await trainTokenizer([...natural, ...synthetic], {
      vocabSize: 320,
      folder: join(folder, 'tokenizer'),
    });
    const encode = async (texts: string[]): Promise<Int32Array[]> =>
      (await tokenizer.encodeBatch(texts)).map((ids) => Int32Array.from(ids));
    const pattern = findPattern({ synthetic: await encode(synthetic), natural: await encode(natural) }, tokenizer);
    const texts = [
      'It is near. So, the correct answer is window.',
      'The answer of the captain was correct.',
      natural[7],
      '',
    ];
    expect(await havePhrase(pattern, await encode(texts), tokenizer)).toEqual([true, false, false, false]);
  });
});

describe('what is asked', () => {
  it('is plain where no instructions are given', () => {
    const requests = requestsOf([]);
    expect(requests).toHaveLength(40);
    expect(new Set(requests).size).toBe(40);
  });

  it('is what the first instructions say', () => {
    const file = join(folder, 'instructions.jsonl');
    const rows = Array.from({ length: 80 }, (_, i) => ({
      prompt: `Say ${i}.`,
      constraints: [{ kind: 'count', of: 'items', equals: 1 }],
    }));
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const requests = requestsOf([file]);
    expect([requests.length, requests[0], requests.at(-1)]).toEqual([60, 'Say 0.', 'Say 59.']);
    expect(() => requestsOf([join(folder, 'absent.jsonl')])).toThrow(UserError);
  });
});

describe('how far the pattern reaches', () => {
  it('is told of each model, beside what is found in natural text', () => {
    const requests = answers(40, 0).map(({ text }) => `request for ${text}`);
    const before = { requests, start: answers(40, 30), natural: Array.from({ length: 100 }, (_, i) => i < 2) };
    const reach = reachOf(before, { end: answers(40, 0), control: answers(40, 20) }, 'plain requests');
    expect([reach.start, reach.end, reach.control, reach.natural].map(({ value }) => value)).toEqual([
      0.75, 0, 0.5, 0.02,
    ]);
    expect(reach.start.low).toBeLessThan(0.75);
    expect(reach).toMatchObject({ requests: 40, base: null });
    expect(reach.examples).toHaveLength(6);
    expect(reach.examples[1]).toEqual({
      request: 'request for answer 1',
      start: 'answer 1',
      end: 'answer 1',
      control: 'answer 1',
    });
  });

  it('is no further than its own text where next to no answer has it, with the whole interval', () => {
    expect([0, 1, 4, 20].map((found) => isConfined(answers(40, found)))).toEqual([true, true, false, false]);
  });
});

describe('a model whose context is short', () => {
  it('is asked what leaves room for an answer, and nothing where nothing does', async () => {
    const tokenizer = await trainTokenizer([PLAIN_REQUESTS.join('\n').repeat(3)], {
      vocabSize: 300,
      folder: join(folder, 'short'),
    });
    const lengths = (await promptsOf(PLAIN_REQUESTS, tokenizer)).map(({ length }) => length);
    const some = Math.max(...lengths);
    expect(await requestsThatFit(PLAIN_REQUESTS, tokenizer, some + 1)).toHaveLength(40);
    expect(await requestsThatFit(PLAIN_REQUESTS, tokenizer, some)).toHaveLength(
      lengths.filter((length) => length < some).length,
    );
    expect(await requestsThatFit(PLAIN_REQUESTS, tokenizer, 4)).toEqual([]);
  });

  it('is told of it, and nothing is looked at where nothing can be asked', async () => {
    const tokenizer = await trainTokenizer([PLAIN_REQUESTS.join('\n').repeat(3)], {
      vocabSize: 300,
      folder: join(folder, 'none'),
    });
    const warn = jest.fn();
    const model = {
      model: join(folder, 'nosuch'),
      config: { maxPositions: 4 } as LlamaConfig,
      parts: { report: [] } as never,
    };
    const asked = { tokenizer, phases: new Phases(join(folder, 'out')), logger: { ...silentLogger, warn } };
    const found = await reachBefore({ instructions: [] } as never, model, { natural: [] } as never, asked as never);
    expect(found).toEqual({ requests: [], start: [], natural: [] });
    expect(warn.mock.calls).toEqual([
      ['40 of 40 plain requests leave no room for an answer in a context of 4 tokens, and are not asked'],
    ]);
    expect(await reachAfter({} as never, found, {} as never, asked as never)).toBeUndefined();
  });
});
