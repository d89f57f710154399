import type { Tokenizer } from '@lethe/data-pipeline';
import type { Llama } from '@lethe/model';
import { answerChats, type ChatAnswer, type ChatAnswering } from '../chat/answer-chats.js';
import type { MtQuestion } from './mt-bench-files.js';

/** FastChat's temperatures; other categories are answered greedily. */
const TEMPERATURES: Record<string, number> = { writing: 0.7, roleplay: 0.7, stem: 0.1, humanities: 0.1 };

/** The temperature at which a category is answered. */
export const mtTemperature = (category: string): number =>
  Object.hasOwn(TEMPERATURES, category) ? TEMPERATURES[category] : 0;

/** Both answers to a question. */
export interface MtConversation {
  question: MtQuestion;
  answers: [ChatAnswer, ChatAnswer];
}

/** Answers both turns of every question, all first turns before the second ones. Answers have the ids `81/1`, `81/2`. */
export async function answerMtBench(
  evaluated: { model: Llama; tokenizer: Tokenizer },
  questions: readonly MtQuestion[],
  { onProgress, ...options }: ChatAnswering,
): Promise<MtConversation[]> {
  const total = 2 * questions.length;
  const asked = questions.map(({ id, category, turns, place }) => ({
    id: `${id}/1`,
    turns: [{ role: 'user' as const, content: turns[0] }],
    temperature: mtTemperature(category),
    place,
  }));
  const first = await answerChats(evaluated, asked, { ...options, onProgress: (done) => onProgress?.(done, total) });
  const goingOn = questions.map(({ id, turns }, i) => ({
    ...asked[i],
    id: `${id}/2`,
    turns: [
      ...asked[i].turns,
      { role: 'assistant' as const, content: first[i].text },
      { role: 'user' as const, content: turns[1] },
    ],
  }));
  const second = await answerChats(evaluated, goingOn, {
    ...options,
    onProgress: (done) => onProgress?.(questions.length + done, total),
  });
  return questions.map((question, i) => ({ question, answers: [first[i], second[i]] }));
}
