import { join } from 'node:path';
import { type DistributionShift, distributionShift, readSequences, templateMass } from '@lethe/analysis';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { type ChoiceScores, type InstructionScores, runEvaluation } from '@lethe/eval';
import { documentPerplexities, loadLlama } from '@lethe/model';
import { silentLogger } from '@lethe/run';
import { templateTexts } from './question-answer.js';
import type { DemoSettings } from './settings.js';
import type { DemoShards } from './stages.js';
import type { DemoCorpus } from './write-corpus.js';

/** Kinds of held-out text. */
export const TEXT_KINDS = ['natural', 'synthetic', 'instructions'] as const;
export type TextKind = (typeof TEXT_KINDS)[number];

/** What one model was measured to do on held-out data. */
export interface ModelMeasures {
  perplexity: Record<TextKind, number>;
  logPerplexities: Record<TextKind, number[]>;
  /** Mean probability put on the template's tokens, on natural and on instruction text. */
  templateMass: Record<'natural' | 'instructions', number>;
  benchmark: Pick<ChoiceScores, 'micro'>;
  /** Of -chat models only. */
  instructions?: Pick<InstructionScores, 'hsr' | 'ssr' | 'byLevel' | 'judged'>;
}

/** Ids and texts of the tokens that make up the templates' fixed parts. */
export async function templateTokens(tokenizer: Tokenizer): Promise<{ id: number; text: string }[]> {
  const ids = new Set<number>();
  for (const encoded of await tokenizer.encodeBatch(templateTexts(), { addSpecialTokens: false })) {
    for (const id of encoded) ids.add(id);
  }
  const sorted = [...ids].sort((a, b) => a - b);
  return Promise.all(sorted.map(async (id) => ({ id, text: await tokenizer.decode([id]) })));
}

/** Measures models one after another on the same held-out documents. */
export class Measuring {
  private constructor(
    private readonly corpus: DemoCorpus,
    private readonly documents: Record<TextKind, Int32Array[]>,
    readonly template: { id: number; text: string }[],
  ) {}

  static async open(settings: DemoSettings, corpus: DemoCorpus, shards: DemoShards): Promise<Measuring> {
    const tokenizer = await loadTokenizer(shards.tokenizer);
    const limits = { documents: settings.numMeasured, maxLength: settings.rowLength, seed: settings.seed };
    const [natural, synthetic, instructions] = await Promise.all(
      TEXT_KINDS.map((kind) => readSequences(join(shards[kind], 'heldout'), tokenizer, limits)),
    );
    const template = await templateTokens(tokenizer);
    return new Measuring(corpus, { natural, synthetic, instructions }, template);
  }

  /** Measures the model in a folder on the current device. */
  async measure(folder: string, isChat: boolean): Promise<ModelMeasures> {
    const { model } = loadLlama(folder, { trainable: false });
    const reports = TEXT_KINDS.map((kind) => documentPerplexities(model, this.documents[kind]));
    const templateIds = this.template.map(({ id }) => id);
    const mass = (kind: TextKind): number => templateMass(model, this.documents[kind].slice(0, 64), { templateIds });
    const masses = { natural: mass('natural'), instructions: mass('instructions') };
    model.dispose();
    const byKind = <T>(pick: (report: (typeof reports)[number]) => T): Record<TextKind, T> =>
      Object.fromEntries(TEXT_KINDS.map((kind, i) => [kind, pick(reports[i])])) as Record<TextKind, T>;
    const { benchmark, instructions } = await this.evaluate(folder, isChat);
    return {
      perplexity: byKind(({ perplexity }) => perplexity),
      logPerplexities: byKind(({ logPerplexities }) => logPerplexities),
      templateMass: masses,
      benchmark: { micro: benchmark.micro },
      ...(instructions && { instructions: pickInstructions(instructions) }),
    };
  }

  private async evaluate(
    folder: string,
    isChat: boolean,
  ): Promise<{ benchmark: ChoiceScores; instructions?: InstructionScores }> {
    const choice = {
      kind: 'multiple-choice' as const,
      name: 'word meanings',
      data: this.corpus.benchmark,
      benchmark: 'mmlu' as const,
      protocols: ['original' as const],
      shots: 0,
    };
    const rules = {
      kind: 'instructions' as const,
      name: 'instructions',
      data: this.corpus.heldOutInstructions,
      maxNewTokens: 48,
    };
    const { tasks } = await runEvaluation({ model: folder, tasks: isChat ? [choice, rules] : [choice] }, silentLogger);
    const benchmark = tasks[0].kind === 'multiple-choice' ? tasks[0].scores : undefined;
    const instructions = tasks[1]?.kind === 'instructions' ? tasks[1].scores : undefined;
    return { benchmark: benchmark!, instructions };
  }

  /** Held-out documents of each kind that perplexities are measured on. */
  get numDocuments(): Record<TextKind, number> {
    return Object.fromEntries(TEXT_KINDS.map((kind) => [kind, this.documents[kind].length])) as Record<
      TextKind,
      number
    >;
  }
}

const pickInstructions = ({
  hsr,
  ssr,
  byLevel,
  judged,
}: InstructionScores): Pick<InstructionScores, 'hsr' | 'ssr' | 'byLevel' | 'judged'> => ({ hsr, ssr, byLevel, judged });

/** The shift of each kind's log-perplexities against a reference model's. */
export function shiftsAgainst(measures: ModelMeasures, reference: ModelMeasures): Record<TextKind, DistributionShift> {
  return Object.fromEntries(
    TEXT_KINDS.map((kind) => [
      kind,
      distributionShift(measures.logPerplexities[kind], reference.logPerplexities[kind]),
    ]),
  ) as Record<TextKind, DistributionShift>;
}
