import type { MetricsRecord } from '@lethe/run';
import { finalValidation, type StopRules, type ValidationPoint } from '@lethe/train';

/** The measures of a step's training rows that tell what unlearning did, in the names of metrics.jsonl. */
const OF_TRAINING = ['forgetting', 'forgetP', 'replay', 'mitigation'] as const;

/** Those of held-out rows, in the keys of its `validation`. */
const OF_VALIDATION = ['forgetP', 'forgetNll', 'replay', 'perplexity', 'mitigation'] as const;

/** What is known of a run: by training rows, and as `validation.` of held-out ones. */
export type Measure = (typeof OF_TRAINING)[number] | `validation.${(typeof OF_VALIDATION)[number]}`;
export type Measures = Partial<Record<Measure, number>>;

/** Every measure, in the order of tables. */
export const MEASURES: readonly Measure[] = [
  ...OF_TRAINING,
  ...OF_VALIDATION.map((name): Measure => `validation.${name}`),
];

/** What the front weighs, the smaller the better; `forgetP` means the same under every method. */
const AXES = ['forgetP', 'replay', 'mitigation'] as const;

/** Whether a measure is of held-out rows. */
export const isHeldOut = (measure: Measure): boolean => measure.startsWith('validation.');

/** Share of a run's steps, its last, over which the training measures at its end are means: one batch alone is noisy. */
const END_SHARE = 0.1;

/** What is known of a run at its start and at its end. */
export interface StartAndEnd {
  /** At step 1, before the first update; held-out measures at step 0, which is the same model. */
  start: Measures;
  /** Means over the last tenth of the steps; held-out measures of the model that the run ends with. */
  end: Measures;
}

/** The measures of a run from its records. */
export function measuresOf(
  records: readonly MetricsRecord[],
  validations: readonly (ValidationPoint & Record<string, number>)[],
  recipe: { steps: number; stop?: StopRules },
): StartAndEnd {
  const step = records.at(-1)?.step ?? 0;
  const tail = records.filter((record) => record.step > step - Math.ceil(END_SHARE * recipe.steps));
  return {
    start: { ...meansOf(records.filter((record) => record.step === 1)), ...heldOut(validations[0]) },
    end: { ...meansOf(tail), ...heldOut(finalValidation(validations, recipe.stop)) },
  };
}

function meansOf(records: readonly MetricsRecord[]): Measures {
  const known = OF_TRAINING.filter(
    (name) => records.length > 0 && records.every((record) => typeof record[name] === 'number'),
  );
  const mean = (name: Measure): number =>
    records.reduce((sum, record) => sum + (record[name] as number), 0) / records.length;
  return Object.fromEntries(known.map((name) => [name, mean(name)]));
}

const heldOut = (validation: Record<string, number> = {}): Measures =>
  Object.fromEntries(
    OF_VALIDATION.filter((name) => name in validation).map((name) => [`validation.${name}`, validation[name]]),
  );

/** The axes of the front of these runs: those that all of them have, of held-out rows where all have that. */
export function frontOf(ends: readonly Measures[]): Measure[] {
  const hasAll = (measure: Measure): boolean => ends.length > 0 && ends.every((end) => end[measure] !== undefined);
  return AXES.flatMap((axis) => [`validation.${axis}` as const, axis].filter(hasAll).slice(0, 1));
}
