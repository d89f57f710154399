import { UserError } from '@lethe/run';
import { z } from 'zod';
import { defineBenchmark, maxItems, type TaskOf } from '../benchmark/define-benchmark.js';
import { hasChatTemplate } from '../chat/chat-prompter.js';
import type { Answered, Measure } from '../benchmark/answered.js';
import { type Evaluated, overlapOf } from '../benchmark/evaluated.js';
import type { Score } from '../interval.js';
import type { EvalItem } from '../items/eval-item.js';
import { textCounts } from '../items/text-counts.js';
import { answerIfeval, type PromptFormat } from './answer-ifeval.js';
import { readIfeval } from './ifeval-files.js';
import { type IfevalScores, scoreIfeval } from './score-ifeval.js';

const settings = {
  data: z.string().describe('folder with input_data.jsonl, punkt_english/ and langdetect_profiles/'),
  format: z
    .enum(['chat', 'plain'])
    .optional()
    .describe('default: chat where the model has a chat template, otherwise the prompt alone'),
  maxNewTokens: z.int().positive().default(1280).describe('tokens of an answer, at most'),
  maxItems,
};
type Task = TaskOf<'ifeval', typeof settings>;

/** What `lethe eval` writes of it. */
export interface IfevalResult extends Answered {
  kind: 'ifeval';
  scores: IfevalScores;
}

/** The model's chat format where it has one, unless the recipe says otherwise. */
function formatOf({ name, format }: Task, { tokenizer }: Evaluated): PromptFormat {
  const own = hasChatTemplate(tokenizer) ? 'chat' : 'plain';
  if (format === 'chat' && own === 'plain')
    throw new UserError(
      `${name}: format: chat needs a chat template, which ${tokenizer.folder} has not; add a chat_template to its ` +
        'tokenizer_config.json, or set format: plain',
    );
  return format ?? own;
}

/** Has the model respond to IFEval's prompts, and checks the responses. */
async function run(task: Task, evaluated: Evaluated): Promise<IfevalResult[]> {
  const format = formatOf(task, evaluated);
  const read = readIfeval(task.data);
  const ifeval = { ...read, prompts: read.prompts.slice(0, task.maxItems) };
  const template = format === 'chat' ? evaluated.tokenizer.chatTemplate : undefined;
  const questions = { prompts: ifeval.prompts, toolsHash: ifeval.toolsHash, template };
  const asking = { format, maxNewTokens: task.maxNewTokens };
  const answering = evaluated.answering({ ...task, ...asking }, questions);
  const items = await answerIfeval(evaluated, ifeval, { ...asking, ...answering });
  const scores = scoreIfeval(items, format);
  const rates = (some: EvalItem[]): Record<string, Score> => ({
    'prompt-level accuracy (strict)': scoreIfeval(some, format).strict.prompt,
  });
  const levels = (['strict', 'loose'] as const).flatMap((reading): Measure[] => [
    { name: `prompt-level accuracy % (${reading})`, score: scores[reading].prompt },
    { name: `instruction-level accuracy % (${reading})`, score: scores[reading].instruction },
  ]);
  const byInstruction = scores.byInstruction.map(({ instruction, strict }): Measure => ({
    name: `accuracy % (strict), ${instruction}`,
    score: strict,
  }));
  return [
    {
      kind: 'ifeval',
      name: task.name,
      average: 'micro',
      measures: [...levels, ...byInstruction],
      counts: {
        ...(format === 'plain' && { 'prompts given without a chat format': items.length }),
        'empty responses': scores.numEmpty,
        ...textCounts(items),
      },
      ...overlapOf(items, evaluated, rates),
      scores,
      items,
    },
  ];
}

/** IFEval: instructions whose following is checked by rule. */
export const ifeval = defineBenchmark('ifeval', settings, run);
