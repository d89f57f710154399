import { UserError } from '@lethe/run';
import type { PromptEncoder } from '../engine/prompt-encoder.js';
import { commonPrefixLength } from '../engine/prefix-slots.js';
import type { ContinuationRequest } from '../engine/score-continuations.js';
import type { EvalItem } from '../items/eval-item.js';
import type { ChoiceBenchmark } from './choice-benchmark.js';
import { choiceContinuations, choicePrompt, type ChoiceProtocol } from './choice-prompt.js';
import type { ChoiceQuestion, ChoiceSubject } from './choice-question.js';

/** How questions are asked. */
export interface Asking {
  benchmark: ChoiceBenchmark;
  protocol: ChoiceProtocol;
  numShots: number;
}

/** A question in ids, with what was cut to fit the context. */
export interface EncodedChoices extends ContinuationRequest {
  /** A context for each continuation, where they were cut differently. */
  contexts?: number[][];
  /** Ids of each whole text, for scores that are a mean over it. */
  lengths: number[];
  cut?: EvalItem['cut'];
}

/**
 * Splits whole texts into a context and continuations. The letter's tokens are those of the whole text, so that a letter
 * which joins the tokens before it, or a space that is a token of its own, is scored as the model reads it.
 */
function split(prompt: number[], wholes: number[][], protocol: ChoiceProtocol): ContinuationRequest {
  // lm-evaluation-harness cuts at the prompt's own length, whatever the whole text's tokens are there.
  const cut = protocol === 'lm-eval' ? prompt.length : commonPrefixLength([prompt, ...wholes]);
  const continuations = wholes.map((ids) => ids.slice(cut));
  if (cut === 0 || new Set(continuations.map(String)).size !== wholes.length || continuations.some((c) => !c.length))
    throw new UserError('the tokenizer does not tell the letters A, B, C and D apart after a question');
  return { context: prompt.slice(0, cut), continuations };
}

/**
 * The last tokens of each choice's text, as lm-evaluation-harness keeps them: of letters that differ in length, the longer
 * ones lose more of the question.
 */
function cutEach({ context, continuations }: ContinuationRequest, limit: number): Pick<EncodedChoices, 'contexts'> {
  const contexts = continuations.map(({ length }) => context.slice(Math.max(context.length + length - 1 - limit, 0)));
  return new Set(contexts.map(({ length }) => length)).size > 1 ? { contexts } : {};
}

/** Tokens that the model reads: all but the last of each continuation. */
const readLength = ({ context, continuations }: ContinuationRequest): number =>
  context.length + Math.max(...continuations.map(({ length }) => length)) - 1;

/**
 * A question's ids within the model's context. Where it is too long, shots are dropped from the last on; lm-eval drops
 * tokens from the start instead, of each choice as many as that one needs, and so does everyone with a question too long
 * by itself, of all choices alike.
 */
export async function encodeChoices(
  encoder: PromptEncoder,
  { subject, question }: { subject: ChoiceSubject; question: ChoiceQuestion },
  { context: limit, ...asking }: Asking & { context: number },
): Promise<EncodedChoices> {
  const { benchmark, protocol } = asking;
  const most = Math.min(asking.numShots, subject.shots.length);
  for (let numShots = most; ; numShots--) {
    const text = choicePrompt(subject, question, { ...asking, numShots });
    const letters = choiceContinuations(benchmark, protocol).map((letter) => `${text}${letter}`);
    const [prompt, ...wholes] = await encoder.encode([text, ...letters]);
    const request = split(prompt, wholes, protocol);
    const lengths = wholes.map(({ length }) => length);
    const excess = readLength(request) - limit;
    if (excess <= 0) return { ...request, lengths, ...(numShots < most && { cut: 'shots' }) };
    if (protocol === 'lm-eval' || numShots === 0)
      return {
        ...request,
        context: request.context.slice(excess),
        ...(protocol === 'lm-eval' && cutEach(request, limit)),
        lengths: lengths.map((length) => length - excess),
        cut: 'start',
      };
  }
}
