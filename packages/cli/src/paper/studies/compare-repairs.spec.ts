import { MEASURED_TEXTS, type PaperMeasures } from '../measures/measure-model.js';
import { compareRepairs } from './compare-repairs.js';
import { methodRepairs } from './methods.js';
import { QUICK } from '../regime.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';

/** Measures whose every item is the same: what is counted is met or not. */
function measuresOf({
  hsr = 0,
  knows = 1,
  natural = 3,
}: {
  hsr?: number;
  knows?: number;
  natural?: number;
}): PaperMeasures {
  const each = <T>(value: T): Record<(typeof MEASURED_TEXTS)[number], T> =>
    Object.fromEntries(MEASURED_TEXTS.map((name) => [name, value])) as Record<(typeof MEASURED_TEXTS)[number], T>;
  return {
    logPerplexities: { ...each([1, 1]), natural: [natural, natural] },
    perplexity: each(1),
    patternP: [0.1],
    leak: [0, 1],
    knows: Array.from({ length: 4 }, (_, i) => (i < 4 * knows ? 1 : 0)),
    hsr: Array.from({ length: 10 }, (_, i) => (i < 10 * hsr ? 1 : 0)),
    ssr: [],
    samples: [],
  };
}

const repairs = methodRepairs(QUICK);
const names = Object.keys(repairs);
const [first, second, third] = names;

function lineage(seed: number, steps: Record<string, number>): LineageMeasures {
  const of: Record<string, PaperMeasures> = {
    ...Object.fromEntries(names.map((name) => [name, measuresOf({ hsr: 0.1, knows: 0.5 })])),
    control: measuresOf({ hsr: 0.1 }),
    synth: measuresOf({}),
    [first]: measuresOf({ hsr: 0.4, knows: 0.75, natural: 3.5 }),
    [second]: measuresOf({ hsr: 0.6, knows: 0.5 }),
    [third]: measuresOf({ hsr: 0.9, knows: 1 }),
  };
  const chats = Object.fromEntries(Object.entries(of).map(([name, one]) => [name, [one]]));
  const all = Object.fromEntries(names.map((name) => [name, steps[name] ?? 4]));
  return { seed, models: of, chats, steps: all, refined: [], texts: {} as LineageMeasures['texts'] };
}

it('a method is told by what it gains above replay alone, and by what it costs', () => {
  const results = compareRepairs([lineage(1, {}), lineage(2, {})], QUICK, repairs);
  expect(results.map(({ name }) => name)).toEqual(names);
  const { row, reached, steps, repair, lost, price } = results[0];
  expect({ row, reached, steps }).toEqual({ row: ['complement', '0.1'], reached: 2, steps: 4 });
  expect([repair.effect, lost.effect, price.effect].map((x) => Number(x.toFixed(9)))).toEqual([30, 25, 0.5]);
});

it('the front is of methods that reached the goal in every seed: nothing gains more and loses less', () => {
  const onFront = (steps: Record<string, number>): string[] =>
    compareRepairs([lineage(1, {}), lineage(2, steps)], QUICK, repairs).flatMap(({ name, onFront: is }) =>
      is ? [name] : [],
    );
  expect(onFront({})).toEqual([third]);
  expect(onFront({ [third]: QUICK.untilGone.steps })).toEqual([first, second]);
});
