import { fitPrompt } from './fit-prompt.js';

const encoder = { encode: (texts: string[]) => Promise.resolve(texts.map((text) => Array.from(text, Number))) };
const fit = (numShots: number, limit: number): ReturnType<typeof fitPrompt> =>
  fitPrompt(encoder, (shots) => `${'1'.repeat(3 * shots)}234`, { numShots, limit });

it('a prompt has as many shots as fit, and says that it has fewer than wanted', async () => {
  expect(await fit(2, 9)).toEqual({ ids: [1, 1, 1, 1, 1, 1, 2, 3, 4] });
  expect(await fit(2, 8)).toEqual({ ids: [1, 1, 1, 2, 3, 4], cut: 'shots' });
  expect(await fit(0, 3)).toEqual({ ids: [2, 3, 4] });
});

it('a question too long by itself loses its start', async () => {
  expect(await fit(2, 2)).toEqual({ ids: [3, 4], cut: 'start' });
});
