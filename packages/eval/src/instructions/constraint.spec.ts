import { type Constraint, constraintSchema, isSatisfied, itemsOf } from './constraint.js';
import { scoreInstructions } from './score-instructions.js';

const semicolons: Constraint = { kind: 'separator', is: '; ' };
const json: Constraint = { kind: 'json', keys: ['words'] };

describe('a constraint', () => {
  it.each<[Constraint, string, boolean, Constraint[]?]>([
    [{ kind: 'count', of: 'items', equals: 3 }, 'a, b, c', true],
    [{ kind: 'count', of: 'items', equals: 3 }, 'a, b', false],
    [{ kind: 'count', of: 'items', equals: 2 }, 'a, x; b', true, [semicolons]],
    [{ kind: 'count', of: 'items', equals: 2 }, '{"words":["a","b"]}', true, [json]],
    [{ kind: 'count', of: 'items', equals: 1 }, '["a"]', false, [json]],
    [{ kind: 'count', of: 'words', equals: 4 }, "it's a well-known fact", true],
    [{ kind: 'count', of: 'words', equals: 4 }, 'one two three', false],
    [{ kind: 'count', of: 'words', equals: 1 }, ' ... ', false],
    [{ kind: 'count', of: 'sentences', equals: 2 }, 'One. Two!', true],
    [{ kind: 'count', of: 'sentences', equals: 2 }, 'Only 3.5 of one', false],
    [{ kind: 'order', by: 'alphabetical' }, 'apple, Bear, cat', true],
    [{ kind: 'order', by: 'alphabetical' }, 'bear, apple', false],
    [{ kind: 'order', by: 'alphabetical' }, 'apple', false],
    [{ kind: 'order', by: 'reverse-alphabetical' }, 'cat; bear; apple', true, [semicolons]],
    [{ kind: 'order', by: 'reverse-alphabetical' }, 'apple; bear', false, [semicolons]],
    [{ kind: 'case', is: 'upper' }, 'ÄPFEL, 3', true],
    [{ kind: 'case', is: 'upper' }, 'Apple', false],
    [{ kind: 'case', is: 'upper' }, '123', false],
    [{ kind: 'case', is: 'lower' }, 'apple', true],
    [{ kind: 'case', is: 'lower' }, 'Apple', false],
    [semicolons, 'a; b', true],
    [semicolons, 'a, b', false],
    [semicolons, 'a; ', false],
    [{ kind: 'keyword', word: 'river', present: true }, 'The RIVER runs', true],
    [{ kind: 'keyword', word: 'river', present: true }, 'riverbank', false],
    [{ kind: 'keyword', word: 'river', present: false }, 'stone', true],
    [{ kind: 'keyword', word: 'river', present: false }, 'a river', false],
    [json, ' {"words": []} ', true],
    [json, '{"word": []}', false],
    [json, '["words"]', false],
    [json, '{"words": ', false],
    [json, 'null', false],
  ])('%j of %j is %s', (constraint, response, expected, others = []) => {
    expect(isSatisfied(constraint, response, [constraint, ...others])).toBe(expected);
  });

  it('none is met by an empty response', () => {
    const all: Constraint[] = [
      { kind: 'count', of: 'items', equals: 1 },
      { kind: 'order', by: 'alphabetical' },
      { kind: 'case', is: 'lower' },
      semicolons,
      { kind: 'keyword', word: 'a', present: false },
      json,
      { kind: 'among', words: ['road', 'day'] },
    ];
    expect(all.map((constraint) => isSatisfied(constraint, ' \n', all))).toEqual(all.map(() => false));
    expect(new Set(all.map(({ kind }) => kind)).size).toBe(constraintSchema.options.length);
  });

  it('asks for words of a list, in any letter case, none twice', () => {
    const among: Constraint = { kind: 'among', words: ['road', 'day', 'area'] };
    const isAmong = (text: string): boolean => isSatisfied(among, text, [among]);
    expect(['road, day', 'ROAD, Day', 'area'].map(isAmong)).toEqual([true, true, true]);
    expect(['road, road', 'road, Road', 'road, city', 'road day'].map(isAmong)).toEqual([false, false, false, false]);
  });

  it('items are cut at the separator asked for, or at commas and lines', () => {
    expect(itemsOf('a, b\nc', [])).toEqual(['a', 'b', 'c']);
    expect(itemsOf('a, b; c', [semicolons])).toEqual(['a, b', 'c']);
    expect(itemsOf('{"words":["a","b"],"n":1}', [json])).toEqual(['a', 'b', '1']);
  });
});

it('scoreInstructions counts responses that meet all, the mean share met, and levels', () => {
  const upper: Constraint = { kind: 'case', is: 'upper' };
  const two: Constraint = { kind: 'count', of: 'items', equals: 2 };
  const instructions = [
    { prompt: 'p', constraints: [upper] },
    { prompt: 'q', constraints: [upper, two] },
    { prompt: 'r', constraints: [upper, two] },
  ];
  const { hsr, ssr, byLevel, judged } = scoreInstructions(instructions, ['A', 'a, b', 'A, B']);
  expect(hsr).toMatchObject({ value: 2 / 3, n: 3 });
  expect(ssr.value).toBeCloseTo((1 + 0.5 + 1) / 3, 12);
  expect(ssr.low).toBeLessThanOrEqual(ssr.value);
  expect(ssr.high).toBeGreaterThanOrEqual(ssr.value);
  expect(byLevel.map(({ level, hsr: { value } }) => [level, value])).toEqual([
    [1, 1],
    [2, 0.5],
  ]);
  expect(judged[1]).toEqual({ prompt: 'q', response: 'a, b', satisfied: [false, true] });
});
