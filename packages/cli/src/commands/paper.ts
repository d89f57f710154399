import { join } from 'node:path';
import { listenForStop, STOP_EXIT_CODES, UserError } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { paperTable } from '../paper/page.js';
import { CHOSEN, QUICK, REGIME } from '../paper/regime.js';
import { runPaper } from '../paper/run-paper.js';

interface PaperFlags {
  quick?: boolean;
  seeds?: string;
  out?: string;
  precision: 'fp32' | 'bf16';
}

/** `1001-1005` or `1001,1003` as numbers. @throws UserError for anything else. */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!range)
      throw new UserError(`--seeds: expected numbers and ranges such as 1001-1005 or 1001,1003, received "${text}"`);
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (to < from || to - from > 999)
      throw new UserError(`--seeds: expected a range that rises by at most 999, received "${part}"`);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw new UserError(`--seeds: ${twice} is there twice`);
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
    .option('--seeds <list>', 'such as 1001-1005 (the default), or 1001,1003')
    .option('--out <dir>', 'folder of its runs and its page (default: runs/paper, runs/paper-quick)')
    .option('--precision <name>', 'fp32 or bf16', 'bf16')
    .addHelpText('after', '\nExample: lethe paper --seeds 2001-2005 --out runs/paper-again')
    .action(async ({ quick, seeds, out, precision }: PaperFlags) => {
      if (precision !== 'fp32' && precision !== 'bf16')
        throw new UserError(`--precision: expected fp32 or bf16, received "${String(precision)}"`);
      const folder = out ?? join('runs', quick ? 'paper-quick' : 'paper');
      const logger = context.logger();
      const stop = listenForStop((signal) =>
        logger.warn(`${signal}: finishing this step and saving; again to stop at once`),
      );
      try {
        await useDevice('lethe-cpu', precision);
        const results = await runPaper(quick ? QUICK : REGIME, {
          folder,
          seeds: parseSeeds(seeds ?? (quick ? '1001' : '1001-1005')),
          precision,
          chosen: CHOSEN,
          logger,
          stop,
        });
        if (typeof results === 'string') {
          logger.warn('stopped; run the same command to go on');
          context.exitCode = STOP_EXIT_CODES[results];
          return;
        }
        process.stdout.write(`${paperTable(results)}\n`);
        logger.info(`page: ${join(folder, 'report.html')}, numbers: ${join(folder, 'paper.json')}`);
      } finally {
        stop.dispose();
      }
    });
}
