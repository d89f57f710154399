import { seededRandom } from '@lethe/run';
import { descendingOrder, sampleToken } from './sampling.js';

const random = seededRandom(3, 'sampling');
const logitsOf = (length: number): Float32Array => Float32Array.from({ length }, () => 4 * random.normal());

describe('descendingOrder', () => {
  it('sorts as a comparison would: infinities, zeros of both signs, equals by index', () => {
    const values = Float32Array.of(0, -0, 1, -1, Infinity, -Infinity, 1, 1e-40, -1e-40, 3e38, -3e38, ...logitsOf(500));
    const expected = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
    expect([...descendingOrder(values)]).toEqual(expected);
  });
});

describe('sampleToken', () => {
  it('draws tokens as often as softmax at the temperature says', () => {
    const logits = Float32Array.of(1, 0, 2, -1);
    const counts = [0, 0, 0, 0];
    const trials = 20000;
    for (let i = 0; i < trials; i++) counts[sampleToken(logits, { temperature: 0.7 }, random)]++;
    const weights = [...logits].map((logit) => Math.exp(logit / 0.7));
    const total = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, id) => expect(Math.abs(counts[id] / trials - weight / total)).toBeLessThan(0.015));
  });

  it('keeps to the k likeliest, and to the smallest set that reaches p', () => {
    const logits = logitsOf(300);
    const order = [...descendingOrder(logits)];
    const drawn = (sampling: { topK?: number; topP?: number }): Set<number> =>
      new Set(Array.from({ length: 2000 }, () => sampleToken(logits, { temperature: 5, ...sampling }, random)));
    expect([...drawn({ topK: 3 })].sort()).toEqual(order.slice(0, 3).sort());
    expect([...drawn({ topP: 1e-9 })]).toEqual([order[0]]);
    expect(drawn({}).size).toBeGreaterThan(100);
  });

  it('temperature 0 takes the likeliest, the first of equals; above 0 it needs randomness', () => {
    expect(sampleToken(Float32Array.of(1, 3, 3), {})).toBe(1);
    expect(() => sampleToken(Float32Array.of(1, 3), { temperature: 1 })).toThrow(/seeded random stream/);
  });
});
