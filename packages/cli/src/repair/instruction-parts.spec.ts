import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { areInstructionsDivided, divideInstructions, type InstructionFile } from './instruction-parts.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));
const constraints = [{ kind: 'case', is: 'upper' }];
const write = (name: string, prompts: string[]): string => {
  const file = join(folder, name);
  writeFileSync(file, prompts.map((prompt) => `${JSON.stringify({ prompt, constraints, of: name })}\n`).join(''));
  return file;
};
const numbered = (count: number, of: string): string[] => Array.from({ length: count }, (_, i) => `${of} ${i}`);
const promptsOf = (parts: InstructionFile[]): string[] =>
  parts.flatMap(({ data }) =>
    readFileSync(data, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { prompt: string }).prompt),
  );

it('two of five choose, the others are reported, none does both, and the same files give the same parts', () => {
  const files = [write('a.jsonl', numbered(60, 'a')), write('b.jsonl', numbered(40, 'b'))];
  const parts = divideInstructions(files, join(folder, 'parts'));
  const [choose, report] = [promptsOf(parts.choose), promptsOf(parts.report)];
  expect([choose.length, report.length, parts.numChoosing]).toEqual([40, 60, 40]);
  expect(new Set([...choose, ...report]).size).toBe(100);
  expect(parts.report.map(({ name }) => name)).toEqual(files);
  expect(divideInstructions(files, join(folder, 'again')).choose.map(({ data }) => readFileSync(data, 'utf8'))).toEqual(
    parts.choose.map(({ data }) => readFileSync(data, 'utf8')),
  );
});

it('a prompt that comes twice is in one part', () => {
  const file = write('twice.jsonl', [...numbered(60, 'x'), ...numbered(60, 'x')]);
  const { choose, report, numChoosing } = divideInstructions([file], join(folder, 'twice'));
  expect(numChoosing).toBe(48);
  expect(promptsOf(choose).filter((prompt) => promptsOf(report).includes(prompt))).toEqual([]);
});

it('too few are all reported, as they are', () => {
  const file = write('few.jsonl', numbered(99, 'y'));
  expect(divideInstructions([file], join(folder, 'few'))).toEqual({
    choose: [],
    report: [{ name: file, data: file }],
    numChoosing: 0,
  });
  expect(existsSync(join(folder, 'few'))).toBe(false);
  expect(areInstructionsDivided([])).toBe(false);
});

it('a line that is no instruction is named', () => {
  const file = write('bad.jsonl', numbered(3, 'z'));
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"prompt":"no constraint"}\n`);
  expect(() => divideInstructions([file], join(folder, 'bad'))).toThrow(`${file}:4: `);
});
