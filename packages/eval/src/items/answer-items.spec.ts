import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerItems } from './answer-items.js';

it('a question that is left without an answer is a defect, by name', async () => {
  const answering = answerItems([{ id: 'a' }, { id: 'b' }], {}, (_pending, done) => {
    done({ id: 'a', prediction: 'x', score: 1 });
    return Promise.resolve();
  });
  await expect(answering).rejects.toThrow('expected an answer to b, received none');
});

it('kept items that were changed are found, set aside and done again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-items-'));
  const file = join(folder, 'items.jsonl');
  const questions = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
  const told: string[] = [];
  const answered: string[] = [];
  const run = (): Promise<unknown> =>
    answerItems(
      questions,
      { log: { file, header: { of: 'x' }, onDamage: (text) => void told.push(text) } },
      async (pending, done) => {
        for (const { id } of pending) {
          answered.push(id);
          done({ id, prediction: id, score: 1 });
        }
      },
    );
  const first = await run();
  const whole = readFileSync(file, 'utf8');
  answered.length = 0;
  expect(await run()).toEqual(first);
  expect([answered, told]).toEqual([[], []]);
  const changed = whole.replace(/("id":"c".*"score":)1/, '$10');
  expect(changed).not.toBe(whole);
  writeFileSync(file, changed);
  expect(await run()).toEqual(first);
  expect(answered).toEqual(['c', 'd']);
  expect(told).toEqual([
    expect.stringMatching(/items\.jsonl:4: not an item .*checksum.*items\.jsonl\.damaged, and its last 2/),
  ]);
  expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(changed);
  expect(readFileSync(file, 'utf8')).toBe(whole);
  rmSync(folder, { recursive: true });
});
