import * as tf from '@tensorflow/tfjs-core';
import { useDevice } from '@lethe/tensor';
import { ContinuousBatch } from './batching/continuous-batch.js';
import { baselm } from './config.js';
import { documentPerplexities } from './document-perplexities.js';
import { NonFiniteError } from './finite.js';
import { generate } from './generate.js';
import { initializeLlama } from './initialize.js';
import type { Llama } from './llama.js';
import { scoreSequences } from './score.js';

const V = 60;
const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 4, numKeyValueHeads: 2, headDim: 4 };
const DAMAGED = 'model.layers.1.mlp.up_proj.weight';
const EMBEDDING = 'model.embed_tokens.weight';

/** A model with one number of a parameter replaced. */
function damaged(name: string, at: number, value: number): Llama {
  const model = initializeLlama(baselm({ ...SIZES, vocabSize: V, maxPositions: 64, initializerRange: 0.4 }), 4);
  const parameter = model.parameter(name);
  const numbers = Float32Array.from(parameter.value.dataSync() as Float32Array);
  numbers[at] = value;
  (parameter.value as tf.Variable).assign(tf.tensor(numbers, parameter.value.shape));
  model.source = 'models/damaged';
  return model;
}

describe('numbers that are not finite', () => {
  beforeAll(() => useDevice('lethe-cpu'));

  it('stop scores and generation, with model, text and tensor named', () => {
    const model = damaged(DAMAGED, 5, NaN);
    const tensor = `tensor '${DAMAGED}' holds NaN at element 5 of [32, 16]: take another checkpoint`;
    const score = () => scoreSequences(model, [[1, 2, 3]], { nameOf: () => 'in.jsonl:7' });
    expect(score).toThrow(NonFiniteError);
    expect(score).toThrow(
      `models/damaged: log-probability of token 1 of in.jsonl:7: expected finite numbers, received NaN; ${tensor}`,
    );
    expect(() => generate(model, [[1, 2]], { maxNewTokens: 3 })).toThrow(
      `models/damaged: logits of token 1 after prompt 0: expected finite numbers, received NaN; ${tensor}`,
    );
    expect(() => documentPerplexities(model, [[1, 2, 3]])).toThrow(NonFiniteError);
  });

  it('fail the sequence that they are of in a batch, and no other', () => {
    // The embedding of id 9 alone is infinite.
    const model = damaged(EMBEDDING, 9 * 16, Infinity);
    const batch = new ContinuousBatch(model, { maxSequences: 2 });
    const request = { maxNewTokens: 2, stopIds: [9], sampling: {}, seed: 1, choice: 0 };
    batch.add({ ...request, prompt: [1, 9] }, 1);
    batch.add({ ...request, prompt: [1, 2] }, 2);
    const events = [...batch.step(), ...batch.step(), ...batch.step()];
    const failures = events.filter(({ event }) => event.kind === 'failure');
    expect(failures.map(({ id }) => id)).toEqual([1]);
    expect(failures[0].event).toMatchObject({ message: expect.stringContaining('logits after token 2 of the text') });
    expect(events.filter(({ id, event }) => id === 2 && event.kind === 'token')).toHaveLength(2);
  });

  it('are told as an overflow where all weights are finite', () => {
    const model = damaged(DAMAGED, 5, 3e38);
    const gate = model.parameter('model.layers.1.mlp.gate_proj.weight').value as tf.Variable;
    gate.assign(tf.fill(gate.shape, 3e38));
    expect(() => scoreSequences(model, [[1, 2, 3]])).toThrow(/all weights are finite, so hidden states overflow/);
  });
});
