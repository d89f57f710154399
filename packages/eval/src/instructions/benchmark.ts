import { z } from 'zod';
import { ASKED_PLAINLY, ChatPrompter, hasChatTemplate } from '../chat/chat-prompter.js';
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

/** Greedy responses, through the model's chat template or a plain one, checked by rule. */
async function run(task: Task, evaluated: Evaluated): Promise<InstructionResult[]> {
  const { model, tokenizer } = evaluated;
  const asked = readInstructions(task.data).map((instruction, i): Asked => ({ ...instruction, id: String(i) }));
  const byId = new Map(asked.map((instruction) => [instruction.id, instruction]));
  const prompter = await ChatPrompter.open(tokenizer);
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
  const items = await answerItems(
    asked,
    evaluated.answering(task, { asked, template: tokenizer.chatTemplate }),
    async (pending, done) => {
      const rendered = await prompter.encode(pending.map(({ prompt }) => prompt));
      const requests = rendered.map((prompt, i) => ({ prompt, stream: [pending[i].id] }));
      const settings = { maxNewTokens: task.maxNewTokens, stopIds, stopStrings: prompter.stopStrings };
      await generateTexts(evaluated, requests, settings, (i, { text }) => done(itemOf(pending[i], text)));
    },
  );
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
      ...(!hasChatTemplate(tokenizer) && { counts: { [ASKED_PLAINLY]: items.length } }),
      ...overlapOf(items, evaluated, rates),
      scores,
      items,
    },
  ];
}

/** Instructions with constraints, in a file of the user's own. */
export const instructions = defineBenchmark('instructions', settings, run);
