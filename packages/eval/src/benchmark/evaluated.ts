import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Overlaps, Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { VERSION } from '@lethe/run';
import type { Answering } from '../items/answer-items.js';
import type { EvalItem } from '../items/eval-item.js';
import type { Judging } from '../judge/judge-answers.js';
import type { KnownLogprobs } from '../items/known-logprobs.js';
import { type OverlapSplit, splitByOverlap } from '../overlap/split-by-overlap.js';

/** Where items are kept while a model is evaluated, and what they depend on. */
export interface ItemsPlace {
  folder: string;
  model: string;
  device: string | undefined;
}

/** What is evaluated, and what is known about it. */
export interface Evaluated {
  model: Llama;
  tokenizer: Tokenizer;
  /** What is known of evaluation items in training data. */
  overlaps: Overlaps | undefined;
  /** Log-likelihoods that several protocols share. */
  known: KnownLogprobs;
  /** Programs may run with the user's own rights where there is no sandbox. */
  allowsUnsandboxed: boolean;
  /** How the items of a task that asks `questions` are kept and reported. */
  answering: (task: { name: string }, questions: unknown) => Answering;
  /** How the answers of a task, by its name, are judged; undefined where there is no judge. */
  judging: (name: string) => Judging | undefined;
  /** Tells the user what a score is not. */
  warn: (message: string) => void;
}

/** Names, sizes and times of a checkpoint's files: whether it is still the same model. */
export function checkpointFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /\.(safetensors|json)$/.test(name));
  return names.sort().map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${size} ${Math.round(mtimeMs)}`;
  });
}

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** The file that a task's items go to: its name tells apart everything they depend on. */
export function itemLog(
  { folder, model, device }: ItemsPlace,
  task: { name: string },
  of: { questions: unknown; checkpoint: string[] },
): NonNullable<Answering['log']> {
  const { name } = task;
  const header = { model, device, version: VERSION, task, questions: sha256(of.questions), checkpoint: of.checkpoint };
  const slug =
    name
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.join('-') ?? 'items';
  return { file: join(folder, `${slug}-${sha256(header).slice(0, 12)}.jsonl`), header };
}

/** Scores of items by whether training data hold them, where that is known. */
export function overlapOf<S>(
  items: EvalItem[],
  { overlaps }: Pick<Evaluated, 'overlaps'>,
  score: (items: EvalItem[]) => S,
): { overlap?: OverlapSplit<S> } {
  const overlap = overlaps && splitByOverlap(items, { overlaps, placeOf: ({ place }) => place }, score);
  return overlap ? { overlap } : {};
}
