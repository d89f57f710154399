/** N vectors of one dimension, one after the other. */
export interface Points {
  values: Float32Array;
  count: number;
}

/** The points less their mean, where rounding is smallest. */
export function withoutMean({ values, count: N }: Points): Float32Array {
  const D = values.length / N;
  const mean = new Float64Array(D);
  for (let i = 0; i < N; i++) for (let d = 0; d < D; d++) mean[d] += values[i * D + d] / N;
  const centred = new Float32Array(values.length);
  for (let i = 0; i < N; i++) for (let d = 0; d < D; d++) centred[i * D + d] = values[i * D + d] - mean[d];
  return centred;
}
