import { join } from 'node:path';
import { checkDiagnoseOptions, diagnose, type DiagnoseOptions, type Diagnosis } from '@lethe/analysis';
import { writeFileAtomically } from '@lethe/run';
import type { DeviceSettings } from '@lethe/tensor';
import type { Command } from 'commander';
import { addDeviceOptions, selectDevice } from '../command-line/device-options.js';
import { embeddingSection, embeddingSummary } from '../diagnosis/embeddings.js';
import { PERPLEXITY_HEADER, perplexityRows, perplexitySection } from '../diagnosis/perplexities.js';
import { TOKEN_HEADER, tokenRows, tokenSection, tokenSummary } from '../diagnosis/token-ids.js';
import type { CliContext } from '../command-line/context.js';
import { JSON_OPTION, printResults } from '../command-line/print-results.js';
import { intoList } from '../command-line/repeatable-options.js';
import { integer } from '../command-line/number-options.js';
import { htmlPage } from '../charts/html.js';
import { formatTable } from '../command-line/table.js';

interface DiagnoseFlags extends DeviceSettings {
  json?: true;
  base: string;
  model: string[];
  data: string[];
  synthetic?: string;
  natural?: string;
  embeddings?: true;
  documents: number;
  maxLength: number;
  out: string;
}

/** `lethe diagnose`: what sets synthetic text apart, and how far models' perplexities lie from a base model's. */
export function addDiagnoseCommand(program: Command, context: CliContext): void {
  const command = program
    .command('diagnose')
    .description("compare models' perplexities with a base model's, and synthetic text's token ids with natural text's")
    .requiredOption('--base <dir>', 'checkpoint folder, or hf://OWNER/NAME, that the others are compared with')
    .option('--model <dir>', 'checkpoint folder, or hf://OWNER/NAME; repeatable', intoList, [])
    .option('--data <shards>', 'held-out shards to measure perplexities on; repeatable', intoList, [])
    .option('--synthetic <shards>', 'synthetic shards, whose token ids are compared with')
    .option('--natural <shards>', 'natural shards')
    .option('--embeddings', 'also draw how the base model embeds both (t-SNE)')
    .option('--documents <n>', 'documents of each', integer, 2000)
    .option('--max-length <n>', 'tokens of a document', integer, 1024)
    .option('--out <dir>', 'folder for diagnosis.json and diagnosis.html', 'runs/diagnosis')
    .option(...JSON_OPTION);
  addDeviceOptions(command).action(async (flags: DiagnoseFlags) => {
    const options: DiagnoseOptions = { ...flags, models: flags.model, logger: context.logger() };
    checkDiagnoseOptions(options);
    if (flags.model.length > 0 || flags.embeddings) await selectDevice(flags);
    const diagnosis = await diagnose(options);
    writeFileAtomically(join(flags.out, 'diagnosis.json'), `${JSON.stringify(diagnosis, null, 1)}\n`);
    writeFileAtomically(join(flags.out, 'diagnosis.html'), page(diagnosis));
    printResults(diagnosis, text(diagnosis), flags.json);
    context.logger().info(`figures: ${join(flags.out, 'diagnosis.html')}`);
  });
}

function text({ tokenIds, embeddings, perplexities }: Diagnosis): string {
  const parts: string[] = [];
  if (tokenIds) parts.push(tokenSummary(tokenIds), formatTable(TOKEN_HEADER, tokenRows(tokenIds)));
  if (embeddings) parts.push(embeddingSummary(embeddings));
  if (perplexities) parts.push(formatTable(PERPLEXITY_HEADER, perplexities.flatMap(perplexityRows)));
  return parts.join('\n\n');
}

function page({ tokenIds, embeddings, perplexities }: Diagnosis): string {
  const sections = [
    tokenIds && tokenSection(tokenIds),
    embeddings && embeddingSection(embeddings),
    perplexities && perplexitySection(perplexities),
  ];
  return htmlPage('Lethe diagnosis', sections.filter(Boolean).join(''));
}
