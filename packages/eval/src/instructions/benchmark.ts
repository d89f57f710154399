import { ChatRenderer } from '@lethe/data-pipeline';
import { generateTexts } from '../engine/generate-texts.js';
import { type InstructionScores, type RuleInstruction, scoreInstructions } from './score-instructions.js';
import type { Score } from '../interval.js';
import { answerItems } from '../items/answer-items.js';
import type { EvalItem } from '../items/eval-item.js';
import type { EvalTaskOf } from '../evaluation/eval-recipe.js';
import { type Evaluated, overlapOf } from '../evaluation/evaluated.js';
import { readInstructions } from './read-instructions.js';
import type { TaskResult } from '../evaluation/task-result.js';

type Asked = RuleInstruction & { id: string };

function itemOf({ id, place, ...instruction }: Asked, response: string): EvalItem {
  const isMet = scoreInstructions([instruction], [response]).hsr.value === 1;
  return { id, prediction: response, score: isMet ? 1 : 0, texts: [response], ...(place && { place }) };
}

/** Greedy responses of a chat model, checked by rule. */
export async function runInstructionTask(task: EvalTaskOf<'instructions'>, evaluated: Evaluated): Promise<TaskResult> {
  const { model, tokenizer } = evaluated;
  const asked = readInstructions(task.data).map((instruction, i): Asked => ({ ...instruction, id: String(i) }));
  const byId = new Map(asked.map((instruction) => [instruction.id, instruction]));
  const renderer = new ChatRenderer(tokenizer);
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
  const items = await answerItems(asked, evaluated.answering(task, asked), async (pending, done) => {
    const rendered = await Promise.all(
      pending.map(({ prompt }) => renderer.prompt([{ role: 'user', content: prompt }])),
    );
    const requests = rendered.map((prompt, i) => ({ prompt: [...prompt], stream: [pending[i].id] }));
    const { maxNewTokens } = task;
    await generateTexts(evaluated, requests, { maxNewTokens, stopIds, stopStrings: [] }, (i, { text }) =>
      done(itemOf(pending[i], text)),
    );
  });
  const score = (some: EvalItem[]): InstructionScores =>
    scoreInstructions(
      some.map(({ id }) => byId.get(id)!),
      some.map(({ texts }) => texts![0]),
    );
  const rates = (some: EvalItem[]): Record<string, Score> => {
    const { hsr, ssr } = score(some);
    return { hsr, ssr };
  };
  const scores = score(items);
  return {
    kind: task.kind,
    name: task.name,
    average: 'micro',
    measures: [
      { name: 'HSR %', score: scores.hsr },
      { name: 'SSR %', score: scores.ssr },
    ],
    ...overlapOf(items, evaluated, rates),
    scores,
    items,
  };
}
