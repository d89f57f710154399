import { join } from 'node:path';
import { listenForStop, EXIT_CODES, UsageError } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { positiveInteger } from '../command-line/number-options.js';
import { precisionOfProcessor } from '../doctor/describe-addon.js';
import { usableProcessors } from '../doctor/processor.js';
import { CHOSEN, QUICK, REGIME } from '../paper/regime.js';
import { runStudy } from '../paper/run-paper.js';
import { STUDIES, type StudyName, studyNames, studyOf } from '../paper/studies/studies.js';

interface PaperFlags {
  quick?: boolean;
  study: StudyName;
  seeds?: string;
  jobs?: number;
  out?: string;
  precision?: 'fp32' | 'bf16';
  json?: true;
}

const LARGEST_SEED = 1_000_000_000;

/** `1001-1005` or `1001,1003` as numbers. @throws UsageError for anything else, and for seeds that chose the regime. */
export function parseSeeds(text: string): number[] {
  const refuse = (expected: string, received: string): never => {
    throw new UsageError(`--seeds: expected ${expected}, received "${received}"`);
  };
  const seeds = text.split(',').flatMap((part) => {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!range) return refuse('numbers and ranges such as 1001-1005 or 1001,1003', text);
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (to > LARGEST_SEED) refuse(`seeds up to ${LARGEST_SEED}`, part);
    if (to < from || to - from > 999) refuse('a range that rises by at most 999', part);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) refuse('every seed once', String(twice));
  const chose = seeds.find((seed) => CHOSEN.seeds.includes(seed));
  if (chose !== undefined)
    refuse(`other seeds than those that chose the regime (${CHOSEN.seeds.join(', ')})`, String(chose));
  return seeds;
}

/** `lethe paper`: the paper's claims in miniature. */
export function addPaperCommand(program: Command, context: CliContext): void {
  program
    .command('paper')
    .description(
      "the paper's lineage in miniature on several seeds: which of its claims hold, with intervals; no input needed",
    )
    .option('--quick', 'one short lineage of every model: shows that it works, its numbers mean nothing')
    .addOption(
      new Option('--study <name>', 'what is asked of these seeds (below)').choices(studyNames).default('claims'),
    )
    .option('--seeds <list>', 'such as 3001-3005 (the default), or 3001,3003')
    .option('--jobs <n>', 'lineages at a time, each on one thread (default: the processors)', positiveInteger)
    .option('--out <dir>', 'folder of its runs and its page (default: runs/paper, runs/paper-quick)')
    .addOption(new Option('--precision <p>', 'default: bf16 where the processor has it').choices(['fp32', 'bf16']))
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `\nStudies:\n${studyNames.map((name) => `  ${name.padEnd(10)} ${STUDIES[name].help}`).join('\n')}`,
    )
    .addHelpText('after', '\nExample: lethe paper --seeds 4001-4005 --out runs/paper-again')
    .action(async ({ quick, study, seeds, jobs, out, json, ...flags }: PaperFlags) => {
      const precision = flags.precision ?? precisionOfProcessor();
      const folder = out ?? join('runs', quick ? 'paper-quick' : 'paper');
      const logger = context.logger();
      const stop = listenForStop((signal) =>
        logger.warn(`${signal}: finishing this step and saving; again to stop at once`),
      );
      try {
        await useDevice('lethe-cpu', precision);
        const options = {
          folder,
          seeds: parseSeeds(seeds ?? (quick ? '3001' : '3001-3005')),
          jobs: jobs ?? usableProcessors(),
          precision,
          logger,
          stop,
        };
        const regime = quick ? QUICK : REGIME;
        const results = await runStudy(study, regime, options);
        if (typeof results === 'string') {
          logger.warn('stopped; run the same command to go on');
          context.exitCode = EXIT_CODES[results];
          return;
        }
        printResults(results.numbers, results.table, json);
        const { page, numbers } = studyOf(study).files;
        logger.info(`page: ${join(folder, page)}, numbers: ${join(folder, numbers)}`);
      } finally {
        stop.dispose();
      }
    });
}
