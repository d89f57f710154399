import { type Score, shareInterval, wilson } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import type { PromptFormat } from './answer-ifeval.js';
import type { Followed } from './judge-response.js';

/** Strictly: by responses as they are. Loosely: by any of their eight variants. */
export const IFEVAL_READINGS = ['strict', 'loose'] as const;
export type IfevalReading = (typeof IFEVAL_READINGS)[number];

/** Accuracies of one reading. */
export interface IfevalAccuracy {
  /** Prompts all of whose instructions are followed. */
  prompt: Score;
  /** Instructions that are followed; its interval is a bootstrap over prompts. */
  instruction: Score;
}

/** IFEval's four accuracies, and those of each kind of instruction. */
export interface IfevalScores extends Record<IfevalReading, IfevalAccuracy> {
  format: PromptFormat;
  byInstruction: ({ instruction: string } & Record<IfevalReading, Score>)[];
  numEmpty: number;
}

const isFollowed = (verdict: Followed, reading: IfevalReading): boolean =>
  verdict === 'followed' || (reading === 'loose' && verdict === 'followed loosely');

function accuracy(items: readonly EvalItem[], reading: IfevalReading): IfevalAccuracy {
  const counts = items.map(({ verdicts }) => {
    const followed = (verdicts as Followed[]).filter((verdict) => isFollowed(verdict, reading));
    return { part: followed.length, whole: verdicts!.length };
  });
  return {
    prompt: wilson(counts.filter(({ part, whole }) => part === whole).length, counts.length),
    instruction: shareInterval(counts),
  };
}

/** Scores judged items. */
export function scoreIfeval(items: readonly EvalItem[], format: PromptFormat): IfevalScores {
  const verdicts = new Map<string, Followed[]>();
  for (const item of items) {
    for (const [i, id] of item.gold!.split(' ').entries())
      verdicts.set(id, [...(verdicts.get(id) ?? []), item.verdicts![i] as Followed]);
  }
  const share = (own: Followed[], reading: IfevalReading): Score =>
    wilson(own.filter((verdict) => isFollowed(verdict, reading)).length, own.length);
  return {
    format,
    strict: accuracy(items, 'strict'),
    loose: accuracy(items, 'loose'),
    byInstruction: [...verdicts.keys()].sort().map((instruction) => {
      const own = verdicts.get(instruction)!;
      return { instruction, strict: share(own, 'strict'), loose: share(own, 'loose') };
    }),
    numEmpty: items.filter(({ texts }) => texts![0].trim() === '').length,
  };
}
