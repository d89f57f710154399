import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '@lethe/run';
import { type DeviceName, frozenWeight, gradients, type Precision, unlearnHead, useDevice } from '@lethe/tensor';
import { type Finding, ok, problem, reasonOf } from './finding.js';

// N rows (2 to forget), D hidden width, V vocabulary: uneven, so that vector code ends within a block.
const [N, D, V] = [7, 48, 203];
/** In bf16 the gradients of logits are rounded to it for the products. */
const EPSILON: Record<Precision, number> = { fp32: 2 ** -23, bf16: 2 ** -8 };

/** A tensor as rows of numbers. */
export type Rows = { values: Float32Array; length: number };

const rowsOf = (tensor: tf.Tensor): Rows => ({
  values: tensor.dataSync() as Float32Array,
  length: tensor.shape.at(-1) ?? 1,
});

/** Loss and gradients of the fused head on a device, from the same inputs everywhere. */
export async function fusedHead(device: DeviceName, precision: Precision): Promise<Rows[]> {
  await useDevice(device, precision);
  const random = seededRandom(1, 'doctor');
  // Sixteenths, which bf16 holds exactly: its errors are those of the computation.
  const sixteenth = (): number => Math.round(4 * random.normal()) / 16;
  const matrix = (rows: number): tf.Tensor =>
    tf.tensor2d(Float32Array.from({ length: rows * D }, sixteenth), [rows, D]);
  // What bf16 holds in bf16: hidden states, and the frozen original model.
  const inputs = [frozenWeight(matrix(N)), matrix(V)];
  const original = { originalHidden: frozenWeight(matrix(N - 2)), originalWeight: frozenWeight(matrix(V)) };
  const targets = tf.tensor1d([3, V - 1, 0, -1, 17, 64, 100], 'int32');
  const scales = { forgetting: 0.2, replay: 0.3, mitigation: 0.5 };
  const head = (): tf.Tensor =>
    unlearnHead({ hidden: inputs[0], weight: inputs[1], targets, ...original }, { numForget: 2, scales }).loss;
  const { value, gradients: found } = gradients(head, inputs);
  return [value, ...found.map((gradient) => gradient!)].map(rowsOf);
}

/** The largest error, relative to the largest element of its row; Infinity where there is a NaN. */
export function relativeError({ values }: Rows, truth: Rows): number {
  let worst = 0;
  for (let begin = 0; begin < truth.values.length; begin += truth.length) {
    const row = truth.values.subarray(begin, begin + truth.length);
    const size = row.reduce((top, x) => Math.max(top, Math.abs(x)), 1e-30);
    row.forEach((x, i) => {
      const error = Math.abs(values[begin + i] - x) / size;
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    });
  }
  return worst;
}

/** Runs the fused head on the CPU device and holds it against the reference, in both precisions. */
export async function checkOperators(compute = fusedHead): Promise<Finding> {
  const shares: string[] = [];
  let worst = 0;
  try {
    const truth = await compute('lethe-reference', 'fp32');
    const naive = await compute('cpu', 'fp32'); // tfjs's own device: all logits at once, in single precision
    for (const precision of ['fp32', 'bf16'] as const) {
      const fast = await compute('lethe-cpu', precision);
      // The error budget of docs/math.md, section 5, as native/tests measures it.
      const allowed = truth.map((rows, i) => 4 * relativeError(naive[i], rows) + 4 * EPSILON[precision]);
      const share = Math.max(...truth.map((rows, i) => relativeError(fast[i], rows) / allowed[i]));
      shares.push(`${precision} ${(100 * share).toFixed(0)}%`);
      worst = Math.max(worst, share);
    }
  } catch (error) {
    return problem(
      'operators',
      `the fused head does not run: ${reasonOf(error)}`,
      'correct what it names, or build the addon anew: node scripts/build.mjs (docs/cpu.md)',
    );
  }
  const found = `fused head on lethe-cpu against lethe-reference: ${shares.join(', ')} of the error allowed`;
  if (worst <= 1) return ok('operators', found);
  return problem('operators', found, 'do not train with it: build anew, try LETHE_SIMD=avx2, and report this line');
}
