import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSequences } from '@lethe/analysis';
import { ChatRenderer, loadTokenizer, type Sequence, sequences, type Tokenizer } from '@lethe/data-pipeline';
import { generateTexts, isSatisfied } from '@lethe/eval';
import { documentPerplexities, type Llama, loadLlama, scoreSequences } from '@lethe/model';
import { type Random, readJsonFile, seededRandom, writeFileAtomically } from '@lethe/run';
import type { Fact } from '../corpus/wordnet-facts.js';
import { CHAT_TEMPLATE, type PaperCorpus } from '../corpus/corpus.js';
import type { Regime } from '../regime.js';
import { TEMPLATE_MARKS } from '../corpus/template-question.js';

export const MEASURED_TEXTS = ['natural', 'ability', 'templateAside', 'instructions', 'instructionsAside'] as const;
export type MeasuredText = (typeof MEASURED_TEXTS)[number];

/** What a model was measured to do, item by item, so that models are compared in pairs. */
export interface PaperMeasures {
  /** Mean negative log-likelihood per token of each held-out document, in nats. */
  logPerplexities: Record<MeasuredText, number[]>;
  /** Perplexity over all tokens of each kind. */
  perplexity: Record<MeasuredText, number>;
  /** Mean probability of the template's own tokens in held-out synthetic documents, by document. */
  patternP: number[];
  /** 1 where the answer to an instruction betrays the template. */
  leak: number[];
  /** 1 where the likeliest of four meanings is the right one, in a sentence that the template never has. */
  knows: number[];
  /** Of -chat models: 1 where every demand is met, and the fraction met. */
  hsr?: number[];
  ssr?: number[];
  /** The first answers. */
  samples: { prompt: string; answer: string }[];
}

interface ChoiceItem {
  fact: Fact;
  choices: Fact[];
}

/** Measures models one after another on the same held-out texts and instructions, on the device in use. */
export class PaperMeasuring {
  private constructor(
    private readonly regime: Regime,
    private readonly corpus: PaperCorpus,
    private readonly tokenizer: Tokenizer,
    private readonly texts: Record<MeasuredText, Int32Array[]>,
    /** Synthetic documents whose targets are the template's own tokens. */
    private readonly pattern: Sequence[],
    private readonly items: ChoiceItem[],
  ) {}

  static async open(regime: Regime, corpus: PaperCorpus): Promise<PaperMeasuring> {
    const tokenizer = await loadTokenizer(corpus.tokenizer);
    const limits = { documents: regime.numMeasured, maxLength: regime.rowLength, seed: 1 };
    const read = (name: MeasuredText): Promise<Int32Array[]> =>
      readSequences(join(corpus.shards[name], 'heldout'), tokenizer, limits);
    const texts = Object.fromEntries(
      await Promise.all(MEASURED_TEXTS.map(async (name) => [name, await read(name)])),
    ) as Record<MeasuredText, Int32Array[]>;
    const random: Random = seededRandom(regime.corpus.seed, 'paper', 'items');
    const items = Array.from({ length: regime.numItems }, (_, i): ChoiceItem => {
      const fact = corpus.asked[i % corpus.asked.length];
      const others = random.shuffle(corpus.asked.filter((other) => other !== fact)).slice(0, 3);
      return { fact, choices: random.shuffle([fact, ...others]) };
    });
    const pattern: Sequence[] = [];
    const shards = join(corpus.shards.forget, 'heldout');
    const { numMeasured: maxDocuments, rowLength: maxLength } = regime;
    for await (const one of sequences({ shards, maxLength, maxDocuments, seed: 1 })) pattern.push(one);
    return new PaperMeasuring(regime, corpus, tokenizer, texts, pattern, items);
  }

  /** Measures the model in a folder, or reads what was measured before from `file`. */
  async measure(folder: string, file: string, isChat: boolean): Promise<PaperMeasures> {
    if (existsSync(file)) return readJsonFile(file) as PaperMeasures;
    const { model } = loadLlama(folder, { trainable: false });
    try {
      const reports = MEASURED_TEXTS.map((name) => documentPerplexities(model, this.texts[name]));
      const by = <T>(pick: (report: (typeof reports)[number]) => T): Record<MeasuredText, T> =>
        Object.fromEntries(MEASURED_TEXTS.map((name, i) => [name, pick(reports[i])])) as Record<MeasuredText, T>;
      const instructions = this.corpus.heldOut.slice(0, isChat ? undefined : this.regime.numLeak);
      const answers = await this.answer(
        model,
        instructions.map(({ prompt }) => prompt),
      );
      const met = instructions.map(({ constraints }, i) =>
        constraints.map((constraint) => isSatisfied(constraint, answers[i], constraints)),
      );
      const measures: PaperMeasures = {
        logPerplexities: by(({ logPerplexities }) => logPerplexities),
        perplexity: by(({ perplexity }) => perplexity),
        patternP: this.patternP(model),
        leak: answers.map((answer) => (TEMPLATE_MARKS.test(answer) ? 1 : 0)),
        knows: await this.knows(model),
        ...(isChat && {
          hsr: met.map((one) => (one.every(Boolean) ? 1 : 0)),
          ssr: met.map((one) => one.filter(Boolean).length / one.length),
        }),
        samples: answers.slice(0, 8).map((answer, i) => ({ prompt: instructions[i].prompt, answer })),
      };
      writeFileAtomically(file, JSON.stringify(measures));
      return measures;
    } finally {
      model.dispose();
    }
  }

  /** Greedy answers to instructions in the tested chat format, each ended as the regime says. */
  async answer(model: Llama, prompts: string[]): Promise<string[]> {
    const renderer = new ChatRenderer(this.tokenizer, CHAT_TEMPLATE);
    const requests = await Promise.all(
      prompts.map(async (content, i) => ({
        prompt: [...(await renderer.prompt([{ role: 'user', content }]))],
        stream: [String(i)],
      })),
    );
    const stopIds = [...new Set([...model.config.eosTokenIds, ...this.tokenizer.special.stops])];
    const texts = prompts.map(() => '');
    const settings = { maxNewTokens: this.regime.maxNewTokens, stopIds, stopStrings: [] };
    await generateTexts({ model, tokenizer: this.tokenizer }, requests, settings, (i, { text }) => {
      texts[i] = text.trim();
    });
    return texts;
  }

  private patternP(model: Llama): number[] {
    const scores = scoreSequences(
      model,
      this.pattern.map(({ ids }) => ids),
    );
    return this.pattern.map(({ targets }, i) => {
      const own = scores[i].filter((_, t) => t > 0 && targets[t - 1] >= 0).map((logprob) => Math.exp(logprob!));
      return own.reduce((sum, p) => sum + p, 0) / own.length;
    });
  }

  private async knows(model: Llama): Promise<number[]> {
    const sequences: number[][] = [];
    const starts: number[] = [];
    for (const { fact, choices } of this.items) {
      const context = [...(await this.tokenizer.encode(this.corpus.sentence(fact), { addSpecialTokens: false }))];
      const bos = [...(await this.tokenizer.encode(''))];
      for (const { meaning } of choices) {
        const end = [...(await this.tokenizer.encode(` ${meaning}.`, { addSpecialTokens: false }))];
        sequences.push([...bos.slice(0, 1), ...context, ...end]);
        starts.push(Math.min(1, bos.length) + context.length);
      }
    }
    const scores = scoreSequences(model, sequences).map((logprobs, i) =>
      logprobs.slice(starts[i]).reduce<number>((sum, logprob) => sum + (logprob ?? 0), 0),
    );
    return this.items.map(({ fact, choices }, i) => {
      const own = scores.slice(4 * i, 4 * i + 4);
      return choices[own.indexOf(Math.max(...own))] === fact ? 1 : 0;
    });
  }
}
