import { readOverlaps } from '@lethe/data-pipeline';
import { requireReplaceable, UsageError, writeFileAtomically } from '@lethe/run';
import type { Command } from 'commander';
import { compareEvaluations, COMPARISON_HEADER, comparisonRows, readEvaluation } from '@lethe/eval';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { intoList } from '../command-line/repeatable-options.js';
import { formatTable } from '../command-line/table.js';

interface CompareFlags {
  json?: true;
  out: string;
  overlap: string[];
}

/** `lethe compare`: models on the same items, pair by pair. */
export function addCompareCommand(program: Command, context: CliContext): void {
  program
    .command('compare')
    .description('compare models on the items that they share: paired differences, tests, items lost and recovered')
    .argument('<results...>', 'results.json files of lethe eval, in the order of the lineage')
    .option('--out <file>', 'JSON with every comparison and item', 'runs/compare/results.json')
    .option(
      '--overlap <dir>',
      'overlap.jsonl of prepared training data, or its folder: says which changed items are in it; repeatable',
      intoList,
      [],
    )
    .option(...JSON_OPTION)
    .action(async (files: string[], { out, overlap, json }: CompareFlags) => {
      if (files.length < 2) throw new UsageError(`expected two or more results to compare, received ${files.length}`);
      requireReplaceable(out, { begins: /^\{\s*"models"/, name: 'comparison' });
      const evaluations = files.map(readEvaluation);
      const overlaps = overlap.length > 0 ? await readOverlaps(overlap) : undefined;
      const comparisons = compareEvaluations(evaluations, overlaps);
      const models = files.map((file, i) => ({ file, model: evaluations[i].model }));
      writeFileAtomically(out, `${JSON.stringify({ models, comparisons }, null, 2)}\n`);
      const tables = comparisons.map(
        (comparison) =>
          `${comparison.before} -> ${comparison.after}\n${formatTable(COMPARISON_HEADER, comparisonRows(comparison))}`,
      );
      printResults({ models, comparisons }, tables.join('\n\n'), json);
      for (const { before, after, benchmarks } of comparisons)
        for (const { name, numUnpaired } of benchmarks)
          if (numUnpaired > 0)
            context.logger().warn(`${name}: ${numUnpaired} items are not of both ${before} and ${after}; left out`);
      context.logger().info(`every item lost or recovered is in ${out}`);
    });
}
