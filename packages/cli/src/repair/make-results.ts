import type { ScoredBenchmarks } from './benchmarks.js';
import type { ModelMeasures } from './measure.js';
import type { BatchAndSteps } from './plan.js';
import type { RepairData } from './repair-data.js';
import type { RepairRequest } from './repair-request.js';
import type { Candidate, Choice, HeldOut, Interval, Measured, Reach, Relapse, RepairResults } from './results.js';
import { intervalsOf, meanOf, type Share } from './statistics.js';
import type { AfterFound } from './verdict-after.js';
import type { verdictBefore } from './verdict-before.js';

/** Everything that the phases found. */
export interface Found {
  request: RepairRequest;
  data: RepairData;
  before: ReturnType<typeof verdictBefore> &
    Pick<RepairResults['before'], 'pattern' | 'mixture'> & { model: ModelMeasures };
  plan: BatchAndSteps;
  phases: Record<string, number>;
  choice?: Choice;
  after?: AfterFound & { end: ModelMeasures; control: ModelMeasures };
  reach?: Reach;
  relapse?: Relapse | null;
  trained?: Candidate & { steps: number };
  benchmarks?: ScoredBenchmarks;
  output?: string | null;
}

const MEASURES: Record<keyof HeldOut, (measures: ModelMeasures) => [Share[], (mean: number) => number]> = {
  patternP: ({ pattern }) => [pattern, (mean) => mean],
  syntheticP: ({ synthetic }) => [synthetic, (mean) => mean],
  contentP: ({ content }) => [content, (mean) => mean],
  naturalPerplexity: ({ natural }) => [natural, Math.exp],
};

function intervalOf(name: keyof HeldOut, measures: ModelMeasures | undefined): Interval | null {
  if (!measures) return null;
  const [shares, from] = MEASURES[name](measures);
  if (!shares.some(([, count]) => count > 0)) return null;
  return intervalsOf([shares], ([drawn]) => ({ found: from(meanOf(drawn)) }), name).found;
}

const NOT_RUN = { verdict: 'not-run', why: 'no repair was advised' } as const;

/** `repair.json` of what the phases found. */
export function resultsOf({
  request,
  data,
  before,
  plan,
  phases,
  choice,
  after,
  trained,
  reach,
  relapse,
  benchmarks,
  output,
}: Found): RepairResults {
  const names = Object.keys(MEASURES) as (keyof HeldOut)[];
  const of = (name: keyof HeldOut): RepairResults['intervals'][keyof HeldOut] => ({
    start: intervalOf(name, before.model)!,
    end: intervalOf(name, after?.end),
    control: intervalOf(name, after?.control),
  });
  const intervals = Object.fromEntries(names.map((name) => [name, of(name)])) as RepairResults['intervals'];
  const valueOf = (interval: Interval | null): number | null => interval?.value ?? null;
  const measured = (name: keyof HeldOut): Measured => ({
    start: valueOf(intervals[name].start)!,
    end: valueOf(intervals[name].end),
    control: valueOf(intervals[name].control),
  });
  const heldOut = Object.fromEntries(names.map((name) => [name, measured(name)])) as unknown as HeldOut;
  const advice = before.verdict === 'cannot-tell' ? 'give more text' : 'nothing: use the model as it is';
  return {
    format: 'lethe-repair',
    version: 1,
    model: request.model,
    before: {
      verdict: before.verdict,
      why: before.why,
      evidence: before.evidence,
      pattern: before.pattern,
      mixture: before.mixture,
    },
    after: after
      ? {
          verdict: after.verdict,
          why: after.why,
          advice: after.advice,
          evidence: after.evidence,
          followed: after.followed,
        }
      : { ...NOT_RUN, evidence: [], followed: [], advice },
    heldOut,
    intervals,
    settings: trained ? { ...trained, preset: trained.name === 'paper' ? 'paper' : 'searched' } : null,
    choice: choice ?? null,
    batch: plan,
    price: after?.price ?? null,
    reach: reach ?? null,
    relapse: relapse ?? null,
    finetune: request.finetune ?? null,
    benchmarks: benchmarks?.againstStart ?? null,
    benchmarksAgainstControl: benchmarks?.againstControl ?? null,
    benchmarksDamage: benchmarks?.damage ?? null,
    benchmarkScores: benchmarks?.scores ?? null,
    data: { synthetic: data.synthetic.documents, natural: data.natural.documents },
    output: output ?? null,
    seconds: Object.values(phases).reduce((sum, seconds) => sum + seconds, 0),
    phases: { ...phases },
  };
}
