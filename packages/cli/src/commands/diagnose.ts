import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { distributionShift, documentPerplexities } from '@lethe/analysis';
import { loadTokenizer, sequences } from '@lethe/data-pipeline';
import { loadLlama } from '@lethe/model';
import { type Logger, UserError, writeFileAtomically } from '@lethe/run';
import type { Command } from 'commander';
import { checkpointFolder } from '../checkpoint-location.js';
import { addDeviceOptions, type DeviceFlags, selectDevice } from '../device-options.js';
import type { CliContext } from '../main.js';
import { integer } from '../number-options.js';
import { densityLegend, densitySvg } from '../report/density-svg.js';
import { escapeHtml, htmlPage, htmlTable } from '../report/html.js';
import { formatTable } from '../table.js';

interface DiagnoseFlags extends DeviceFlags {
  base: string;
  model: string[];
  data: string[];
  documents: number;
  maxLength: number;
  out: string;
}

interface Diagnosis {
  data: string;
  /** Log-perplexities of the documents by model folder; the first is the base. */
  models: {
    model: string;
    logPerplexities: number[];
    perplexity: number;
    shift?: ReturnType<typeof distributionShift>;
  }[];
}

const collect = (value: string, list: string[]): string[] => [...list, value];

/** `lethe diagnose`: how far models' perplexity distributions lie from a base model's. */
export function addDiagnoseCommand(program: Command, context: CliContext): void {
  const command = program
    .command('diagnose')
    .description('compare the perplexity distributions of models with those of a base model')
    .requiredOption('--base <dir>', 'checkpoint folder, or hf://OWNER/NAME, that the others are compared with')
    .option('--model <dir>', 'checkpoint folder, or hf://OWNER/NAME; repeatable', collect, [])
    .option('--data <shards>', 'held-out shards; repeatable', collect, [])
    .option('--documents <n>', 'documents of each', integer, 2000)
    .option('--max-length <n>', 'tokens of a document', integer, 1024)
    .option('--out <dir>', 'folder for diagnosis.json and diagnosis.html', 'runs/diagnosis');
  addDeviceOptions(command).action(async (flags: DiagnoseFlags) => {
    if (flags.model.length === 0) throw new UserError('nothing to compare with the base: give --model DIR');
    if (flags.data.length === 0)
      throw new UserError('no text to measure on: give --data SHARDS (a held-out folder that `lethe prepare` wrote)');
    await selectDevice(flags);
    const diagnoses = await diagnose(flags, context.logger());
    context.logger().endProgress();
    mkdirSync(flags.out, { recursive: true });
    writeFileAtomically(join(flags.out, 'diagnosis.json'), `${JSON.stringify(diagnoses, null, 1)}\n`);
    writeFileAtomically(join(flags.out, 'diagnosis.html'), page(diagnoses));
    process.stdout.write(`${formatTable(HEADER, diagnoses.flatMap(rows))}\n`);
    context.logger().info(`figures: ${join(flags.out, 'diagnosis.html')}`);
  });
}

async function diagnose(flags: DiagnoseFlags, logger: Logger): Promise<Diagnosis[]> {
  const diagnoses: Diagnosis[] = flags.data.map((data) => ({ data, models: [] }));
  for (const location of [flags.base, ...flags.model]) {
    const folder = await checkpointFolder(location, logger);
    const tokenizer = await loadTokenizer(folder);
    const { model } = loadLlama(folder, { trainable: false });
    for (const { data, models } of diagnoses) {
      logger.progress(`${location} on ${data}`);
      const documents: Int32Array[] = [];
      const options = {
        shards: data,
        maxLength: flags.maxLength,
        maxDocuments: flags.documents,
        seed: 1,
        tokenizerHash: tokenizer.hash,
      };
      for await (const { ids } of sequences(options)) if (ids.length > 1) documents.push(ids);
      const { logPerplexities, perplexity } = documentPerplexities(model, documents);
      const base = models[0]?.logPerplexities;
      models.push({
        model: location,
        logPerplexities,
        perplexity,
        ...(base && { shift: distributionShift(logPerplexities, base) }),
      });
    }
    model.dispose();
  }
  return diagnoses;
}

const HEADER = ['data', 'model', 'perplexity', 'mean difference', 'variance ratio', 'Wasserstein-1', 'KS'];

function rows({ data, models }: Diagnosis): string[][] {
  return models.map(({ model, perplexity, shift }) => {
    const measures = shift
      ? [shift.meanDifference, shift.varianceRatio, shift.wasserstein1, shift.ks].map((x) => x.toFixed(3))
      : ['', '', '', ''];
    return [data, model, perplexity.toFixed(2), ...measures];
  });
}

function page(diagnoses: Diagnosis[]): string {
  const figures = diagnoses.map(({ data, models }) => {
    const series = models.map(({ model, logPerplexities }) => ({ name: model, values: logPerplexities }));
    const legend = densityLegend(series.map(({ name }) => name));
    return `<h2>${escapeHtml(data)}</h2>${legend}${densitySvg(series, 'log-perplexity of a document, nats per token')}`;
  });
  const table = htmlTable(
    HEADER,
    diagnoses.flatMap(rows).map((row) => row.map(escapeHtml)),
  );
  return htmlPage('Lethe diagnosis', `${table}${figures.join('')}`);
}
