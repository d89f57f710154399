import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkpointFolder, loadTokenizer } from '@lethe/data-pipeline';
import { loadLlama, readConfig, scoreSequences } from '@lethe/model';
import { requireTaskFiles } from '@lethe/eval';
import { formatDuration, type Logger, requireLocal, UserError } from '@lethe/run';
import { applyDeviceSettings } from '@lethe/tensor';
import { checkStage, type TrainRecipe } from '@lethe/train';
import { formatTable } from '../command-line/table.js';
import { readBenchmarks } from './benchmarks.js';
import { finetuneRecipe } from './fine-tune.js';
import { usableMemory } from './memory.js';
import { type BatchAndSteps, MOST_ASKED, NUM_PROBES, planRepair, stepBytes, trainingSeconds } from './plan.js';
import { areInstructionsDivided, wholeInstructions } from './instruction-parts.js';
import type { RepairRequest } from './repair-request.js';
import { sizeOfSources } from './sources.js';

/** Rows that the model's speed is measured on. */
const TIMED_ROWS = 4;

const count = (value: number): string => Math.round(value).toLocaleString('en');

/**
 * What a repair would do: checks the model, its tokenizer, the device and the files, times a forward pass, and changes
 * nothing.
 * @throws UserError naming what is missing.
 */
export async function dryRun(request: RepairRequest, logger: Logger): Promise<string> {
  const model = await checkpointFolder(request.model, logger);
  const { config } = readConfig(join(model, 'config.json'));
  await loadTokenizer(model);
  if (request.base !== undefined) readConfig(join(await checkpointFolder(request.base, logger), 'config.json'));
  requireTaskFiles(
    readBenchmarks({ recipe: request.eval, instructions: wholeInstructions(request.instructions) }).tasks,
  );
  const tuning = request.finetune && finetuneRecipe(request, { model, name: 'finetune', run: 0 });
  if (tuning) await checkStage(tuning, logger);
  requireFolder(request.out);
  const [synthetic, natural] = [await sizeOfSources(request.synthetic), await sizeOfSources(request.natural)];
  await applyDeviceSettings(request);
  const memory = usableMemory();
  const secondsPerToken = secondsOf(model, Math.min(config.maxPositions, 256));
  const isAsked = areInstructionsDivided(request.instructions);
  const plan = planRepair(config, { memory, budget: request.budget, secondsPerToken, isAsked });
  const rows = [
    ...trainingRows(plan, secondsPerToken, isAsked),
    ...(tuning ? [finetuningRow(request, tuning, { secondsPerToken, isAsked })] : []),
  ];
  const per = (plan.forgetRows * plan.accumulate * plan.rowLength * plan.steps) / synthetic.tokens;
  return [
    formatTable(['phase', 'runs', 'steps', 'tokens', 'time'], rows),
    `rows of ${plan.rowLength} tokens: ${plan.forgetRows} synthetic and ${plan.replayRows} natural ones, ${plan.accumulate} times a step${plan.recompute ? ', activations recomputed' : ''}`,
    `memory of a step, estimated: ${(stepBytes(config, plan) / 2 ** 30).toFixed(2)} GiB of ${(memory / 2 ** 30).toFixed(2)} GiB`,
    `synthetic text: ${synthetic.text}, read about ${per.toPrecision(2)} times by the longest run; natural text: ${natural.text}`,
    'nothing was written; steps and times are at most: a run ends when the pattern is gone',
  ].join('\n');
}

/** @throws UserError where a folder that is to be written, or one above it, is something else, or may not be written to. */
function requireFolder(folder: string): void {
  requireLocal(folder);
  let existing = resolve(folder);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  if (!statSync(existing).isDirectory())
    throw new UserError(`--out ${folder}: expected a folder, found a file (${existing}); take another name`);
  accessSync(existing, constants.W_OK);
}

/** Seconds of a token in a forward pass. */
function secondsOf(folder: string, length: number): number {
  const { model } = loadLlama(folder, { trainable: false });
  try {
    const rows = Array.from({ length: TIMED_ROWS }, (_, row) =>
      Array.from({ length }, (_, t) => (7 * t + row) % model.config.vocabSize),
    );
    scoreSequences(model, rows);
    const began = performance.now();
    scoreSequences(model, rows);
    return (performance.now() - began) / 1000 / (TIMED_ROWS * length);
  } finally {
    model.dispose();
  }
}

/** Copies of the model before, of the repaired one, of replay alone and of the base where there is one; one of each setting that is asked. */
function finetuningRow(
  { finetune, base }: RepairRequest,
  { batch, data, steps }: TrainRecipe,
  { secondsPerToken, isAsked }: { secondsPerToken: number; isAsked: boolean },
): string[] {
  const runs = (base === undefined ? 3 : 4) * finetune!.runs + (isAsked ? MOST_ASKED - 1 : 0);
  const tokens = runs * steps * batch.replayRows * batch.accumulate * data.rowLength;
  return [
    'fine-tuning',
    String(runs),
    count(steps),
    count(tokens),
    formatDuration(trainingSeconds(tokens, secondsPerToken)),
  ];
}

function trainingRows(plan: BatchAndSteps, secondsPerToken: number, isAsked: boolean): string[][] {
  const stepTokens = (plan.replayRows + plan.forgetRows) * plan.accumulate * plan.rowLength;
  const row = (phase: string, runs: number, steps: number): string[] => {
    const tokens = runs * steps * stepTokens;
    return [phase, String(runs), count(steps), count(tokens), formatDuration(trainingSeconds(tokens, secondsPerToken))];
  };
  return [
    row('probes, relapse', NUM_PROBES, plan.probeSteps),
    ...(isAsked ? [row('settings that are asked', MOST_ASKED - 1, plan.probeSteps)] : []),
    row('unlearn', 1, plan.steps),
    row('control', 1, plan.steps),
  ];
}
