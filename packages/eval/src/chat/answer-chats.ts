import type { Place, Tokenizer, Turn } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { generateTexts } from '../engine/generate-texts.js';
import { type Answering, answerItems } from '../items/answer-items.js';
import { ChatPrompter } from './chat-prompter.js';

/** A conversation that the model is to go on with. */
export interface ChatQuestion {
  id: string;
  /** Ends with the user's turn. */
  turns: Turn[];
  /** 0 or absent: greedy. */
  temperature?: number;
  place?: Place;
}

/** What the model said. */
export interface ChatAnswer {
  id: string;
  /** Without surrounding white space. */
  text: string;
  /** The conversation exceeded the context and lost its start. */
  cut?: 'start';
  /** The answer ended for want of room. */
  isUnfinished?: true;
  place?: Place;
}

/** How conversations are continued. */
export interface ChatAnswering extends Answering {
  maxNewTokens: number;
  /** Of the sampling; an answer depends on it and on the question's id alone. */
  seed?: number;
}

/** Questions whose answers are generated in one go. */
const QUESTIONS_AT_ONCE = 128;

/** Questions of one temperature each, in order. */
function batches(questions: readonly ChatQuestion[]): ChatQuestion[][] {
  const byTemperature = new Map<number, ChatQuestion[]>();
  for (const question of questions) {
    const { temperature = 0 } = question;
    const same = byTemperature.get(temperature);
    if (same) same.push(question);
    else byTemperature.set(temperature, [question]);
  }
  return [...byTemperature.values()].flatMap((same) =>
    Array.from({ length: Math.ceil(same.length / QUESTIONS_AT_ONCE) }, (_, i) =>
      same.slice(i * QUESTIONS_AT_ONCE, (i + 1) * QUESTIONS_AT_ONCE),
    ),
  );
}

/**
 * Has the model speak in conversations. Prompts leave room for the new tokens, or for half the context where that is
 * less, and lose their start where they are longer.
 */
export async function answerChats(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  questions: readonly ChatQuestion[],
  { maxNewTokens, seed, ...answering }: ChatAnswering,
): Promise<ChatAnswer[]> {
  const { model, tokenizer } = evaluated;
  const prompter = await ChatPrompter.open(tokenizer);
  const context = model.config.maxPositions;
  const limit = context - Math.min(maxNewTokens, Math.floor(context / 2));
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
  const { stopStrings } = prompter;

  const answerBatch = async (batch: ChatQuestion[], done: (answer: ChatAnswer) => void): Promise<void> => {
    const prompts = await Promise.all(batch.map(({ turns }) => prompter.prompt(turns)));
    const requests = prompts.map((ids, i) => ({ prompt: ids.slice(-limit), stream: [batch[i].id] }));
    const { temperature } = batch[0];
    const settings = { maxNewTokens, stopIds, stopStrings, temperature, seed };
    await generateTexts(evaluated, requests, settings, (i, { text, isFinished }) => {
      const { id, place } = batch[i];
      done({
        id,
        text: text.trim(),
        ...(prompts[i].length > limit && { cut: 'start' }),
        ...(!isFinished && { isUnfinished: true }),
        ...(place && { place }),
      });
    });
  };
  return answerItems<ChatQuestion, ChatAnswer>(questions, answering, async (pending, done) => {
    for (const batch of batches(pending)) await answerBatch(batch, done);
  });
}
