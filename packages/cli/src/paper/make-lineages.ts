import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, UserError } from '@lethe/run';
import { makeCorpus } from './corpus.js';
import type { LineageSetup } from './lineage.js';
import { PaperMeasuring } from './measure-model.js';
import type { Regime } from './regime.js';
import { type LineageMeasures, runLineage } from './run-lineage.js';

/** A seed's lineage, in a folder whose corpus is made. */
export interface LineageTask {
  folder: string;
  seed: number;
  regime: Regime;
  precision: 'fp32' | 'bf16';
  /** Which models are made: those that the claims are read off, or one of each forgetting method. */
  plan: 'claims' | 'methods';
}

interface LineageTools {
  logger: Logger;
  stop: StopRequest;
  /** Told of every model that is made and measured. */
  onModel: (name: string) => void;
}

/** The models that are fine-tuned: those that a claim about instructions compares. */
const CHAT_MODELS = new Set(['base', 'natural', 'synth', 'refine', 'control', 'template', 'all']);

/** Makes and measures a lineage in this process. */
export async function makeLineage(
  { folder, seed, regime, precision, plan }: LineageTask,
  { logger, stop, onModel }: LineageTools,
): Promise<LineageMeasures | StopSignal> {
  const corpus = await makeCorpus(join(folder, 'corpus'), regime, logger);
  const measuring = await PaperMeasuring.open(regime, corpus);
  const setup: LineageSetup = { regime, corpus, runs: join(folder, `seed-${seed}`), seed, precision };
  const longest = `refine${2 ** regime.refine.doublings}x`;
  const isTuned = (name: string): boolean => CHAT_MODELS.has(name) || name === longest;
  if (plan === 'claims')
    return runLineage(setup, measuring, {
      recipes: (lineage) => lineage.claimRecipes(),
      chatRuns: (name) => (isTuned(name) ? regime.chat.runs : 0),
      logger,
      stop,
      onModel,
    });
  return runLineage(setup, measuring, {
    recipes: (lineage) => lineage.methodRecipes(),
    chatRuns: () => 1,
    logger,
    stop,
    onModel,
  });
}

/**
 * Makes lineages, `jobs` at a time, each in a process of its own.
 * @returns the signal that stopped them, if one did.
 * @throws UserError where a process fails: its message names the seed.
 */
export async function makeLineages(
  tasks: readonly LineageTask[],
  { jobs, logger, stop }: { jobs: number; logger: Logger; stop: StopRequest },
): Promise<StopSignal | undefined> {
  const waiting = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = waiting.shift(); task && !stop.requested; task = waiting.shift())
      await inProcess(task, logger, stop);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return stop.requested;
}

type Message = { model: string } | { warning: string };

/**
 * Runs a task in a process outside of this one's group, so that a terminal's Ctrl-C reaches it once, from here; it ends
 * with this process.
 */
function inProcess(task: LineageTask, logger: Logger, stop: StopRequest): Promise<void> {
  const { seed } = task;
  return new Promise((resolve, reject) => {
    const file = new URL('./lineage-process.js', import.meta.url);
    const child = fork(file, [JSON.stringify(task)], {
      detached: true,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('message', (message: Message) => {
      if ('warning' in message) logger.warn(`seed ${seed}: ${message.warning}`);
      else logger.info(`seed ${seed}: ${message.model} is made and measured`);
    });
    const forward = setInterval(() => {
      if (!stop.requested) return;
      clearInterval(forward);
      child.kill(stop.requested);
    }, 200);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearInterval(forward);
      if (code === 0 || stop.requested) resolve();
      else
        reject(new UserError(`seed ${seed}: its process ended with ${signal ?? code}: ${errors.trim().slice(-1000)}`));
    });
  });
}
