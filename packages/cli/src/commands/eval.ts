import { evalRecipeSchema, EVALUATION_HEADER, evaluationRows, JUDGE_KEY_VARIABLE, runEvaluation } from '@lethe/eval';
import { loadRecipe, requireReplaceable, UsageError, writeFileAtomically } from '@lethe/run';
import type { DeviceSettings } from '@lethe/tensor';
import type { Command } from 'commander';
import { dirname, join } from 'node:path';
import { addDeviceOptions, selectDevice } from '../command-line/device-options.js';
import { integer } from '../command-line/number-options.js';
import { formatTable } from '../command-line/table.js';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { intoList } from '../command-line/repeatable-options.js';
import { recipePath } from '../recipe/shipped-recipe.js';

interface EvalFlags extends DeviceSettings {
  json?: true;
  recipe?: string;
  set: string[];
  model?: string;
  out?: string;
  withoutSandbox?: boolean;
  judgeUrl?: string;
  judgeModel?: string;
  rejudge?: number;
}

/** `lethe eval`: benchmarks of one model, with intervals. */
export function addEvalCommand(program: Command, context: CliContext): void {
  const command = program
    .command('eval')
    .description('score a model on the benchmarks of a recipe; every score has a 95% interval')
    .option('--recipe <file>', 'YAML recipe (default: the recipe eval.yaml that comes with Lethe)')
    .option('--set <key=value>', 'change one key of the recipe; repeatable', intoList, [])
    .option('--model <dir>', 'checkpoint folder, or hf://OWNER/NAME, in place of the recipe’s')
    .option('--out <file>', 'JSON with every score and item, in place of the recipe’s')
    .option(
      '--judge-url <url>',
      'OpenAI-compatible interface that judges answers (FollowBench, MT-Bench), such as https://api.openai.com/v1; ' +
        `its key is read from ${JUDGE_KEY_VARIABLE}`,
    )
    .option('--judge-model <name>', 'the model that judges')
    .option('--rejudge <k>', 'judge every answer so many times more, for the judge’s own noise', integer)
    .option('--without-sandbox', 'run programs that the model writes with your own rights where there is no sandbox')
    .option(...JSON_OPTION);
  addDeviceOptions(command).action(async (flags: EvalFlags) => {
    const set = [...flags.set];
    if (flags.model !== undefined) set.push(`model=${JSON.stringify(flags.model)}`);
    if (flags.out !== undefined) set.push(`out=${JSON.stringify(flags.out)}`);
    if (flags.judgeUrl !== undefined) set.push(`judge.url=${JSON.stringify(flags.judgeUrl)}`);
    if (flags.judgeModel !== undefined) set.push(`judge.model=${JSON.stringify(flags.judgeModel)}`);
    if (flags.rejudge !== undefined) set.push(`judge.rejudge=${flags.rejudge}`);
    const { recipe } = loadRecipe(flags.recipe ?? recipePath('eval'), evalRecipeSchema, { set });
    if (!recipe.model) throw new UsageError('which model? give --model DIR, or model: in the recipe');
    requireReplaceable(recipe.out, { begins: /^\{\s*"model"/, name: 'evaluation' });
    await selectDevice(flags);
    const items = join(dirname(recipe.out), 'items');
    const device = `${flags.device} ${flags.precision}`;
    const { withoutSandbox } = flags;
    const plan = { ...recipe, model: recipe.model, items, device, withoutSandbox };
    const results = await runEvaluation(plan, context.logger());
    writeFileAtomically(recipe.out, `${JSON.stringify(results, null, 2)}\n`);
    const text = `${results.model}\n${formatTable(EVALUATION_HEADER, evaluationRows(results))}`;
    printResults(results, text, flags.json);
    context.logger().info(`every item is in ${recipe.out}`);
  });
}
