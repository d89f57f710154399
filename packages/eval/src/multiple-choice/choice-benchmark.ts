import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import { CEVAL_HARD, CEVAL_SUBJECTS } from './ceval-subjects.js';
import { readChoiceCsv } from './choice-csv.js';
import type { ChoiceSubject } from './choice-question.js';
import { CMMLU_SUBJECTS } from './cmmlu-subjects.js';
import { MMLU_CATEGORIES } from './mmlu-subjects.js';

/** Benchmarks of four-choice questions. */
export const CHOICE_BENCHMARKS = ['mmlu', 'cmmlu', 'ceval'] as const;
export type ChoiceBenchmark = (typeof CHOICE_BENCHMARKS)[number];

/** Splits with labels. */
export type ChoiceSplit = 'test' | 'val';

interface Layout {
  /** The split scored unless another is asked for. */
  split: ChoiceSplit;
  /** How files end, after the subject. */
  suffix: (split: string) => string;
  /** Title in prompts and categories; undefined where the benchmark knows no such subject. */
  describe: (subject: string) => Pick<ChoiceSubject, 'title' | 'categories'> | undefined;
}

const LAYOUTS: Record<ChoiceBenchmark, Layout> = {
  mmlu: {
    split: 'test',
    suffix: (split) => `_${split}.csv`,
    // Any name does, so that questions of one's own can be asked as MMLU's are.
    describe: (subject) => ({
      title: subject.replaceAll('_', ' '),
      categories: Object.keys(MMLU_CATEGORIES).filter((category) => MMLU_CATEGORIES[category].includes(subject)),
    }),
  },
  cmmlu: {
    split: 'test',
    suffix: () => '.csv',
    describe: (subject) => {
      if (!(subject in CMMLU_SUBJECTS)) return undefined;
      const [title, category, isChinaSpecific] = CMMLU_SUBJECTS[subject];
      return { title, categories: [category, ...(isChinaSpecific ? ['China specific'] : [])] };
    },
  },
  ceval: {
    split: 'val',
    suffix: (split) => `_${split}.csv`,
    describe: (subject) => {
      if (!(subject in CEVAL_SUBJECTS)) return undefined;
      const [title, category] = CEVAL_SUBJECTS[subject];
      return { title, categories: [category, ...(CEVAL_HARD.includes(subject) ? ['Hard'] : [])] };
    },
  },
};

/**
 * The subjects of a folder as the benchmark is distributed: `<split>/` with a CSV per subject, shots in `dev/`.
 * @throws UserError naming what is missing or unknown.
 */
export function readChoiceFolder(
  folder: string,
  benchmark: ChoiceBenchmark = 'mmlu',
  split: ChoiceSplit = LAYOUTS[benchmark].split,
): ChoiceSubject[] {
  const { suffix, describe } = LAYOUTS[benchmark];
  const from = join(folder, split);
  if (!existsSync(from)) {
    throw new UserError(
      `${from}: no such folder; expected ${benchmark}'s layout (dev/, ${split}/ with a CSV per subject)`,
    );
  }
  const files = readdirSync(from)
    .filter((name) => name.endsWith(suffix(split)))
    .sort();
  if (files.length === 0) throw new UserError(`${from}: no files named <subject>${suffix(split)}`);
  return files.map((file) => {
    const name = file.slice(0, -suffix(split).length);
    const described = describe(name);
    if (!described) throw new UserError(`${join(from, file)}: ${benchmark} has no subject ${name}; remove the file`);
    const shots = join(folder, 'dev', `${name}${suffix('dev')}`);
    const questions = readChoiceCsv(join(from, file));
    return { name, ...described, shots: existsSync(shots) ? readChoiceCsv(shots) : [], questions };
  });
}
