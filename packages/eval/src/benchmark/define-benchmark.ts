import { z } from 'zod';
import type { Evaluated } from './evaluated.js';

/** What the recipe says of a benchmark besides its kind and name: a zod type for each setting. */
type Settings = Record<string, z.ZodType>;

/** A benchmark's part of the recipe. */
export type TaskSchema<K extends string, S extends Settings> = z.ZodObject<
  { kind: z.ZodLiteral<K>; name: z.ZodString } & S,
  z.core.$strict
>;

/** A benchmark: its part of the recipe, and what scores a model by it. */
export interface Benchmark<K extends string, S extends Settings, R> {
  kind: K;
  schema: TaskSchema<K, S>;
  /**
   * Scores a model; a result for each protocol of the task.
   * @throws UserError naming a file of the task that cannot be used.
   */
  run(task: z.output<TaskSchema<K, S>>, evaluated: Evaluated): Promise<R[]>;
}

/** A setting of several benchmarks. */
export const maxItems = z.int().positive().optional().describe('only the first so many items');

/** Makes a benchmark of its settings and of what runs it. */
export function defineBenchmark<K extends string, S extends Settings, R>(
  kind: K,
  settings: S,
  run: Benchmark<K, S, R>['run'],
): Benchmark<K, S, R> {
  return {
    kind,
    schema: z.strictObject({
      kind: z.literal(kind).describe('which benchmark'),
      name: z.string().describe('what results call it'),
      ...settings,
    }),
    run,
  };
}

/** Settings as a benchmark's `run` receives them, with the task's kind and name. */
export type TaskOf<K extends string, S extends Settings> = z.output<TaskSchema<K, S>>;

/** A result for each protocol, one after another; where there are several, each is named with its own. */
export async function forEachProtocol<P extends string, R>(
  { name, protocols }: { name: string; protocols: readonly P[] },
  run: (protocol: P, name: string) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const protocol of protocols)
    results.push(await run(protocol, protocols.length > 1 ? `${name} (${protocol})` : name));
  return results;
}
