import { join } from 'node:path';
import { requireReplaceable, writeFileAtomically } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { type ReportedRun, readRuns } from '../run-page/read-runs.js';
import { runMarkdown, runPage } from '../run-page/run-page.js';
import { measureRows, RUN_HEADER, runRow } from '../run-page/summary.js';
import { warningsOf } from '../run-page/warnings.js';
import { formatTable } from '../command-line/table.js';

interface ReportFlags {
  out?: string;
  json?: true;
}

const HELP = `
A page with curves, warnings, recipes and evaluations, from the runs' own files; it can be made while a run goes on:
  lethe report runs/unlearn                      runs/unlearn/training.html
  lethe report runs/unlearn runs/refine --out compared.html
  lethe report runs/unlearn-sweep                every run of a sweep`;

/** A run as JSON: its last record has every measure. */
const reported = ({ name, folder, manifest, metrics, evaluations }: ReportedRun): object => ({
  name,
  folder,
  outcome: manifest.launches.at(-1)?.outcome,
  last: metrics.at(-1),
  evaluations,
});

/** `lethe report`: what training runs did, as a page. */
export function addReportCommand(program: Command, context: CliContext): void {
  program
    .command('report')
    .description(
      'show what training runs did: curves, warnings, recipes and evaluations, in one HTML page, and as Markdown',
    )
    .argument('<run...>', 'folders of runs, or of sweeps')
    .option('--out <file>', 'page to write (default: training.html in the first folder)')
    .option(...JSON_OPTION)
    .addHelpText('after', HELP)
    .action((folders: string[], flags: ReportFlags) => {
      const out = flags.out ?? join(folders[0], 'training.html');
      requireReplaceable(out, { begins: /^<!doctype html/i, name: 'page' });
      const runs = readRuns(folders);
      writeFileAtomically(out, runPage(runs));
      const markdown = `${out.replace(/\.html?$/, '')}.md`;
      writeFileAtomically(markdown, runMarkdown(runs));
      const header = ['measure', ...runs.map(({ name }) => name)];
      const tables = [formatTable(RUN_HEADER, runs.map(runRow)), formatTable(header, measureRows(runs))];
      printResults({ page: out, markdown, runs: runs.map(reported) }, tables.join('\n\n'), flags.json);
      for (const run of runs) for (const text of warningsOf(run)) context.logger().warn(`${run.name}: ${text}`);
      context.logger().info(`curves: ${out}, the same without them: ${markdown}`);
    });
}
