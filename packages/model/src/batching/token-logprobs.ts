/** Log-probability (natural logarithm) of one token, and of the likeliest ones in its place. */
export interface TokenLogprob {
  logprob: number;
  /** Likeliest first; of equals the smaller id. */
  top: { id: number; logprob: number }[];
}

/** Log-probabilities under softmax of logits [V]: of `id`, and of the `numTop` likeliest tokens. */
export function tokenLogprob(logits: Float32Array, id: number, numTop: number): TokenLogprob {
  let max = -Infinity;
  for (const logit of logits) if (logit > max) max = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  const logSum = max + Math.log(sum);
  const top = likeliest(logits, numTop).map((best) => ({ id: best, logprob: logits[best] - logSum }));
  return { logprob: logits[id] - logSum, top };
}

/** Ids of the `count` largest values, largest first, of equals the smaller id; one pass, meant for small counts. */
function likeliest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  if (count === 0) return best;
  for (let id = 0; id < values.length; id++) {
    if (best.length === count && !(values[id] > values[best[count - 1]])) continue;
    let at = best.length;
    while (at > 0 && values[id] > values[best[at - 1]]) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
