import type { ForgettingForm } from '@lethe/tensor';

/** Which exponent of the native form a method opens, the values it may take, and the one of its paper. */
export interface Exponent {
  default: number;
  min: number;
  /** Excluded, so that Infinity means any finite value. */
  below: number;
  /** The letter of its formula, where it is no exponent of p or 1-p. */
  letter?: 'b' | 'd';
}

export type ExponentName = 'beta1' | 'beta2';

/** A forgetting loss of a token with probability p, as the docs, the help and the schema of a recipe tell of it. */
export interface ForgettingMethodEntry {
  paper: string;
  /** The loss in p; a row of docs/math.md, section 3. */
  loss: string;
  /** c(p), where the gradient with respect to the logits is `c(p) * (e_y - q)`; else that gradient. */
  weight: string;
  exponents: Partial<Record<ExponentName, Exponent>>;
  /** The form of native/core/forgetting.h that computes it; `logits`: packages/losses/src/logit-forms.ts does, on all logits of a row. */
  kind: ForgettingForm['kind'] | 'logits';
  /** The losses of a sequence's tokens depend on each other, and the mean is over sequences. */
  isSequenceLevel?: true;
  /** It needs the original model on forget rows too. */
  needsOriginal?: true;
  /** It falls without end as p goes to 0. */
  isUnbounded?: true;
  help: string;
}

const exponent = (value: number): Exponent => ({ default: value, min: 0, below: Infinity });
/** A positive factor b of a formula. */
const factor = (value: number): Exponent => ({ default: value, min: 1e-3, below: Infinity, letter: 'b' });

const METHODS = {
  complement: {
    paper: 'Chen et al. 2024; the gradient of Welleck et al. 2019 and of CE-U',
    loss: '-log(1-p)',
    weight: 'p',
    exponents: {},
    kind: 'complement',
    help: 'never below 0; pushes hardest where the model is surest, and lets go of what is forgotten',
  },
  ga: {
    paper: 'Thudi et al. 2022',
    loss: 'log p',
    weight: '1-p',
    exponents: {},
    kind: 'ascent',
    isUnbounded: true,
    help: 'gradient ascent: no lower bound, pushes for ever, and hardly at what is memorised',
  },
  wga: {
    paper: 'Wang et al. 2025',
    loss: 'p^beta1 log p',
    weight: 'p^beta1 (1-p)',
    exponents: { beta1: exponent(1) },
    kind: 'ascent',
    help: 'weighted gradient ascent: lets go as p falls; the weight is held fixed',
  },
  satimp: {
    paper: 'Yang et al. 2025',
    loss: 'p^beta1 (1-p)^beta2 log p',
    weight: 'p^beta1 (1-p)^(beta2+1)',
    exponents: { beta1: exponent(5), beta2: exponent(1) },
    kind: 'ascent',
    help: 'saturation and importance: pushes at middling p; the weight is held fixed',
  },
  'min-prob': {
    paper: 'none: an ablation',
    loss: 'p',
    weight: 'p(1-p)',
    exponents: {},
    kind: 'probability',
    help: 'the probability itself: between 0 and 1, pushes hardest at p = 1/2',
  },
  'unlikelihood-clamped': {
    paper: 'the code of Welleck et al. 2019',
    loss: '-log max(1-p, 1e-5)',
    weight: 'p, 0 at the clamp',
    exponents: {},
    kind: 'clamped',
    help: 'to reproduce the literature: no push at all where p > 1 - 1e-5',
  },
  'complement-normalized': {
    paper: 'a reading of Chen et al. 2024',
    loss: '-log((1-p)/(V-1))',
    weight: 'p',
    exponents: {},
    kind: 'complement',
    help: 'complement plus log(V-1): the vector 1-p made a distribution; the same gradient',
  },
  'complement-softmax': {
    paper: 'a reading of Chen et al. 2024',
    loss: '-log softmax(1-p)_y',
    weight: 'dz_k = p_k (g_k - sum_v p_v g_v), g = e_y - softmax(-p)',
    exponents: {},
    kind: 'logits',
    help: '1-p fed to a softmax cross-entropy, a likely accident: an ablation',
  },
  tnpo: {
    paper: 'Wang et al. 2025',
    loss: 'w log p, w = 2 p^b / (p^b + p_ori^b)',
    weight: 'w (1-p)',
    exponents: { beta1: factor(4) },
    kind: 'logits',
    needsOriginal: true,
    help: 'gradient ascent that lets go of a token once it is less likely than it was; w is held fixed',
  },
  npo: {
    paper: 'Zhang et al. 2024',
    loss: '-(2/b) log sigmoid(b (NLL - NLL_ori))',
    weight: 'w (1-p), w = 2 sigmoid(-b (NLL - NLL_ori))',
    exponents: { beta1: factor(0.1) },
    kind: 'logits',
    isSequenceLevel: true,
    needsOriginal: true,
    help: 'negative preference of whole sequences; NLL is summed over the sequence',
  },
  simnpo: {
    paper: 'Fan et al. 2024',
    loss: '-(2/b) log sigmoid(b (NLL/n - d))',
    weight: 'w (1-p), w = (2/n) sigmoid(-b (NLL/n - d))',
    exponents: { beta1: factor(4.5), beta2: { ...exponent(0), letter: 'd' } },
    kind: 'logits',
    isSequenceLevel: true,
    help: 'the same by the mean over a sequence of n tokens, without the original model',
  },
  ihl: {
    paper: 'Cha et al. 2024',
    loss: '1 + p - max_{v != y} p_v',
    weight: 'dz = p (e_y - P) - p_m (e_m - P)',
    exponents: {},
    kind: 'logits',
    help: 'inverted hinge: lifts the runner-up m in place of the target; P = softmax(z)',
  },
  undial: {
    paper: 'Dong et al. 2024',
    loss: 'CE(softmax(z_ori - b e_y), P)',
    weight: 'dz = P - softmax(z_ori - b e_y)',
    exponents: { beta1: factor(10) },
    kind: 'logits',
    needsOriginal: true,
    help: 'distils the original model with the target lowered by b',
  },
} satisfies Record<string, ForgettingMethodEntry>;

export type ForgettingMethod = keyof typeof METHODS;

/** The forgetting losses by the names that a recipe's `objective.method` takes. The first one is the default. */
export const FORGETTING_METHODS: Record<ForgettingMethod, ForgettingMethodEntry> = METHODS;

export const forgettingMethodNames = Object.keys(METHODS) as [ForgettingMethod, ...ForgettingMethod[]];

/** A forgetting loss with the exponents that a recipe sets; those left out are the method's own. */
export interface ForgettingLoss {
  method: ForgettingMethod;
  beta1?: number;
  beta2?: number;
}

const EXPONENT_NAMES: ExponentName[] = ['beta1', 'beta2'];

/** The methods that have an exponent (of a letter), each with its default: `wga (1) and satimp (5)`. */
function owners(name: ExponentName, withDefaults: boolean, letter?: Exponent['letter'] | 'any'): string {
  const having = forgettingMethodNames.flatMap((method) => {
    const found = FORGETTING_METHODS[method].exponents[name];
    if (!found || (letter !== 'any' && found.letter !== letter)) return [];
    return [withDefaults ? `${method} (${found.default})` : method];
  });
  return having.length < 2 ? having.join('') : `${having.slice(0, -1).join(', ')} and ${having.at(-1)}`;
}

/** What an exponent is, for the help of a recipe. */
export const exponentHelp = (name: ExponentName): string => {
  const letter = name === 'beta1' ? 'b' : 'd';
  const exponents = `exponent of ${name === 'beta1' ? 'p' : '1-p'} in the weight of ${owners(name, true, undefined)}`;
  return `${exponents}; ${letter} of ${owners(name, true, letter)}`;
};

/** Two lines for each forgetting loss: its name and formula; what it does and where it comes from. */
export function methodsHelp(): string {
  const wide = Math.max(...forgettingMethodNames.map((method) => method.length));
  return forgettingMethodNames
    .map((method) => {
      const { loss, help, paper } = FORGETTING_METHODS[method];
      return `${method.padEnd(wide)}  ${loss}\n    ${help} (${paper})`;
    })
    .join('\n');
}

/** Why the exponents do not fit the method, and of which one, or undefined where they do. */
export function exponentProblem(loss: ForgettingLoss): { key: ExponentName; message: string } | undefined {
  for (const key of EXPONENT_NAMES) {
    const value = loss[key];
    if (value === undefined) continue;
    const range = FORGETTING_METHODS[loss.method].exponents[key];
    if (!range) return { key, message: `${key} is an exponent of ${owners(key, false, 'any')}, not of ${loss.method}` };
    if (!(value >= range.min && value < range.below))
      return { key, message: `${key} of ${loss.method}: expected ${rangeText(range)}, received ${value}` };
  }
  return undefined;
}

/** A range of an exponent in words. */
export const rangeText = ({ min, below }: Exponent): string =>
  below === Infinity ? `a finite exponent of ${min} or more` : `an exponent from ${min} to below ${below}`;

/** What the fused head computes for a forgetting loss. @throws RangeError on exponents that do not fit. */
export function forgettingForm(loss: ForgettingLoss): ForgettingForm {
  const { kind } = FORGETTING_METHODS[loss.method];
  if (kind === 'logits') throw new RangeError(`forgetting loss: ${loss.method} has no form in the fused head`);
  return { kind, ...exponentsOf(loss) };
}

/** The exponents of a loss, its method's own where it sets none. @throws RangeError on exponents that do not fit. */
export function exponentsOf(loss: ForgettingLoss): Record<ExponentName, number> {
  const wrong = exponentProblem(loss);
  if (wrong) throw new RangeError(`forgetting loss: ${wrong.message}`);
  const { exponents } = FORGETTING_METHODS[loss.method];
  const valueOf = (key: ExponentName): number => loss[key] ?? exponents[key]?.default ?? 0;
  return { beta1: valueOf('beta1'), beta2: valueOf('beta2') };
}
