import { methodsHelp } from '@lethe/losses';
import { EXIT_CODES } from '@lethe/run';
import { launchOf } from '@lethe/tensor';
import { decisionText, requireRowsForRanks, runStage, type StageResult, type TrainRecipe } from '@lethe/train';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { planOf } from '../plan/stage-plan.js';
import { addShorthands, changesOf, type Shorthands } from '../command-line/recipe-shorthands.js';
import { addRecipeOptions } from '../command-line/repeatable-options.js';
import { loadStageRecipe } from '../recipe/stage-recipe.js';
import { untilStopped } from '../command-line/until-stopped.js';
import { recordedVersions } from '../command-line/recorded-versions.js';

/** The training commands. */
export const STAGES: Record<TrainRecipe['stage'], string> = {
  pretrain: 'train a model on next tokens: a fresh one, or a checkpoint that goes on (base, synth)',
  unlearn: "forget the synthetic data's pattern, with replay and a KL term to the original model",
  refine: 'go on training on natural data only, the contrast to unlearning',
  finetune: 'train on instructions; only the assistant turns are targets (-chat)',
};

interface TrainFlags extends Shorthands {
  recipe?: string;
  set: string[];
  dryRun?: boolean;
}

/** `lethe pretrain | unlearn | refine | finetune`. */
export function addTrainCommands(program: Command, context: CliContext): void {
  for (const [stage, description] of Object.entries(STAGES)) {
    addShorthands(addRecipeOptions(program.command(stage).description(description), `${stage}.yaml`))
      .option('--dry-run', 'print the resolved recipe with its sizes and memory, and do nothing')
      .addHelpText(
        'after',
        '\nRunning the same command again resumes a run that was stopped. Results are in runs/<name>/.\n' +
          'Exit status 3: the run passed a limit of `stop` (docs/training.md).' +
          (stage === 'unlearn'
            ? `\n\nForgetting losses, objective.method of the recipe (docs/math.md):\n${methodsHelp()}`
            : ''),
      )
      .action(async (flags: TrainFlags) => {
        const recipe = loadStageRecipe(stage, { recipe: flags.recipe, set: changesOf(flags) });
        if (flags.dryRun) await tellPlan(recipe);
        else await runTraining(recipe, context);
      });
  }
}

/** Of several processes the first one tells. */
async function tellPlan(recipe: TrainRecipe): Promise<void> {
  const { size, rank } = launchOf() ?? { size: 1, rank: 0 };
  requireRowsForRanks(recipe, size);
  if (rank === 0) process.stdout.write(`${await planOf(recipe, size)}\n`);
}

async function runTraining(recipe: TrainRecipe, context: CliContext): Promise<void> {
  const logger = context.logger();
  const command = ['lethe', ...process.argv.slice(2)];
  await untilStopped(context, async (stop) => {
    const result = await runStage(recipe, { logger, stop, command, versions: recordedVersions() });
    if (result.stoppedBy) return { by: result.stoppedBy, after: `step ${result.step} of ${recipe.steps}` };
    tellEnd(result, recipe, context);
    return undefined;
  });
}

/** Tells how a run ended that no signal stopped. Past a limit its model is no result: a shell's `&&` must not go on with it. */
function tellEnd({ step, decision, wasFinished, model }: StageResult, recipe: TrainRecipe, context: CliContext): void {
  const logger = context.logger();
  if (!decision) {
    if (!wasFinished) logger.info(`finished ${step} steps; model in ${model}`);
  } else if (decision.isLimit) {
    logger.error(decisionText(decision, recipe));
    context.exitCode = EXIT_CODES.noResult;
  } else {
    logger.info(`${decisionText(decision, recipe)}${wasFinished ? '; nothing to do' : ''}`);
  }
}
