import { join } from 'node:path';
import { listenForStop, STOP_EXIT_CODES } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import type { Command } from 'commander';
import { runDemo } from '../demo/run-demo.js';
import { FULL, QUICK } from '../demo/settings.js';
import type { CliContext } from '../command-line/context.js';
import { demoTable } from '../demo/demo-report.js';

/** `lethe demo`: the paper's loop on the embedded corpus. */
export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('damage a small model with templated questions, repair it, measure, report; no input needed')
    .option('--quick', 'every stage in under two minutes; its numbers mean little')
    .option('--runs <dir>', 'folder for its runs', 'runs')
    .action(async ({ quick, runs }: { quick?: boolean; runs: string }) => {
      const settings = quick ? QUICK : FULL;
      const logger = context.logger();
      const stop = listenForStop((signal) =>
        logger.warn(`${signal}: finishing this step and saving; again to stop at once`),
      );
      try {
        await useDevice('lethe-cpu');
        const results = await runDemo(settings, { runs, logger, stop });
        if (typeof results === 'string') {
          logger.warn('stopped; run the same command to go on');
          context.exitCode = STOP_EXIT_CODES[results];
          return;
        }
        process.stdout.write(`${demoTable(results)}\n`);
        const folder = join(runs, settings.name);
        logger.info(
          `report: ${join(folder, 'report.html')}, numbers: ${join(folder, 'results.json')} (${Math.round(results.seconds)} s)`,
        );
      } finally {
        stop.dispose();
      }
    });
}
