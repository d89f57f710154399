import type { Overlaps, OverlapStatus, Place } from '@lethe/data-pipeline';
import { splitByOverlap } from './split-by-overlap.js';

const statuses: Record<number, OverlapStatus> = { 1: 'clean', 2: 'overlapping' };
const overlaps = { statusOf: ({ line }: Place) => statuses[line] } as unknown as Overlaps;
const placeOf = (line: number): Place | undefined => (line === 0 ? undefined : { file: 'f', line });
const split = (lines: number[]) => splitByOverlap(lines, { overlaps, placeOf }, (some) => some.join());

it('what nothing is known of counts as too short, and parts without items are left out', () => {
  expect(split([1, 2, 1, 0, 7])).toEqual({ clean: '1,1', overlapping: '2', tooShort: '0,7' });
  expect(split([2])).toEqual({ overlapping: '2' });
});

it('there is none where nothing was looked for', () => expect(split([0, 7])).toBeUndefined());
