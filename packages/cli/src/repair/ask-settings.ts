import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAnswered } from '@lethe/eval';
import type { StopSignal } from '@lethe/run';
import { readBenchmarks, scoreModel } from './benchmarks.js';
import { cheapestOf, finalistsOf } from './choose.js';
import { foldersToAsk } from './fine-tune.js';
import { FEWEST_INSTRUCTIONS, type InstructionParts } from './instruction-parts.js';
import { MOST_ASKED } from './plan.js';
import type { Probing } from './probe-run.js';
import { candidateNamed, type RepairSetup } from './repair-recipe.js';
import type { RepairRequest } from './repair-request.js';
import type { Choice, Tried } from './results.js';
import { unlearn, unlearnName } from './unlearn.js';

/** What a setting's model answered: 1 where an instruction that chooses is followed, in their order. */
export type Answers = Readonly<Record<string, readonly number[]>>;

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The mean of differences, instruction by instruction, and its standard error. */
function difference(of: readonly number[], from: readonly number[]): { mean: number; error: number } {
  const all = of.map((x, i) => x - from[i]);
  const middle = mean(all);
  return { mean: middle, error: Math.sqrt(mean(all.map((x) => (x - middle) ** 2)) / all.length) };
}

/**
 * Points, of 1, that another setting must surely follow more (95%): text chose for what is kept of natural text and of what the synthetic
 * text says, which a little instruction following is not worth.
 */
const LEAST_MORE = 0.05;
const Z_95 = 1.96;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/**
 * The choice by what models follow: that of text stands, unless the best surely follows more by some points; of those within
 * one standard error of the best (Breiman et al. 1984, the rule of one standard error) the cheapest then.
 * @param answers of every setting that was asked, that of text among them.
 */
export function chosenByAnswers(choice: Choice, answers: Answers): Choice {
  const names = Object.keys(answers);
  const scores = Object.fromEntries(names.map((name) => [name, mean(answers[name])]));
  const best = names.reduce((a, b) => (scores[b] > scores[a] ? b : a));
  const behind = (name: string) => difference(answers[best], answers[name]);
  const byText = behind(choice.chosen);
  const asked = { instructions: answers[best].length, scores, byText: choice.chosen };
  const text = `${percent(scores[choice.chosen])} of the ${asked.instructions} instructions that choose`;
  if (byText.mean - Z_95 * byText.error <= LEAST_MORE) {
    const why = `${choice.why}; it follows ${text}, and none of ${names.length} settings surely ${100 * LEAST_MORE} points more`;
    return { ...choice, why, asked };
  }
  const near = choice.tried.filter(({ name }) => name in answers && behind(name).mean <= behind(name).error);
  const { chosen, why } = cheapestOf(near);
  const more = `follows ${percent(scores[chosen])}, where the choice of text follows ${text}`;
  return { ...choice, chosen, why: `${more}; it ${why}`, asked };
}

/**
 * Makes the models of the settings that text allows, asks each (or a copy that the user's recipe fine-tunes) the instructions that
 * choose, and chooses by that. Models that are not chosen are removed, but for the one that text alone would choose.
 * @returns the choice as it was where there is nothing to choose by or between, or the signal that stopped it.
 */
export async function chooseByAsking(
  request: RepairRequest,
  { setup, choice, parts }: { setup: RepairSetup; choice: Choice; parts: InstructionParts },
  probing: Probing,
): Promise<Choice | StopSignal> {
  const { logger } = probing;
  const finalists = finalistsOf(choice, MOST_ASKED);
  const whyNot = notAsked(request, parts, finalists);
  if (whyNot !== undefined) {
    logger.info(`the setting is chosen by text alone: ${whyNot}`);
    return { ...choice, why: `${choice.why}; instructions did not choose, ${whyNot}` };
  }
  if (parts.choose.length === 0) return choice;
  const answers: Record<string, number[]> = {};
  for (const [i, tried] of finalists.entries()) {
    logger.info(`[${i + 1}/${finalists.length}] asking the model of ${tried.name} ${parts.numChoosing} instructions`);
    const found = await answersOf(request, { setup, choice, parts, tried }, probing);
    if (typeof found === 'string') return found;
    answers[tried.name] = found;
  }
  const found = chosenByAnswers(choice, answers);
  for (const tried of finalists) {
    if (tried.name === found.chosen || tried.name === choice.chosen) continue;
    for (const name of [unlearnName(tried), `finetune-${unlearnName(tried)}-1`])
      rmSync(join(setup.runs, name), { recursive: true, force: true });
  }
  return found;
}

/** Why instructions do not choose, where there are any. */
function notAsked(
  { instructions }: RepairRequest,
  { choose }: InstructionParts,
  finalists: Tried[],
): string | undefined {
  if (instructions.length === 0) return undefined;
  if (choose.length === 0) return `fewer than ${FEWEST_INSTRUCTIONS} are all reported`;
  return finalists.length < 2 ? 'for no other setting brings the pattern low enough at an allowed cost' : undefined;
}

/** What one setting's model follows, now or as it was found before. */
async function answersOf(
  request: RepairRequest,
  { setup, choice, parts, tried }: { setup: RepairSetup; choice: Choice; parts: InstructionParts; tried: Tried },
  { phases, logger, stop }: Probing,
): Promise<number[] | StopSignal> {
  const phase = `ask-${tried.name}`;
  if (phases.has(phase)) return phases.once(phase, () => []);
  const candidate = candidateNamed(setup, tried.name);
  const training = { seconds: phases.seconds, logger, stop };
  const made = await unlearn(setup, { candidate, tried, goal: choice.goal }, training);
  if (typeof made === 'string') return made;
  const one = request.finetune && { ...request, finetune: { ...request.finetune, runs: 1 } };
  const of = { name: unlearnName(tried), folder: made.folder };
  const folders = await foldersToAsk(one ?? request, of, { phases, logger, stop });
  if (typeof folders === 'string') return folders;
  return phases.once(phase, async () => {
    const items = join(request.out, 'items', phase);
    const device = `${request.device} ${request.precision}`;
    const benchmarks = readBenchmarks({ instructions: parts.choose });
    const { tasks } = await scoreModel(benchmarks, { model: folders[0], items, device }, logger);
    return tasks.filter(isAnswered).flatMap((task) => task.items.map(({ score }) => score));
  });
}
