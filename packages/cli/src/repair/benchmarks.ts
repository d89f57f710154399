import {
  type Answered,
  compareEvaluations,
  type EvalItem,
  type Evaluation,
  evalRecipeSchema,
  type EvalTask,
  isAnswered,
  type ModelComparison,
  runEvaluation,
} from '@lethe/eval';
import { loadRecipe, type Logger } from '@lethe/run';
import type { ScoredModel } from './fine-tune.js';
import type { InstructionFile } from './instruction-parts.js';
import type { BenchmarkScores, Evidence, Interval } from './results.js';

/** What models are scored on: the tasks of an evaluation recipe, and instructions that rules check. */
export interface Benchmarks {
  recipe?: string;
  instructions: InstructionFile[];
}

/** Points of a benchmark that a repair may lose. */
const MOST_LOSS = 0.05;
/** Benchmarks of instructions: a repair is to give back what they ask for, and to keep what the others do. */
const FOLLOWING: readonly EvalTask['kind'][] = ['instructions', 'ifeval', 'followbench', 'mt-bench'];

/** The models on the benchmarks that were asked for. */
export interface ScoredBenchmarks {
  againstStart: ModelComparison;
  againstControl: ModelComparison;
  /** The model before against the base it was made of, where that is known. */
  damage?: ModelComparison;
  scores: BenchmarkScores;
  /** Names of those that are of instructions. */
  following: string[];
}

/** Of one benchmark of instructions: is its score higher than before, and than by replay alone? */
export interface Followed {
  gained: Evidence;
  besideControl: Evidence;
  /** What the base scores more than the model before: what the synthetic text cost. */
  lost: Interval | null;
}

export interface BenchmarkEvidence {
  kept: readonly Evidence[];
  followed: readonly Followed[];
  /** Benchmarks of instructions that no model follows at all: they say nothing. */
  unanswered: readonly string[];
}

/** The tasks, and where their judge is. @throws UserError naming the key of the recipe that is wrong. */
export function readBenchmarks({ recipe: file, instructions }: Benchmarks) {
  const recipe = file === undefined ? undefined : loadRecipe(file, evalRecipeSchema, { set: [] }).recipe;
  const asked = instructions.map(({ name, data }): EvalTask => ({
    kind: 'instructions',
    name: instructions.length === 1 ? 'instructions' : `instructions ${name}`,
    data,
    maxNewTokens: 64,
  }));
  return { tasks: [...(recipe?.tasks ?? []), ...asked], overlap: recipe?.overlap, judge: recipe?.judge };
}

/** Scores one model; items that were answered before an interruption are not asked again. */
export function scoreModel(
  benchmarks: ReturnType<typeof readBenchmarks>,
  { model, items, device }: { model: string; items: string; device: string },
  logger: Logger,
): Promise<Evaluation> {
  return runEvaluation({ ...benchmarks, model, items, device }, logger);
}

/** Evaluations of each model, one for each copy that was asked; of the base where it is known. */
export type Scored = Record<Exclude<ScoredModel, 'base'>, Evaluation[]> & { base?: Evaluation[] };

/** What comparisons call a task: by its name, or a name for each reading. */
const namesOf = ({ name, compares }: Answered): string[] =>
  compares ? compares.map((reading) => `${name} ${reading}`) : [name];

/** Copies of one model as one evaluation: every item of every copy, and those of one item drawn together. */
function together(evaluations: readonly Evaluation[]): Evaluation {
  const [first] = evaluations;
  if (evaluations.length === 1) return first;
  const itemsOf = (task: Answered): EvalItem[] =>
    evaluations.flatMap(({ tasks }, run) => {
      const same = tasks.filter(isAnswered).find((one) => one.name === task.name && one.protocol === task.protocol);
      return same!.items.map((item) => ({
        ...item,
        id: `${item.id}, run ${run + 1}`,
        cluster: item.cluster ?? item.id,
      }));
    });
  const tasks = first.tasks.map((task) => (isAnswered(task) ? { ...task, items: itemsOf(task) } : task));
  return { ...first, tasks: tasks as Evaluation['tasks'] };
}

/** Scores of each copy of each model, by benchmark. */
function scoresOf({ before, repaired, control, base }: Scored): BenchmarkScores {
  const pairs = before.map((_, run) => ({
    both: compareEvaluations([before[run], repaired[run]])[0].benchmarks,
    alone: compareEvaluations([before[run], control[run]])[0].benchmarks,
    damage: base && compareEvaluations([base[run], before[run]])[0].benchmarks,
  }));
  const entries = pairs[0].both.map(({ name }, i) => [
    name,
    {
      start: pairs.map(({ both }) => both[i].before),
      end: pairs.map(({ both }) => both[i].after),
      control: pairs.map(({ alone }) => alone[i].after),
      ...(base && { base: pairs.map(({ damage }) => damage![i].before) }),
    },
  ]);
  return Object.fromEntries(entries) as BenchmarkScores;
}

/** The repaired model item by item against the one before, and against replay alone. */
export function compareScored(scored: Scored): ScoredBenchmarks {
  const [before, repaired, control] = [scored.before, scored.repaired, scored.control].map(together);
  const following = before.tasks
    .filter((task) => FOLLOWING.includes(task.kind))
    .filter(isAnswered)
    .flatMap(namesOf);
  return {
    againstStart: compareEvaluations([before, repaired])[0],
    againstControl: compareEvaluations([control, repaired])[0],
    ...(scored.base && { damage: compareEvaluations([together(scored.base), before])[0] }),
    scores: scoresOf(scored),
    following,
  };
}

const sideOfNone = ({ low, high }: Interval): Evidence['says'] => (low > 0 ? 'yes' : high < 0 ? 'no' : 'open');

/** Whether each benchmark is kept, within a few points. */
const keptEvidence = ({ benchmarks }: ModelComparison): Evidence[] =>
  benchmarks.map(({ name, difference: { value, low, high } }) => ({
    name,
    question: `Is the score of ${name} kept?`,
    measure: 'score after the repair less that before',
    found: { value, low, high },
    threshold: -MOST_LOSS,
    says: low >= -MOST_LOSS ? 'yes' : high < -MOST_LOSS ? 'no' : 'open',
  }));

/** Whether instructions are followed better than before, and than by replay alone; of benchmarks that some model follows at all. */
function followedEvidence({ againstStart, againstControl, damage, scores, following }: ScoredBenchmarks): Followed[] {
  const differenceOf = (name: string, { benchmarks }: ModelComparison): Interval => {
    const { value, low, high } = benchmarks.find((one) => one.name === name)!.difference;
    return { value, low, high };
  };
  const lostOf = (name: string, comparison: ModelComparison): Interval => {
    const { value, low, high } = differenceOf(name, comparison);
    return { value: -value, low: -high, high: -low };
  };
  const evidence = (name: string, comparison: ModelComparison, than: string, less: string): Evidence => {
    const found = differenceOf(name, comparison);
    const measure = `score after the repair less ${less}`;
    return {
      name,
      question: `Is the score of ${name} higher than ${than}?`,
      measure,
      found,
      threshold: 0,
      says: sideOfNone(found),
    };
  };
  return following
    .filter(
      (name) =>
        name in scores &&
        Object.values(scores[name])
          .flat()
          .some((score) => score > 0),
    )
    .map((name) => ({
      gained: evidence(name, againstStart, 'before', 'that before'),
      besideControl: evidence(name, againstControl, 'by replay alone', 'that of replay alone'),
      lost: damage ? lostOf(name, damage) : null,
    }));
}

/** What benchmarks say of a repair. */
export function benchmarkEvidence(scored: ScoredBenchmarks): BenchmarkEvidence {
  const followed = followedEvidence(scored);
  const answered = followed.map(({ gained }) => gained.name);
  return {
    kept: keptEvidence(scored.againstStart),
    followed,
    unanswered: scored.following.filter((name) => name in scored.scores && !answered.includes(name)),
  };
}
