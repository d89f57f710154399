import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ItemLog } from '../items/item-log.js';
import type { Judge, JudgeReply, JudgeRequest, JudgeUsage } from './judge.js';

/** An answer to be judged. */
export interface ToJudge {
  /** Of the item. */
  id: string;
  request: JudgeRequest;
}

/** A judge, how often it is asked, and where its judgements are kept. */
export interface Judging {
  judge: Judge;
  /** Requests at once. */
  concurrency: number;
  /** Further judgements of every answer, which show the judge's own noise. */
  rejudge: number;
  /** Absent: judgements are not kept. */
  folder?: string;
  /** Told where a file of judgements was damaged. */
  onDamage?: (warning: string) => void;
  onProgress?: (done: number, total: number) => void;
}

/** A judgement as it is kept: its id is of everything the judge was asked, so that nothing is paid for twice. */
interface KeptJudgement extends JudgeReply {
  id: string;
  /** The item it was made for; others with the same answer share it. */
  item: string;
}

/** The judgements of every answer, by item: the first, then the further ones. */
export interface Judgements {
  texts: Map<string, string[]>;
  usage: JudgeUsage;
  /** Judgements whose cost the endpoint did not tell. */
  numWithoutUsage: number;
}

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** The judgements of one judge. */
function openLog(folder: string, { url, model }: Judge, onDamage: Judging['onDamage']): ItemLog<KeptJudgement> {
  const header = { judge: { url, model } };
  const slug =
    model
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.join('-') ?? 'judge';
  return ItemLog.open(join(folder, `judgements-${slug}-${sha256(header).slice(0, 12)}.jsonl`), header, onDamage);
}

/** Runs calls, so many at once. After a failure none is begun; those under way end before it is thrown. */
async function inParallel<T>(work: readonly T[], concurrency: number, call: (one: T) => Promise<void>): Promise<void> {
  const queue = [...work];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined && failures.length === 0; one = queue.shift()) {
      try {
        await call(one);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failures.length > 0) throw failures[0];
}

/**
 * Has answers judged, those first that have no judgement yet. Each judgement is kept as it comes.
 * @throws JudgeError when the judge cannot be had; what it has judged is kept.
 */
export async function judgeAnswers(
  answers: readonly ToJudge[],
  { judge, concurrency, rejudge, folder, onProgress, onDamage }: Judging,
): Promise<Judgements> {
  const log = folder === undefined ? undefined : openLog(folder, judge, onDamage);
  const replies = new Map<string, JudgeReply>();
  const wanted = answers.flatMap(({ id, request }) => {
    const key = sha256(request).slice(0, 32);
    return Array.from({ length: 1 + rejudge }, (_, round) => ({ id: `${key}/${round}`, item: id, request }));
  });
  const distinct = new Map(wanted.map((one) => [one.id, one]));
  for (const id of distinct.keys()) {
    const kept = log?.item(id);
    if (kept) replies.set(id, kept);
  }
  onProgress?.(replies.size, distinct.size);
  const pending = [...distinct.values()].filter(({ id }) => !replies.has(id));
  await inParallel(pending, concurrency, async ({ id, item, request }) => {
    const reply = await judge.ask(request);
    replies.set(id, reply);
    log?.add({ id, item, ...reply });
    onProgress?.(replies.size, distinct.size);
  });
  const texts = new Map<string, string[]>();
  for (const { id, item } of wanted) texts.set(item, [...(texts.get(item) ?? []), replies.get(id)!.text]);
  return { texts, ...costOf([...replies.values()]) };
}

function costOf(replies: JudgeReply[]): Pick<Judgements, 'usage' | 'numWithoutUsage'> {
  const told = replies.flatMap(({ usage }) => (usage ? [usage] : []));
  const sum = (of: keyof JudgeUsage): number => told.reduce((total, usage) => total + usage[of], 0);
  return {
    usage: { promptTokens: sum('promptTokens'), completionTokens: sum('completionTokens') },
    numWithoutUsage: replies.length - told.length,
  };
}
