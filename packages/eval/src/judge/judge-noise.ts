/** How far a judge agrees with itself. */
export interface JudgeNoise {
  /** Times that every answer was judged. */
  rounds: number;
  /** A score in each round, and its standard deviation (n - 1). */
  scores: { name: string; values: number[]; sd: number }[];
  /** Items whose verdict is not the same in every round. */
  numUnsteady: number;
  /** Items whose verdicts could be read in every round. */
  numItems: number;
}

/** Standard deviation of a sample, n - 1; NaN below two values. */
export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}

/**
 * A judge's noise, from the verdicts of each item in each round.
 * @param verdicts undefined where a judgement could not be read.
 * @param scoresOf the scores of one round, by name.
 */
export function judgeNoise(
  verdicts: readonly (readonly (string | undefined)[])[],
  rounds: number,
  scoresOf: (round: number) => Record<string, number>,
): JudgeNoise {
  const byRound = Array.from({ length: rounds }, (_, round) => scoresOf(round));
  const scores = Object.keys(byRound[0]).map((name) => {
    const values = byRound.map((one) => one[name]);
    return { name, values, sd: standardDeviation(values) };
  });
  const read = verdicts.filter((all) => all.every((verdict) => verdict !== undefined));
  const numUnsteady = read.filter((all) => new Set(all).size > 1).length;
  return { rounds, scores, numUnsteady, numItems: read.length };
}
