import type { EvalItem } from './eval-item.js';
import { ItemLog } from './item-log.js';

/** Where items are kept, and what is told while they are made. */
export interface Answering {
  /** Undefined: items are not kept. */
  log?: { file: string; header: Record<string, unknown>; onDamage?: (warning: string) => void };
  onProgress?: (done: number, total: number) => void;
}

/**
 * Answers the questions that have no item yet, and returns the items of all, in order.
 * @param answer calls `done` once for each of the questions it is given.
 */
export async function answerItems<Q extends { id: string }, T extends { id: string } = EvalItem>(
  questions: readonly Q[],
  { log, onProgress }: Answering,
  answer: (pending: Q[], done: (item: T) => void) => Promise<void>,
): Promise<T[]> {
  const kept = log && ItemLog.open<T>(log.file, log.header, log.onDamage);
  const items = new Map<string, T>();
  for (const { id } of questions) {
    const item = kept?.item(id);
    if (item) items.set(id, item);
  }
  const pending = questions.filter(({ id }) => !items.has(id));
  onProgress?.(items.size, questions.length);
  if (pending.length > 0) {
    await answer(pending, (item) => {
      items.set(item.id, item);
      kept?.add(item);
      onProgress?.(items.size, questions.length);
    });
  }
  return questions.map(({ id }) => {
    const item = items.get(id);
    if (!item) throw new Error(`answerItems: expected an answer to ${id}, received none`);
    return item;
  });
}
