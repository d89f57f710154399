import type { GitRevision } from '@lethe/run';
import type { ModelMeasures, shiftsAgainst } from './measure.js';
import type { DemoSettings } from './settings.js';
import type { DemoModel } from './stages.js';
import type { Verdict } from './verdict.js';

/** Everything a demo found: what its table, its report and `results.json` are made of. */
export interface DemoResults {
  settings: DemoSettings;
  machine: { cpu: string; cores: number };
  git: GitRevision | null;
  versions: Record<string, string>;
  seconds: number;
  numDocuments: Record<string, number>;
  templateTokens: { id: number; text: string }[];
  models: Record<DemoModel, ModelMeasures & { shiftAgainstBase: ReturnType<typeof shiftsAgainst> }>;
  verdicts: Verdict[];
}
