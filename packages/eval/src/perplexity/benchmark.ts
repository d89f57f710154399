import { sequences } from '@lethe/data-pipeline';
import { documentPerplexities, type PerplexityReport } from '@lethe/model';
import { z } from 'zod';
import { defineBenchmark, type TaskOf } from '../benchmark/define-benchmark.js';
import type { Evaluated } from '../benchmark/evaluated.js';

const settings = {
  shards: z.string().describe('folder with index.json'),
  maxDocuments: z.int().positive().optional().describe('only the first so many documents'),
  maxLength: z.int().min(2).default(1024).describe('tokens of a document, at most'),
};
type Task = TaskOf<'perplexity', typeof settings>;

/** What `lethe eval` writes of it. */
export interface PerplexityResult extends PerplexityReport {
  kind: 'perplexity';
  name: string;
}

async function run(task: Task, { model, tokenizer }: Evaluated): Promise<PerplexityResult[]> {
  const { name, shards, maxLength, maxDocuments } = task;
  const documents: Int32Array[] = [];
  for await (const { ids } of sequences({ shards, maxLength, maxDocuments, tokenizerHash: tokenizer.hash })) {
    if (ids.length > 1) documents.push(ids);
  }
  return [{ kind: task.kind, name, ...documentPerplexities(model, documents) }];
}

/** The perplexity of prepared text. */
export const perplexity = defineBenchmark('perplexity', settings, run);
