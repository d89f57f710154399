import { join } from 'node:path';
import { listenForStop, EXIT_CODES, UserError } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { followingSentence, followingTable } from '../demo/following.js';
import { runDemo } from '../demo/run-demo.js';
import { precisionOfProcessor } from '../doctor/describe-addon.js';
import { usableProcessors } from '../doctor/processor.js';
import { QUICK, REGIME } from '../paper/regime.js';
import { sentence } from '../repair/verdict-text.js';

/** `lethe demo`: damage a small model, then repair it as a user's. */
export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('damage a small model with templated questions, repair it, measure, report; no input needed')
    .option('--quick', 'every stage in under two minutes; its numbers mean little')
    .option('--runs <dir>', 'folder for its runs', 'runs')
    .option(...JSON_OPTION)
    .action(async ({ quick = false, runs, json }: { quick?: boolean; runs: string; json?: true }) => {
      const logger = context.logger();
      const abort = new AbortController();
      const stop = listenForStop((signal) => {
        logger.warn(`${signal}: finishing this step and saving; again to stop at once`);
        abort.abort(new UserError(`${signal}: stopped; run the same command to go on`));
      });
      try {
        const folder = join(runs, quick ? 'demo-quick' : 'demo');
        const results = await runDemo({
          folder,
          regime: quick ? QUICK : REGIME,
          isQuick: quick,
          precision: precisionOfProcessor(),
          threads: usableProcessors(),
          logger,
          stop,
          signal: abort.signal,
        });
        if (typeof results === 'string') {
          logger.warn('stopped; run the same command to go on');
          context.exitCode = EXIT_CODES[results];
          return;
        }
        const { repair, following, seconds } = results;
        const told = following ? `\n${followingTable(following)}\n\n${followingSentence(following)}` : '';
        printResults(results, `${sentence(repair)}\n${told}`, json);
        logger.info(
          `report: ${join(folder, 'repair', 'report.html')}, numbers: ${join(folder, 'demo.json')} (${Math.round(seconds)} s)`,
        );
      } catch (error) {
        if (stop.requested === undefined) throw error;
        logger.warn((error as Error).message);
        context.exitCode = EXIT_CODES[stop.requested];
      } finally {
        stop.dispose();
      }
    });
}
