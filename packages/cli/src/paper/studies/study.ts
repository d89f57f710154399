import type { TrainRecipe } from '@lethe/train';
import type { MoreShards } from '../corpus/more-shards.js';
import type { Lineage, LineageSetup } from '../lineage/lineage.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';
import type { Regime } from '../regime.js';

/** What a study reports from. */
export interface StudyInput {
  lineages: readonly LineageMeasures[];
  regime: Regime;
  precision: string;
  /** Of the last command alone. */
  seconds: number;
}

/** What a study came to: numbers for programs, a page, and a table for a terminal. */
export interface StudyReport {
  numbers: object;
  page: string;
  table: string;
}

/** A question that is put to the models of every seed. All studies share a folder, and its `base` and `synth`. */
export interface Study {
  /** One line of help. */
  help: string;
  files: { numbers: string; page: string };
  /** Text that it needs beside the corpus. */
  shards?: readonly MoreShards[];
  /** The models but the -chat ones, each after the one that it begins with. */
  recipes(lineage: Lineage, regime: Regime): TrainRecipe[];
  /** Fine-tuning runs of a model. */
  chatRuns(model: string, regime: Regime): number;
  /** What it measures of each model beyond what all studies do; `file` keeps it. */
  measureMore?(setup: LineageSetup, model: string, file: string): Promise<unknown>;
  report(input: StudyInput): StudyReport;
}
