import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type Logger, type StopRequest, type StopSignal, UserError } from '@lethe/run';
import { makeCorpus, type PaperCorpus } from './corpus/corpus.js';
import { makeMoreShards } from './corpus/more-shards.js';
import type { LineageSetup } from './lineage/lineage.js';
import { studyOf, type StudyName } from './studies/studies.js';
import { PaperMeasuring } from './measures/measure-model.js';
import type { Regime } from './regime.js';
import { type LineageMeasures, runLineage } from './lineage/run-lineage.js';

/** A seed's lineage, in a folder whose corpus is made. */
export interface LineageTask {
  folder: string;
  seed: number;
  regime: Regime;
  precision: 'fp32' | 'bf16';
  study: StudyName;
}

interface LineageTools {
  logger: Logger;
  stop: StopRequest;
  /** Told of every model that is made and measured. */
  onModel: (name: string) => void;
}

/** Makes and measures a lineage in this process. */
export async function makeLineage(
  { folder, seed, regime, precision, study }: LineageTask,
  { logger, stop, onModel }: LineageTools,
): Promise<LineageMeasures | StopSignal> {
  const corpus = await makeTexts({ folder, regime, study }, logger);
  const measuring = await PaperMeasuring.open(regime, corpus);
  const setup: LineageSetup = { regime, corpus, runs: join(folder, `seed-${seed}`), seed, precision };
  const { recipes, chatRuns, measureMore } = studyOf(study);
  return runLineage(setup, measuring, {
    recipes: (lineage) => recipes(lineage, regime),
    chatRuns: (name) => chatRuns(name, regime),
    logger,
    stop,
    onModel,
    ...(measureMore && {
      more: { name: study, measure: (model: string, file: string) => measureMore(setup, model, file) },
    }),
  });
}

/** The corpus, and the text that a study needs beside it. */
export async function makeTexts(
  { folder, regime, study }: Pick<LineageTask, 'folder' | 'regime' | 'study'>,
  logger: Logger,
): Promise<PaperCorpus> {
  const corpus = await makeCorpus(join(folder, 'corpus'), regime, logger);
  await makeMoreShards(studyOf(study).shards ?? [], { regime, corpus, logger });
  return corpus;
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

type Message = { model: string } | { warning: string } | { error: string };

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
    let [errors, problem] = ['', ''];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('message', (message: Message) => {
      if ('error' in message) problem = message.error;
      else if ('warning' in message) logger.warn(`seed ${seed}: ${message.warning}`);
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
        reject(
          new UserError(
            `seed ${seed}: ${problem || `its process ended with ${signal ?? code}: ${errors.trim().slice(-1000)}`}`,
          ),
        );
    });
  });
}
