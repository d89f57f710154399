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

/** Signs of `rounds` drawings of n, or where there are fewer all 2^n ways to sign n differences, the observed one among them. */
function signsOf(n: number, random: () => number, rounds: number): { signs: Int8Array; isExact: boolean } {
  const isExact = 2 ** n <= rounds;
  const sign = isExact ? (k: number) => ((Math.floor(k / n) >> (k % n)) & 1 ? -1 : 1) : () => (random() < 0.5 ? 1 : -1);
  return { signs: Int8Array.from({ length: n * (isExact ? 2 ** n : rounds) }, (_, k) => sign(k)), isExact };
}

/**
 * Sign-flip permutation test of n paired differences, two-sided (Fisher 1935): how often other signs give a sum as far from
 * 0: of all 2^n signs where these are no more than `rounds`, otherwise of random ones. Every call of what is returned uses
 * the same signs, so that tests of shifted differences are comparable.
 * @param random uniform in [0, 1): a seeded stream.
 */
export function signFlipTest(
  n: number,
  random: () => number,
  rounds = 10_000,
): (differences: readonly number[]) => number {
  const { signs, isExact } = signsOf(n, random, rounds);
  return (differences) => {
    const observed = Math.abs(differences.reduce((sum, x) => sum + x, 0));
    let asFar = isExact ? 0 : 1; // the observed signs are one of the possible ones
    for (let from = 0; from < signs.length; from += n) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += signs[from + i] * differences[i];
      if (Math.abs(sum) >= observed - 1e-12) asFar++;
    }
    return asFar / (signs.length / n + (isExact ? 0 : 1));
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
