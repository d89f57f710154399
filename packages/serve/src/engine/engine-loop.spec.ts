import type { BatchEvent, TokenLogprob } from '@lethe/model';
import { inParts } from './engine-loop.js';

const scored = (count: number, numTop: number): (TokenLogprob | null)[] =>
  Array.from({ length: count }, (_, i) =>
    i === 0 ? null : { logprob: -i, top: Array.from({ length: numTop }, (_, id) => ({ id, logprob: -i })) },
  );

describe('inParts', () => {
  it('gives the scores of a prompt in messages of bounded size, in order, and the other events as they are', () => {
    const logprobs = scored(25, 3);
    const events: BatchEvent[] = [
      { id: 1, event: { kind: 'shared', numTokens: 4 } },
      { id: 2, event: { kind: 'prompt', logprobs } },
      { id: 2, event: { kind: 'end', reason: 'length' } },
    ];
    const parts = [...inParts(events, 40)];
    expect(parts.length).toBeGreaterThan(2);
    const all = parts.flat();
    for (const part of parts) {
      const count = part.reduce((sum, { event }) => sum + (event.kind === 'prompt' ? 4 * event.logprobs.length : 1), 0);
      expect(count).toBeLessThanOrEqual(40);
    }
    expect(all.flatMap(({ event }) => (event.kind === 'prompt' ? event.logprobs : []))).toEqual(logprobs);
    expect([all[0], all.at(-1)]).toEqual([events[0], events[2]]);
    expect([...inParts(events, 1000)]).toEqual([events]);
    expect([...inParts([])]).toEqual([]);
  });
});
