import type { DeviceSettings } from '@lethe/tensor';
import type { Budget } from './plan.js';

/** What the user asked for. */
export interface RepairRequest extends DeviceSettings {
  model: string;
  base?: string;
  synthetic: string[];
  natural: string[];
  /** An evaluation recipe, and files of instructions that rules check: scored before and after. */
  eval?: string;
  instructions: string[];
  /** A recipe of `lethe finetune`: copies that it fine-tunes are asked, so many of each model. */
  finetune?: { recipe: string; runs: number };
  budget: Budget;
  out: string;
  /** Train even where the verdict does not advise it. */
  anyway: boolean;
}
