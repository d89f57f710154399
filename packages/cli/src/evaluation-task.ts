import { documentPerplexities } from '@lethe/analysis';
import { ChatRenderer, type Overlaps, type Place, sequences, type Tokenizer } from '@lethe/data-pipeline';
import {
  type ChoiceOutcome,
  type InstructionScores,
  readMmluFolder,
  type Score,
  scoreChoices,
  scoreInstructions,
  splitByOverlap,
  wilson,
} from '@lethe/eval';
import { generate, type Llama } from '@lethe/model';
import type { EvalTask, TaskResult } from './evaluation.js';
import { readInstructions } from './read-instructions.js';

/** Greedy responses of a chat model, `batchRows` at a time. */
async function respond(model: Llama, tokenizer: Tokenizer, prompts: string[], maxNewTokens: number): Promise<string[]> {
  const renderer = new ChatRenderer(tokenizer);
  const stopIds = [...new Set([...model.config.eosTokenIds, ...tokenizer.special.stops])];
  const responses: string[] = [];
  const batchRows = 32;
  for (let from = 0; from < prompts.length; from += batchRows) {
    const part = prompts.slice(from, from + batchRows);
    const ids = await Promise.all(part.map((content) => renderer.prompt([{ role: 'user', content }])));
    const made = generate(model, ids, { maxNewTokens, stopIds });
    responses.push(...(await Promise.all(made.map((list) => tokenizer.decode(list, { skipSpecialTokens: true })))));
  }
  return responses;
}

/** What is evaluated, and what is known about it. */
export interface Evaluated {
  model: Llama;
  tokenizer: Tokenizer;
  /** What is known of evaluation items in training data. */
  overlaps: Overlaps | undefined;
}

/** Scores a model on one task. @throws UserError naming a file of the task that cannot be used. */
export async function runTask(task: EvalTask, { model, tokenizer, overlaps }: Evaluated): Promise<TaskResult> {
  const { name } = task;
  if (task.kind === 'multiple-choice') {
    const subjects = readMmluFolder(task.data, task.split);
    const scores = await scoreChoices(model, tokenizer, subjects, { numShots: task.shots });
    const bySubject = new Map(subjects.map(({ name: subject, questions }) => [subject, questions]));
    const placeOf = ({ subject, index }: ChoiceOutcome): Place | undefined => bySubject.get(subject)![index].place;
    const accuracy = (items: ChoiceOutcome[]): { accuracy: Score } => ({
      accuracy: wilson(items.filter(({ isRight }) => isRight).length, items.length),
    });
    const overlap = overlaps && splitByOverlap(scores.outcomes, { overlaps, placeOf }, accuracy);
    return { kind: task.kind, name, scores, ...(overlap && { overlap }) };
  }
  if (task.kind === 'instructions') {
    const instructions = readInstructions(task.data);
    const responses = await respond(
      model,
      tokenizer,
      instructions.map(({ prompt }) => prompt),
      task.maxNewTokens,
    );
    const answered = instructions.map((instruction, i) => ({ instruction, response: responses[i] }));
    const score = (items: typeof answered): InstructionScores =>
      scoreInstructions(
        items.map(({ instruction }) => instruction),
        items.map(({ response }) => response),
      );
    const rates = (items: typeof answered): { hsr: Score; ssr: Score } => {
      const { hsr, ssr } = score(items);
      return { hsr, ssr };
    };
    const placeOf = ({ instruction }: (typeof answered)[number]): Place | undefined => instruction.place;
    const overlap = overlaps && splitByOverlap(answered, { overlaps, placeOf }, rates);
    return { kind: task.kind, name, scores: score(answered), ...(overlap && { overlap }) };
  }
  const { shards, maxLength, maxDocuments } = task;
  const documents: Int32Array[] = [];
  for await (const { ids } of sequences({ shards, maxLength, maxDocuments, tokenizerHash: tokenizer.hash })) {
    if (ids.length > 1) documents.push(ids);
  }
  return { kind: task.kind, name, ...documentPerplexities(model, documents) };
}
