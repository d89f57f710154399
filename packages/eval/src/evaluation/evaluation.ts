import type { TaskResult } from '../benchmarks.js';
import type { Answered } from '../benchmark/answered.js';

/** The results of one model. */
export interface Evaluation {
  model: string;
  /** Device and precision it was computed with. */
  device?: string;
  tasks: TaskResult[];
}

/** Whether a result has items that can be compared: all but perplexities. */
export const isAnswered = (task: TaskResult): task is TaskResult & Answered => 'items' in task;
