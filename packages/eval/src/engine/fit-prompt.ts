import type { EvalItem } from '../items/eval-item.js';
import type { PromptEncoder } from './prompt-encoder.js';

/** A prompt in ids, with what was cut to make it fit. */
export interface FittedPrompt {
  ids: number[];
  cut?: EvalItem['cut'];
}

/** What a prompt that is too long loses first: shots from the last on, or tokens from its start. */
export type CutFrom = 'shots' | 'start';

/** A prompt by the number of its shots, as many as wanted or, where it is longer than `limit` tokens, as fit. */
export async function fitPrompt(
  encoder: Pick<PromptEncoder, 'encode'>,
  render: (numShots: number) => string,
  { numShots: wanted, limit, cutFrom = 'shots' }: { numShots: number; limit: number; cutFrom?: CutFrom },
): Promise<FittedPrompt> {
  for (let numShots = wanted; ; numShots--) {
    const [ids] = await encoder.encode([render(numShots)]);
    if (ids.length <= limit) return { ids, ...(numShots < wanted && { cut: 'shots' }) };
    if (numShots === 0 || cutFrom === 'start') return { ids: ids.slice(-limit), cut: 'start' };
  }
}
