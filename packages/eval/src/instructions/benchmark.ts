import { ChatRenderer } from '@lethe/data-pipeline';
import { z } from 'zod';
import { defineBenchmark, type TaskOf } from '../benchmark/define-benchmark.js';
import { generateTexts } from '../engine/generate-texts.js';
import type { Answered } from '../benchmark/answered.js';
import { type Evaluated, overlapOf } from '../benchmark/evaluated.js';
import type { Score } from '../interval.js';
import { answerItems } from '../items/answer-items.js';
import type { EvalItem } from '../items/eval-item.js';
import { readInstructions } from './read-instructions.js';
import { type InstructionScores, type RuleInstruction, scoreInstructions } from './score-instructions.js';

const settings = {
  data: z.string().describe('JSONL: {"prompt", "constraints"} a line'),
  maxNewTokens: z.int().positive().default(64).describe('tokens of an answer, at most'),
};
type Task = TaskOf<'instructions', typeof settings>;

/** What `lethe eval` writes of it. */
export interface InstructionResult extends Answered {
  kind: 'instructions';
  scores: InstructionScores;
}

type Asked = RuleInstruction & { id: string };

function itemOf({ id, place, ...instruction }: Asked, response: string): EvalItem {
  const isMet = scoreInstructions([instruction], [response]).hsr.value === 1;
  return { id, prediction: response, score: isMet ? 1 : 0, texts: [response], ...(place && { place }) };
}

/** Greedy responses of a chat model, checked by rule. */
async function run(task: Task, evaluated: Evaluated): Promise<InstructionResult[]> {
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
  return [
    {
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
    },
  ];
}

/** Instructions with constraints, in a file of the user's own. */
export const instructions = defineBenchmark('instructions', settings, run);
