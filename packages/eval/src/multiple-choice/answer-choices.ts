import { createHash } from 'node:crypto';
import type { Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { UserError } from '@lethe/run';
import { PromptEncoder } from '../engine/prompt-encoder.js';
import { type ContinuationRequest, scoreContinuations } from '../engine/score-continuations.js';
import { type Answering, answerItems } from '../items/answer-items.js';
import type { EvalItem } from '../items/eval-item.js';
import type { KnownLogprobs } from '../items/known-logprobs.js';
import { type ChoiceQuestion, type ChoiceSubject, LETTERS } from './choice-question.js';
import { type Asking, encodeChoices, type EncodedChoices } from './encode-choices.js';

interface Question {
  id: string;
  subject: ChoiceSubject;
  question: ChoiceQuestion;
}

function keyOf(parts: readonly ContinuationRequest[]): string {
  const hash = createHash('sha1');
  for (const ids of parts.flatMap(({ context, continuations }) => [context, ...continuations]))
    hash.update(Int32Array.from([ids.length, ...ids]));
  return hash.digest('base64');
}

/** What is scored for a question, and what its sums are divided by to compare them. */
interface Scoring {
  parts: ContinuationRequest[];
  divisors?: number[];
}

/**
 * What is scored for a question: one request, or one for each letter where their contexts differ. OpenCompass compares mean losses over whole texts: the letters' own losses order them
 * alike where the texts have as many tokens; where they have not, the whole texts are scored.
 */
function scoringOf(encoded: EncodedChoices, { protocol }: Asking): Scoring {
  const { context, contexts, continuations, lengths } = encoded;
  if (contexts) return { parts: continuations.map((ids, i) => ({ context: contexts[i], continuations: [ids] })) };
  if (protocol !== 'opencompass' || new Set(lengths).size === 1) return { parts: [{ context, continuations }] };
  const rest = context.slice(1);
  const wholes = continuations.map((ids) => [...rest, ...ids]);
  return { parts: [{ context: context.slice(0, 1), continuations: wholes }], divisors: lengths };
}

function itemOf(
  { id, subject, question }: Question,
  { cut }: EncodedChoices,
  scored: { logprobs: number[]; divisors?: number[] },
): EvalItem {
  const { logprobs, divisors } = scored;
  const comparable = logprobs.map((logprob, i) => (divisors ? logprob / divisors[i] : logprob));
  const chosen = comparable.indexOf(Math.max(...comparable));
  return {
    id,
    group: subject.name,
    gold: LETTERS[question.answer],
    prediction: LETTERS[chosen],
    score: chosen === question.answer ? 1 : 0,
    logprobs,
    ...(cut && { cut }),
    ...(question.place && { place: question.place }),
  };
}

function checkShots(subjects: readonly ChoiceSubject[], numShots: number): void {
  const short = subjects.find(({ shots }) => shots.length < numShots);
  if (!short) return;
  throw new UserError(
    `${short.name}: expected ${numShots} shots in its file under dev/, found ${short.shots.length}; add it, or set shots: ${short.shots.length}`,
  );
}

/** How many of a subject's questions are encoded and scored at a time. */
const QUESTIONS_AT_ONCE = 256;

/**
 * Asks every question of the subjects: the likeliest letter is the answer. A subject's shots are read once.
 * @param known filled and used across calls for the same model.
 * @throws UserError where a subject has fewer shots than asked for.
 */
export async function answerChoices(
  { model, tokenizer }: { model: Llama; tokenizer: Tokenizer },
  subjects: readonly ChoiceSubject[],
  { known = new Map() as KnownLogprobs, ...options }: Asking & Answering & { known?: KnownLogprobs },
): Promise<EvalItem[]> {
  checkShots(subjects, options.numShots);
  const encoder = await PromptEncoder.open(tokenizer);
  const context = model.config.maxPositions;
  const questions = subjects.flatMap((subject) =>
    subject.questions.map((question, index): Question => ({ id: `${subject.name}/${index}`, subject, question })),
  );
  const answerPart = async (part: Question[], done: (item: EvalItem) => void): Promise<void> => {
    const encoded = await Promise.all(part.map((one) => encodeChoices(encoder, one, { ...options, context })));
    const scorings = encoded.map((one) => scoringOf(one, options));
    const keys = scorings.map(({ parts }) => keyOf(parts));
    const finish = (i: number, logprobs: number[]): void =>
      done(itemOf(part[i], encoded[i], { logprobs, divisors: scorings[i].divisors }));
    const unknown: number[] = [];
    for (const [i, key] of keys.entries()) {
      const logprobs = known.get(key);
      if (logprobs) finish(i, logprobs);
      else unknown.push(i);
    }
    const asked = unknown.flatMap((i) => scorings[i].parts.map((request, part) => ({ i, part, request })));
    let logprobs: number[] = [];
    scoreContinuations(
      model,
      asked.map(({ request }) => request),
      (at, scored) => {
        const { i, part } = asked[at];
        logprobs = part === 0 ? scored : [...logprobs, ...scored];
        if (part < scorings[i].parts.length - 1) return;
        known.set(keys[i], logprobs);
        finish(i, logprobs);
      },
    );
  };
  return answerItems(questions, options, async (pending, done) => {
    for (const subject of subjects) {
      const own = pending.filter((one) => one.subject === subject);
      for (let from = 0; from < own.length; from += QUESTIONS_AT_ONCE)
        await answerPart(own.slice(from, from + QUESTIONS_AT_ONCE), done);
    }
  });
}
