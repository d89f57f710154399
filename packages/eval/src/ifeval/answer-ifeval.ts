import type { Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { ChatPrompter } from '../chat/chat-prompter.js';
import type { Answering } from '../items/answer-items.js';
import { answerTexts, type Judged } from '../engine/answer-texts.js';
import type { EvalItem } from '../items/eval-item.js';
import type { Ifeval } from './ifeval-files.js';
import type { IfevalInstruction, TextTools } from './instruction.js';
import { judgeResponse } from './judge-response.js';

/** A user's turn in the model's chat format, or the prompt alone. */
export type PromptFormat = 'chat' | 'plain';

/** How prompts are given. */
export interface IfevalAsking {
  format: PromptFormat;
  maxNewTokens: number;
}

/** A prompt's item: right where the response as it is follows every instruction. */
export function judgeIfeval(instructions: readonly IfevalInstruction[], response: string, tools: TextTools): Judged {
  const verdicts = judgeResponse(response, instructions, tools);
  const ids = instructions.map(({ id }) => id);
  const followed = ids.filter((_, i) => verdicts[i] === 'followed');
  return {
    gold: ids.join(' '),
    prediction: followed.join(' '),
    score: followed.length === ids.length ? 1 : 0,
    verdicts,
  };
}

/** Responds to IFEval's prompts, greedily, and judges the responses. */
export async function answerIfeval(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  { prompts, tools }: Ifeval,
  { format, ...options }: IfevalAsking & Answering,
): Promise<EvalItem[]> {
  const questions = prompts.map(({ key, prompt, instructions, place }) => ({
    id: String(key),
    place,
    instructions,
    prompt: () => prompt,
  }));
  const encoder = format === 'chat' ? await ChatPrompter.open(evaluated.tokenizer) : undefined;
  const settings = { ...options, numShots: 0, stopStrings: [], ...(encoder && { encoder }) };
  return answerTexts(evaluated, questions, settings, ({ instructions }, [response]) =>
    judgeIfeval(instructions, response, tools),
  );
}
