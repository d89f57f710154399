/** Whether `a` is nowhere larger than `b`, and somewhere smaller. */
const dominates = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value <= b[i]) && a.some((value, i) => value < b[i]);

/** For each point whether no other is as small in every coordinate and smaller in one: the Pareto front. */
export const onFront = (points: readonly (readonly number[])[]): boolean[] =>
  points.map((point) => !points.some((other) => dominates(other, point)));
