import { inspectShards, loadTokenizer } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { integer } from '../command-line/number-options.js';

interface InspectFlags {
  tokenizer?: string;
  samples: number;
  json?: true;
}

/** `lethe inspect`: what is in a shard folder, and whether it is whole. */
export function addInspectCommand(program: Command, _context: CliContext): void {
  program
    .command('inspect')
    .description('verify shards; show counts, lengths and samples')
    .argument('<shards>', 'folder with index.json')
    .option('--tokenizer <dir>', 'decode samples with this tokenizer')
    .option('--samples <n>', 'documents to decode', integer, 3)
    .option(...JSON_OPTION)
    .action(async (folder: string, { tokenizer: from, samples, json }: InspectFlags) => {
      const tokenizer = from === undefined ? undefined : await loadTokenizer(from);
      const found = await inspectShards(folder, { tokenizer, samples });
      const { documents, tokens, vocabSize, shards } = found.index;
      const lines = [
        `${folder}: ${documents} documents, ${tokens} tokens, vocabulary ${vocabSize}, ${shards.length} shards`,
        `lengths ${found.minLength} to ${found.maxLength}, mean ${found.meanLength.toFixed(1)}`,
        ...found.histogram.map(({ from: low, to, documents: count }) => `  ${low}-${to}: ${count}`),
        ...found.samples.map(
          ({ document, tokens: size, text }) =>
            `document ${document} (${size} tokens): ${JSON.stringify(text.slice(0, 400))}`,
        ),
      ];
      printResults(found, lines.join('\n'), json);
      if (found.problems.length > 0) throw new UserError(found.problems.join('\n'));
      if (!json) process.stdout.write('every checksum is right\n');
    });
}
