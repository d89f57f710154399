import * as tf from '@tensorflow/tfjs-core';
import { callOperator } from '../call.js';
import { precision } from '../precision.js';
import { accumulator, record } from '../tape.js';
import { registerOperator, runOperator } from './register.js';

registerOperator(
  'lethe.embedding',
  ({ ids, weight }, { bf16 }, backend) => {
    const [N, [V, D]] = [ids.shape[0], weight.shape];
    const y = backend.activation([N, D], Boolean(bf16));
    callOperator(backend, 'embedding', { N, V, D, ids, weight, y });
    return y;
  },
  ({ ids, weight }) => tf.gather(weight, ids),
);

// With an accumulator `dweight` the gradient is added there and nothing is returned.
registerOperator(
  'lethe.embedding_backward',
  ({ ids, dy, dweight }, { numRows }, backend) => {
    const [N, D] = dy.shape;
    const target = dweight ?? backend.output([numRows as number, D]);
    if (!dweight) callOperator(backend, 'fill', { N: (numRows as number) * D, y: target, value: 0 });
    callOperator(backend, 'embedding_backward', { N, V: numRows as number, D, ids, dy, dweight: target });
    return dweight ? [] : target;
  },
  ({ ids, dy }, { numRows }) => tf.unsortedSegmentSum(dy as tf.Tensor2D, ids as tf.Tensor1D, numRows as number),
);

tf.registerGradient({
  kernelName: 'lethe.embedding',
  inputsToSave: ['ids', 'weight'],
  gradFunc: (dy, [ids, weight]) => ({
    weight: () =>
      runOperator('lethe.embedding_backward', { ids, dy: dy as tf.Tensor }, { numRows: weight.shape[0] })[0],
  }),
});

/**
 * Rows of a table: y[n] = weight[ids[n]]. Also picks rows of any matrix.
 * @param ids int32 [N], each in [0, V).
 * @param weight [V, D].
 * @returns [N, D].
 */
export function embedding(ids: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const [y] = runOperator('lethe.embedding', { ids, weight }, { bf16: precision() === 'bf16' });
  const backward = ([dy]: (tf.Tensor | undefined)[]): (tf.Tensor | undefined)[] => {
    const inputs = { ids, dy, dweight: accumulator(weight) };
    return [undefined, runOperator('lethe.embedding_backward', inputs, { numRows: weight.shape[0] })[0]];
  };
  record({ inputs: [ids, weight], outputs: [y], saved: [ids], backward });
  return y;
}
