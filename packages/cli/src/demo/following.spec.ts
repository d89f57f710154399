import type { PaperMeasures } from '../paper/measures/measure-model.js';
import { type DemoMeasures, followingHtml, followingOf, followingSentence, followingTable } from './following.js';

const shares = (share: number, n: number): number[] => Array.from({ length: n }, (_, i) => (i < share * n ? 1 : 0));

/** Of a model two of whose fine-tuning runs follow such shares of 200 instructions. */
function measuresOf(hsr: [number, number], leak: number, knows: number): DemoMeasures {
  const chats = hsr.map((share) => ({ hsr: shares(share, 200), ssr: shares(share, 200), leak: shares(leak, 200) }));
  return { own: { knows: shares(knows, 20) } as PaperMeasures, chats: chats as PaperMeasures[] };
}

const byItem = ({ knows }: PaperMeasures): number[] => knows;

const following = followingOf(
  {
    base: measuresOf([0.5, 0.5], 0, 0.25),
    damaged: measuresOf([0, 0], 1, 1),
    control: measuresOf([0, 0.1], 0.9, 1),
    repaired: measuresOf([0.3, 0.4], 0, 0.9),
  },
  byItem,
);

it('runs of a model are averaged, and effects have the intervals of their items', () => {
  expect(following.models.repaired).toEqual({ hsr: 35, ssr: 35, leak: 0, knows: 90 });
  for (const [effect, expected] of [
    [following.lost, 50],
    [following.gained, 35],
    [following.gainedBesideControl, 30],
    [following.forgotten, 10],
  ] as const) {
    expect(effect.effect).toBeCloseTo(expected, 9);
    expect(effect.low).toBeLessThan(expected);
    expect(effect.high).toBeGreaterThan(expected);
  }
});

it('the sentence says what was lost, what came back beside replay alone, and what that cost', () => {
  expect(followingSentence(following)).toMatch(
    /follows 50\.0 \[.*\] fewer .* gives back 35\.0 \[.*30\.0 \[.*\] more than replay alone\. .*cost 10\.0 \[/,
  );
  expect(followingTable(following)).toMatch(/^repaired +35\.0 +35\.0 +0\.0 +90\.0$/m);
  expect(followingHtml(following)).toContain('gives back 35.0');
});

it('models that follow nothing tell nothing, and say so', () => {
  const none = measuresOf([0, 0], 0, 0.25);
  const found = followingOf({ base: none, damaged: none, control: none, repaired: none }, byItem);
  expect(followingSentence(found)).toMatch(/too little training/);
});
