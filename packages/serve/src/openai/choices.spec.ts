import type { Exchange } from '../http/exchange.js';
import { type ChoicesOptions, prepareChoices } from './choices.js';
import { parseCompletionRequest } from './completion-request.js';
import type { ServedModel } from './served-model.js';

const config = { vocabSize: 10, maxPositions: 131_072 };
const engine = { config, requireRoom: () => {} };
const served = { engine, stopIds: [] } as unknown as ServedModel;

function prepare(numTokens: number, options: Partial<ChoicesOptions>, body: object = {}): number {
  const sampling = parseCompletionRequest({ prompt: 'a', ...body });
  const common = { sampling, maxTokens: 0, echo: true, numTop: 20, param: 'prompt', exchange: {} as Exchange };
  return prepareChoices(served, [{ ids: new Int32Array(numTokens) }], { ...common, ...options }).numChoices;
}

describe('the work that a request asks for', () => {
  it('is refused before it is done where the answer would hold too many log-probabilities', () => {
    expect(() => prepare(100_000, {})).toThrow(/at most 524288 log-probabilities .* up to 2100000 \(100000 tokens, 21/);
    expect(() => prepare(10, { maxTokens: 30_000, echo: false })).toThrow(/up to 630000 \(30000 tokens/);
    expect(() => prepare(10_000, {}, { n: 3 })).toThrow(/30000 tokens/);
  });

  it('is what an answer holds: not what a stream has sent, nor a prompt that is not scored', () => {
    expect(prepare(100_000, { numTop: 4 })).toBe(1);
    expect(prepare(100_000, { numTop: undefined })).toBe(1);
    expect(prepare(100_000, { echo: false, maxTokens: 20_000 })).toBe(1);
    expect(prepare(10, { echo: false, maxTokens: 100_000 }, { stream: true })).toBe(1);
  });
});
