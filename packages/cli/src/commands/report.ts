import { dirname, join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { writeFileAtomically } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { readRuns } from '../run-page/read-runs.js';
import { runPage } from '../run-page/run-page.js';
import { measureRows, RUN_HEADER, runRow } from '../run-page/summary.js';
import { warningsOf } from '../run-page/warnings.js';
import { formatTable } from '../command-line/table.js';

interface ReportFlags {
  out?: string;
}

const HELP = `
A page with curves, warnings, recipes and evaluations, from the runs' own files; it can be made while a run goes on:
  lethe report runs/unlearn                      runs/unlearn/training.html
  lethe report runs/unlearn runs/refine --out compared.html
  lethe report runs/unlearn-sweep                every run of a sweep`;

/** `lethe report`: what training runs did, as a page. */
export function addReportCommand(program: Command, context: CliContext): void {
  program
    .command('report')
    .description('show what training runs did: curves, warnings, recipes and evaluations, in one HTML page')
    .argument('<run...>', 'folders of runs, or of sweeps')
    .option('--out <file>', 'page to write (default: training.html in the first folder)')
    .addHelpText('after', HELP)
    .action((folders: string[], flags: ReportFlags) => {
      const runs = readRuns(folders);
      const out = flags.out ?? join(folders[0], 'training.html');
      mkdirSync(dirname(out), { recursive: true });
      writeFileAtomically(out, runPage(runs));
      const header = ['measure', ...runs.map(({ name }) => name)];
      process.stdout.write(
        `${formatTable(RUN_HEADER, runs.map(runRow))}\n\n${formatTable(header, measureRows(runs))}\n`,
      );
      for (const run of runs) for (const text of warningsOf(run)) context.logger().warn(`${run.name}: ${text}`);
      context.logger().info(`curves: ${out}`);
    });
}
