// The forgetting losses that are no weight c(p) on (e_y - q): on all logits of a row, in double precision
// (docs/math.md, section 3). P = softmax(z), p = P_y, m = z_y - LSE over v != y; 1 - p is sigmoid(-m).
import type { LogitRow } from '@lethe/tensor';
import { exponentsOf, type ForgettingLoss } from './methods.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** log sum exp over all v but one (-1: over all). */
function logSumExp(z: Float32Array, but: number): number {
  let top = -Infinity;
  for (let v = 0; v < z.length; v++) if (v !== but && z[v] > top) top = z[v];
  let total = 0;
  for (let v = 0; v < z.length; v++) if (v !== but) total += Math.exp(z[v] - top);
  return top + Math.log(total);
}

/** A row's target and what follows from its logits. */
export interface ForgetRow {
  y: number;
  nll: number;
  p: number;
  /** 1 - p, exact where p is near 1. */
  rest: number;
  /** P [V]. */
  all: Float64Array;
}

/** The target's probability and all others. */
export function forgetRow(z: Float32Array, y: number): ForgetRow {
  const others = logSumExp(z, y);
  const m = z[y] - others;
  const whole = others + softplus(m);
  const all = Float64Array.from(z, (x) => Math.exp(x - whole));
  return { y, nll: softplus(-m), p: sigmoid(m), rest: sigmoid(-m), all };
}

/** Writes w (e_y - P), the gradient of w log p. */
function ascend(row: ForgetRow, w: number, dz: Float32Array): void {
  for (let v = 0; v < dz.length; v++) dz[v] = v === row.y ? w * row.rest : -w * row.all[v];
}

/** A row's loss; its gradient goes into dz. */
type Form = (row: ForgetRow, dz: Float32Array, logits: LogitRow) => number;

/** 1-p fed to a softmax cross-entropy: log sum exp(-P) + p. */
const complementSoftmax: Form = ({ y, p, all }, dz) => {
  let total = 0;
  for (const q of all) total += Math.exp(-q);
  const slope = (v: number): number => (v === y ? 1 : 0) - Math.exp(-all[v]) / total;
  let mean = 0;
  for (let v = 0; v < all.length; v++) mean += all[v] * slope(v);
  for (let v = 0; v < all.length; v++) dz[v] = all[v] * (slope(v) - mean);
  return Math.log(total) + p;
};

const invertedHinge: Form = ({ y, p, rest, all }, dz) => {
  let m = y === 0 ? 1 : 0;
  for (let v = 0; v < all.length; v++) if (v !== y && all[v] > all[m]) m = v;
  const top = all[m];
  for (let v = 0; v < all.length; v++) dz[v] = (top - p) * all[v];
  dz[y] = p * rest + p * top;
  dz[m] = (top - p) * top - top;
  return 1 + p - top;
};

function tokenPreference(b: number): Form {
  return (row, dz, { original }) => {
    const before = forgetRow(original!, row.y).nll;
    const w = 2 * sigmoid(-b * (row.nll - before));
    ascend(row, w, dz);
    return -w * row.nll;
  };
}

function selfDistillation(b: number): Form {
  return ({ y, nll, all }, dz, { z, original }) => {
    const lowered = original!.slice();
    lowered[y] -= b;
    const [teacher, student] = [logSumExp(lowered, -1), z[y] + nll];
    let loss = 0;
    for (let v = 0; v < all.length; v++) {
      const t = Math.exp(lowered[v] - teacher);
      if (t > 0) loss += t * (student - z[v]);
      dz[v] = all[v] - t;
    }
    return loss;
  };
}

/** What a loss of whole sequences adds for each row: `weights` [N] of (e_y - P), and each sequence's loss at its first row. */
export interface SequenceTerms {
  weights: Float64Array;
  losses: Float64Array;
  numSequences: number;
}

/** Negative log-likelihoods of forget rows by the trained and the original model, and the sequence that each row is of. */
export interface SequenceRows {
  rows: readonly number[];
  sequenceOf: ArrayLike<number>;
  nll: ArrayLike<number>;
  originalNll?: ArrayLike<number>;
}

/** The loss of each sequence and the weight of its tokens, for `npo` and `simnpo`. */
export function sequenceTerms(
  loss: ForgettingLoss,
  { rows, sequenceOf, nll, originalNll }: SequenceRows,
): SequenceTerms {
  const { beta1: b, beta2: d } = exponentsOf(loss);
  const members = new Map<number, number[]>();
  for (const n of rows) {
    const known = members.get(sequenceOf[n]);
    if (known) known.push(n);
    else members.set(sequenceOf[n], [n]);
  }
  const weights = new Float64Array(nll.length);
  const losses = new Float64Array(nll.length);
  for (const sequence of members.values()) {
    const total = (of: ArrayLike<number>): number => sequence.reduce((sum, n) => sum + of[n], 0);
    const tokens = sequence.length;
    const lead = loss.method === 'npo' ? total(nll) - total(originalNll!) : total(nll) / tokens - d;
    losses[sequence[0]] = (2 / b) * softplus(-b * lead);
    const w = (2 * sigmoid(-b * lead)) / (loss.method === 'npo' ? 1 : tokens);
    for (const n of sequence) weights[n] = w;
  }
  return { weights, losses, numSequences: members.size };
}

/** The form of a method that the fused head does not compute. */
export function logitForm(loss: ForgettingLoss, sequences?: SequenceTerms): Form {
  const { beta1: b } = exponentsOf(loss);
  switch (loss.method) {
    case 'complement-softmax':
      return complementSoftmax;
    case 'ihl':
      return invertedHinge;
    case 'tnpo':
      return tokenPreference(b);
    case 'undial':
      return selfDistillation(b);
    case 'npo':
    case 'simnpo':
      return (row, dz, { n }) => {
        ascend(row, sequences!.weights[n], dz);
        return sequences!.losses[n];
      };
    default:
      throw new RangeError(`logitForm: ${loss.method} is the fused head's`);
  }
}
