/** Natural logarithms of 0!, 1!, .. n!. */
function logFactorials(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) logs[i] = logs[i - 1] + Math.log(i);
  return logs;
}

/**
 * McNemar's exact test, two-sided: of the items on which two models differ, as many are lost as recovered.
 * @returns the chance of a split at least as uneven, 1 where they differ on none.
 */
export function mcNemar(lost: number, recovered: number): number {
  const n = lost + recovered;
  const logs = logFactorials(n);
  let tail = 0;
  for (let i = 0; i <= Math.min(lost, recovered); i++) tail += Math.exp(logs[n] - logs[i] - logs[n - i] - n * Math.LN2);
  return Math.min(1, 2 * tail);
}

/**
 * Sign-flip permutation test of n paired differences, two-sided: how often random signs give a sum as far from 0. Every
 * call of what is returned uses the same signs, so that tests of shifted differences are comparable.
 * @param random uniform in [0, 1): a seeded stream.
 */
export function signFlipTest(
  n: number,
  random: () => number,
  rounds = 10_000,
): (differences: readonly number[]) => number {
  const signs = Int8Array.from({ length: n * rounds }, () => (random() < 0.5 ? 1 : -1));
  return (differences) => {
    const observed = Math.abs(differences.reduce((sum, x) => sum + x, 0));
    let asFar = 1; // the observed signs are one of the possible ones
    for (let r = 0; r < rounds; r++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += signs[r * n + i] * differences[i];
      if (Math.abs(sum) >= observed - 1e-12) asFar++;
    }
    return asFar / (rounds + 1);
  };
}

/** Holm's step-down adjustment: each p-value as it counts among all of them (Holm 1979). */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = pValues.map(() => 1);
  let most = 0;
  order.forEach((index, rank) => {
    most = Math.max(most, Math.min(1, (pValues.length - rank) * pValues[index]));
    adjusted[index] = most;
  });
  return adjusted;
}
