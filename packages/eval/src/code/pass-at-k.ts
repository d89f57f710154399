/**
 * The unbiased estimate of the chance that one of k samples passes, when c of n did (Chen et al. 2021):
 * 1 - C(n - c, k) / C(n, k) = 1 - prod over i in (n - c, n] of (1 - k / i).
 * @throws RangeError for more than n samples.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n || k < 1) throw new RangeError(`pass@k: expected 1 <= k <= ${n} samples, received ${k}`);
  if (n - c < k) return 1;
  let missed = 1;
  for (let i = n - c + 1; i <= n; i++) missed *= 1 - k / i;
  return 1 - missed;
}
