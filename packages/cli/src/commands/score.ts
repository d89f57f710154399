import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { checkpointFolder, loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { loadLlama, type Llama, scoreSequences } from '@lethe/model';
import { requireFile, requireReplaceable, UserError, writeFileAtomically } from '@lethe/run';
import type { DeviceSettings } from '@lethe/tensor';
import type { Command } from 'commander';
import { addDeviceOptions, selectDevice } from '../command-line/device-options.js';
import type { CliContext } from '../command-line/context.js';
import { integer } from '../command-line/number-options.js';

interface ScoreFlags extends DeviceSettings {
  model: string;
  in: string;
  out: string;
  batchTokens: number;
}

/** `lethe score`: log-probabilities of given texts or ids. */
export function addScoreCommand(program: Command, context: CliContext): void {
  const command = program
    .command('score')
    .description('log-probability (natural log) of every token of given texts')
    .requiredOption('--model <dir>', 'checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME')
    .requiredOption('--in <file>', 'JSONL: {"text": ...} or {"ids": [...]} a line')
    .requiredOption('--out <file>', 'JSONL: {"ids", "logprobs"} a line, the first log-probability null')
    .option('--batch-tokens <n>', 'tokens per forward pass', integer, 4096);
  addDeviceOptions(command).action(async (given: ScoreFlags) => {
    requireReplaceable(given.out, { begins: /^\{"ids":\[[^\]]*(?:\],"logprobs"|$)/, name: 'scores' });
    if (resolve(given.out) === resolve(given.in))
      throw new UserError(`--out ${given.out}: is the file that --in names, and would be lost; name another`);
    await selectDevice(given);
    const flags = { ...given, model: await checkpointFolder(given.model, context.logger()) };
    const { model } = loadLlama(flags.model, { trainable: false });
    const onWarning = (warning: string): void => context.logger().warn(warning);
    const { sequences, lines: numbers } = await readSequences(flags, { model, onWarning });
    const nameOf = (sequence: number): string => `${flags.in}:${numbers[sequence]}`;
    const scores = scoreSequences(model, sequences, { batchTokens: flags.batchTokens, nameOf });
    const lines = scores.map((logprobs, i) => `${JSON.stringify({ ids: sequences[i], logprobs })}\n`);
    writeFileAtomically(flags.out, lines.join(''));
    context.logger().info(`${sequences.length} sequences scored into ${flags.out}`);
    model.dispose();
  });
}

/** The sequences of a file, and the line of each. */
async function readSequences(
  flags: ScoreFlags,
  { model, onWarning }: { model: Llama; onWarning: (warning: string) => void },
): Promise<{ sequences: number[][]; lines: number[] }> {
  const sequences: number[][] = [];
  const lines: number[] = [];
  let tokenizer: Tokenizer | undefined;
  let number = 0;
  requireFile(flags.in);
  for await (const line of createInterface({ input: createReadStream(flags.in), crlfDelay: Infinity })) {
    number++;
    if (line.trim() === '') continue;
    const content = number === 1 ? line.replace(/^\ufeff/, '') : line;
    const fail = (why: string): UserError => new UserError(`${flags.in}:${number}: ${why}`);
    const row = parseRow(content, fail);
    if (row.text !== undefined) tokenizer ??= await loadTokenizer(flags.model, { onWarning });
    const ids = row.ids ?? [...(await tokenizer!.encode(row.text!, { addSpecialTokens: true }))];
    const { vocabSize, maxPositions } = model.config;
    if (ids.length === 0) throw fail('no tokens to score');
    if (ids.length > maxPositions) throw fail(`${ids.length} tokens, and the model's context is ${maxPositions}`);
    const outside = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (outside !== undefined) throw fail(`id ${outside} is outside the vocabulary [0, ${vocabSize})`);
    sequences.push(ids);
    lines.push(number);
  }
  if (sequences.length === 0) throw new UserError(`${flags.in}: no lines to score`);
  return { sequences, lines };
}

function parseRow(line: string, fail: (why: string) => UserError): { text?: string; ids?: number[] } {
  let row: { text?: unknown; ids?: unknown };
  try {
    row = JSON.parse(line) as typeof row;
  } catch (cause) {
    throw fail(`not JSON: ${(cause as Error).message}`);
  }
  if (Array.isArray(row?.ids)) return { ids: row.ids as number[] };
  if (typeof row?.text === 'string') return { text: row.text };
  throw fail('expected {"text": "..."} or {"ids": [...]}');
}
