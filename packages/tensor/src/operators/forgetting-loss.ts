import { unlearnMethod } from '@lethe/native';

/** The forgetting losses, by the names of their papers (docs/math.md, section 3). */
export const FORGETTING_METHODS = ['complement', 'ga', 'wga', 'satimp', 'min-prob', 'unlikelihood-clamped'] as const;
export type ForgettingMethod = (typeof FORGETTING_METHODS)[number];

/** A forgetting loss and its exponents: beta1 of `wga` (default 1), beta1 and beta2 of `satimp` (5 and 1). */
export interface ForgettingLoss {
  method: ForgettingMethod;
  beta1?: number;
  beta2?: number;
}

interface Member {
  kind: keyof typeof unlearnMethod;
  /** Exponents that the method has, with their defaults. */
  exponents: { beta1?: number; beta2?: number };
}

// Ascent is p^beta1 (1-p)^beta2 log p with both exponents: `ga` has none, `wga` the first.
const FAMILY: Record<ForgettingMethod, Member> = {
  complement: { kind: 'complement', exponents: {} },
  ga: { kind: 'ascent', exponents: {} },
  wga: { kind: 'ascent', exponents: { beta1: 1 } },
  satimp: { kind: 'ascent', exponents: { beta1: 5, beta2: 1 } },
  'min-prob': { kind: 'probability', exponents: {} },
  'unlikelihood-clamped': { kind: 'clamped', exponents: {} },
};

/** Why the exponents do not fit the method, and of which one, or undefined where they do. */
export function exponentProblem(loss: ForgettingLoss): { key: 'beta1' | 'beta2'; message: string } | undefined {
  for (const key of ['beta1', 'beta2'] as const) {
    if (loss[key] === undefined) continue;
    if (FAMILY[loss.method].exponents[key] === undefined) {
      const owners = FORGETTING_METHODS.filter((method) => FAMILY[method].exponents[key] !== undefined);
      return { key, message: `${key} is an exponent of ${owners.join(' and ')}, not of ${loss.method}` };
    }
    if (!(loss[key] >= 0 && loss[key] < Infinity))
      return { key, message: `${key}: expected a finite exponent of 0 or more, received ${loss[key]}` };
  }
  return undefined;
}

/** The arguments `method`, `beta1` and `beta2` of the native operator. @throws RangeError on exponents that do not fit. */
export function forgettingArguments(loss: ForgettingLoss): { method: number; beta1: number; beta2: number } {
  const wrong = exponentProblem(loss);
  if (wrong) throw new RangeError(`unlearnHead: ${wrong.message}`);
  const { kind, exponents } = FAMILY[loss.method];
  const exponent = (key: 'beta1' | 'beta2'): number => loss[key] ?? exponents[key] ?? 0;
  return { method: unlearnMethod[kind], beta1: exponent('beta1'), beta2: exponent('beta2') };
}
