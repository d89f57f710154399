import { join } from 'node:path';
import { closingOnError, openMetrics, openTensorBoard } from '@lethe/run';
import type { TrainRecipe } from './recipe.js';
import type { StepRecord } from './trainer.js';

/** Where the records of a run's steps go: `metrics.jsonl` and TensorBoard. */
export interface StepRecords {
  /** Writes the record of a step that the recipe wants: by `metrics.every`, the first and the last one, and those of validations. */
  write(record: StepRecord): void;
  /** Waits until `metrics.jsonl` is on the disk. */
  sync(): void;
  close(): void;
}

/** The run whose steps are recorded; `onDamage` is told where an unreadable file was set aside. */
interface RecordedRun {
  folder: string;
  recipe: TrainRecipe;
  onDamage: (warning: string) => void;
}

/** Opens the records of a run that goes on after `startStep`, undefined for one that begins. */
export function openStepRecords({ folder, recipe, onDamage }: RecordedRun, startStep?: number): StepRecords {
  const metrics = openMetrics(join(folder, 'metrics.jsonl'), startStep === undefined ? 0 : startStep + 1, onDamage);
  const expected = (startStep ?? 0) - ((startStep ?? 0) % recipe.metrics.every);
  if (expected > 0 && (metrics.lastStep ?? 0) < expected) {
    const ends = metrics.lastStep === undefined ? 'holds no records' : `ends at step ${metrics.lastStep}`;
    onDamage(
      `${join(folder, 'metrics.jsonl')} ${ends}, and the run goes on after step ${startStep}: those between are lost`,
    );
  }
  const board = closingOnError(
    () => metrics.close(),
    () => openTensorBoard(join(folder, 'tensorboard'), (startStep ?? 0) + 1),
  );
  const isWanted = ({ step, validation }: StepRecord): boolean =>
    step === 1 || step % recipe.metrics.every === 0 || step === recipe.steps || validation !== undefined;
  return {
    write: (record) => {
      if (!isWanted(record)) return;
      metrics.write(record);
      board.scalars(record.step, scalarsOf(record));
    },
    sync: () => metrics.sync(),
    close: () => {
      try {
        metrics.close();
      } finally {
        board.close();
      }
    },
  };
}

/** The numbers of a record; those of its validation as `validation/replay`. */
function scalarsOf({ step: _step, validation, ...measures }: StepRecord): Record<string, number> {
  const heldOut = Object.entries((validation ?? {}) as Record<string, number>);
  const all = [...Object.entries(measures), ...heldOut.map(([name, value]) => [`validation/${name}`, value] as const)];
  return Object.fromEntries(all.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
