import { listenForStop, loadRecipe, STOP_EXIT_CODES, UserError } from '@lethe/run';
import { runStage, type TrainRecipe, trainRecipeSchema } from '@lethe/train';
import { type Command, Option } from 'commander';
import type { CliContext } from '../main.js';
import { planOf } from '../plan.js';
import { recipePath } from '../recipe-path.js';
import { versions } from '../versions.js';

const STAGES: Record<TrainRecipe['stage'], string> = {
  pretrain: 'train a model on next tokens: a fresh one, or a checkpoint that goes on (base, synth)',
  unlearn: "forget the synthetic data's pattern, with replay and a KL term to the original model",
  refine: 'go on training on natural data only, the contrast to unlearning',
  finetune: 'train on instructions; only the assistant turns are targets (-chat)',
};

interface TrainFlags {
  recipe?: string;
  set: string[];
  dryRun?: boolean;
}

/** Collects a repeatable flag. */
const collect = (value: string, list: string[]): string[] => [...list, value];

/** `lethe pretrain | unlearn | refine | finetune`. */
export function addTrainCommands(program: Command, context: CliContext): void {
  for (const [stage, description] of Object.entries(STAGES)) {
    program
      .command(stage)
      .description(description)
      .option('--recipe <file>', `YAML recipe (default: the recipe ${stage}.yaml that comes with Lethe)`)
      .addOption(
        new Option('--set <key=value>', 'change one key of the recipe; repeatable')
          .argParser(collect)
          .default([], 'none'),
      )
      .option('--dry-run', 'print the resolved recipe with its sizes and memory, and do nothing')
      .addHelpText(
        'after',
        '\nRunning the same command again resumes a run that was stopped. Results are in runs/<name>/.',
      )
      .action(async (flags: TrainFlags) => {
        const { recipe } = loadRecipe(flags.recipe ?? recipePath(stage), trainRecipeSchema, { set: flags.set });
        if (recipe.stage !== stage)
          throw new UserError(`this recipe is for \`lethe ${recipe.stage}\`, not \`lethe ${stage}\``);
        if (flags.dryRun) process.stdout.write(`${await planOf(recipe)}\n`);
        else await runTraining(recipe, context);
      });
  }
}

async function runTraining(recipe: TrainRecipe, context: CliContext): Promise<void> {
  const logger = context.logger();
  const command = process.argv.slice(2);
  const stop = listenForStop((signal) =>
    logger.warn(`${signal}: finishing this step and saving; again to stop at once`),
  );
  try {
    const result = await runStage(recipe, { logger, stop, command: ['lethe', ...command], versions: versions() });
    if (result.stoppedBy) {
      logger.warn(
        `stopped after step ${result.step} of ${recipe.steps}; run the same command to go on: npx lethe ${command.join(' ')}`,
      );
      context.exitCode = STOP_EXIT_CODES[result.stoppedBy];
    } else if (!result.wasFinished) {
      logger.info(`finished ${result.step} steps; model in ${result.model}`);
    }
  } finally {
    stop.dispose();
  }
}
