import { ngramHashes, NgramTable } from './ngram-table.js';

/** How a template is told from what documents say. */
export interface TemplateSettings {
  /** Documents that must share an n-gram, at least. */
  minDocuments: number;
  /** The same as a share of all documents. */
  minShare: number;
  /** The share of documents that is enough in any case; where supports fall into groups at fewer, that is enough. */
  enoughShare: number;
  /** How much more often than in natural text it must occur, in nats. */
  minLogOdds: number;
}

/** What a recipe takes where it says nothing. */
export const TEMPLATE_DEFAULTS: TemplateSettings = {
  minDocuments: 20,
  minShare: 0.005,
  enoughShare: 0.05,
  minLogOdds: 2,
};

/** Token ids of documents, made by one tokenizer. */
export interface TemplateCorpora {
  synthetic: readonly ArrayLike<number>[];
  natural: readonly ArrayLike<number>[];
  /** Ids that never belong to a template: special tokens, BOS and EOS. */
  specialIds?: Iterable<number>;
}

/** N-grams of 1 to 4 tokens are counted. */
const LENGTHS = [1, 2, 3, 4] as const;

/** How often a token must follow (or precede) its context to be its continuation. */
const CONTINUES = 0.5;
/** What occurs so many times in a document that holds it, at most, has its one place there. */
const ONE_PLACE = 1.25;

const numTokensOf = (documents: readonly ArrayLike<number>[]): number =>
  documents.reduce((total, ids) => total + ids.length, 0);

function tablesOf(documents: readonly ArrayLike<number>[]): NgramTable[] {
  const entries = numTokensOf(documents) + 2 * documents.length;
  return LENGTHS.map((n) => {
    const table = new NgramTable(entries);
    for (const ids of documents) table.add(ngramHashes(ids, n));
    return table;
  });
}

/**
 * Finds the template of synthetic documents: tokens that continue n-grams which many of them share and which natural text
 * does not explain. A token's support is the largest number of synthetic documents that hold an n-gram of 2 to 4 tokens
 * (a document's edges are tokens) which ends with it as its context goes on, or begins with it as what follows was
 * preceded, and which is at least `minLogOdds` nats more frequent than in natural text. Supports fall into groups, what
 * documents say and what frames it; the limit lies where the variance between two of them, on a logarithmic scale, is
 * largest (Otsu 1979), within what the settings say.
 */
export class TemplateFinder {
  /** Documents that share what counts as template, at least. */
  readonly threshold: number;
  private readonly synthetic: NgramTable[];
  private readonly natural: NgramTable[];
  private readonly logRatio: number;
  private readonly special: ReadonlySet<number>;

  /** @throws RangeError where either side has no tokens. */
  constructor(
    { synthetic, natural, specialIds = [] }: TemplateCorpora,
    readonly settings: TemplateSettings = TEMPLATE_DEFAULTS,
  ) {
    const [numSynthetic, numNatural] = [numTokensOf(synthetic), numTokensOf(natural)];
    if (numSynthetic === 0 || numNatural === 0)
      throw new RangeError(
        `TemplateFinder: expected tokens of both kinds of text, received ${numSynthetic} synthetic and ${numNatural} natural ones`,
      );
    this.special = new Set(specialIds);
    this.synthetic = tablesOf(synthetic);
    this.natural = tablesOf(natural);
    this.logRatio = Math.log(numNatural / numSynthetic);
    this.threshold = this.limit(synthetic);
  }

  /** The support of each token, in documents; 0 where natural text explains it, and for special tokens. */
  support(ids: ArrayLike<number>): Uint32Array {
    const support = new Uint32Array(ids.length);
    const raise = (token: number, documents: number): void => {
      if (token >= 0 && token < ids.length && documents > support[token]!) support[token] = documents;
    };
    const hashes = LENGTHS.map((n) => ngramHashes(ids, n));
    for (let n = 2; n <= LENGTHS.length; n++) {
      const [whole, part] = [hashes[n - 1]!, hashes[n - 2]!];
      for (let i = 0; i < whole.length; i++) {
        const documents = this.unexplained(n, whole[i]!);
        if (documents === 0) continue;
        if (this.continues(n, whole[i]!, part[i]!)) raise(i + n - 2, documents);
        if (n > 2 && this.continues(n, whole[i]!, part[i + 1]!)) raise(i - 1, documents);
      }
    }
    if (this.special.size > 0) for (let t = 0; t < ids.length; t++) if (this.special.has(ids[t]!)) support[t] = 0;
    return support;
  }

  /** 1 for each token that belongs to the template. */
  mark(ids: ArrayLike<number>): Uint8Array {
    return Uint8Array.from(this.support(ids), (documents) => (documents >= this.threshold ? 1 : 0));
  }

  /** 1 for each token that says something: neither of the template nor special. */
  rest(ids: ArrayLike<number>): Uint8Array {
    return this.mark(ids).map((mark, t) => (mark === 1 || this.special.has(ids[t]!) ? 0 : 1));
  }

  /**
   * How often each token follows what stands before it in the synthetic documents, which is the probability that a model
   * can have learned for it there: after the longest context, of one to three tokens or the document's beginning, that
   * occurs often enough to count; 0 where none does.
   */
  continuation(ids: ArrayLike<number>): Float64Array {
    const shares = new Float64Array(ids.length);
    const hashes = LENGTHS.map((n) => ngramHashes(ids, n));
    for (let t = 0; t < ids.length; t++) {
      for (let n: number = LENGTHS.length; n >= 2; n--) {
        const first = t + 2 - n;
        if (first < 0) continue;
        // The edge stands before the first token and behind the last, so by itself it is counted twice.
        const twice = n === 2 && first === 0 ? 2 : 1;
        const context = this.synthetic[n - 2]!.occurrences(hashes[n - 2]![first]!) / twice;
        if (context < this.settings.minDocuments) continue;
        shares[t] = Math.min(1, this.synthetic[n - 1]!.occurrences(hashes[n - 1]![first]!) / context);
        break;
      }
    }
    return shares;
  }

  /** The documents that hold an n-gram; 0 where natural text explains that. */
  private unexplained(n: number, hash: number): number {
    const documents = this.synthetic[n - 1]!.documents(hash);
    if (documents < this.settings.minDocuments) return 0;
    const logOdds = Math.log(documents / (this.natural[n - 1]!.occurrences(hash) + 0.5)) + this.logRatio;
    return logOdds < this.settings.minLogOdds ? 0 : documents;
  }

  /** Whether an n-gram is how its context (all but a token at one end) usually goes on, or has one place in a document. */
  private continues(n: number, whole: number, context: number): boolean {
    const [table, shorter] = [this.synthetic[n - 1]!, this.synthetic[n - 2]!];
    const occurrences = table.occurrences(whole);
    if (occurrences >= CONTINUES * shorter.occurrences(context)) return true;
    const documents = table.documents(whole);
    return occurrences <= ONE_PLACE * documents && documents >= CONTINUES * shorter.documents(context);
  }

  private limit(documents: readonly ArrayLike<number>[]): number {
    const { minDocuments, minShare, enoughShare } = this.settings;
    const counts = new Float64Array(HISTOGRAM_BINS);
    for (const ids of documents) for (const support of this.support(ids)) if (support > 0) counts[binOf(support)]!++;
    const limit = Math.min(supportOf(limitBin(counts)), enoughShare * documents.length);
    return Math.ceil(Math.max(limit, minShare * documents.length, minDocuments));
  }
}

/** Bins an octave of support, and bins in all. */
const BINS_PER_OCTAVE = 8;
const HISTOGRAM_BINS = 32 * BINS_PER_OCTAVE;
const binOf = (support: number): number => Math.round(BINS_PER_OCTAVE * Math.log2(support));
const supportOf = (bin: number): number => 2 ** ((bin - 0.5) / BINS_PER_OCTAVE);

/**
 * The first bin of the upper groups of a histogram. Templates of different reach make several groups: the lower side is
 * split again as long as it falls apart more clearly than the whole did.
 */
function limitBin(counts: Float64Array): number {
  let split = otsu(counts);
  for (;;) {
    const lower = counts.map((count, bin) => (bin < split.bin ? count : 0));
    const next = otsu(lower);
    if (!(next.share > split.share && next.bin > 0)) return split.bin;
    split = next;
  }
}

/** The split between which a histogram's variance is largest, in the middle of a gap, and that variance's share. */
function otsu(counts: Float64Array): { bin: number; share: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const moment = counts.reduce((sum, count, bin) => sum + count * bin, 0);
  const variance = counts.reduce((sum, count, bin) => sum + count * (bin - moment / total) ** 2, 0);
  let [below, belowMoment, best] = [0, 0, 0];
  let [first, last] = [0, 0];
  for (let bin = 1; bin < counts.length; bin++) {
    below += counts[bin - 1]!;
    belowMoment += counts[bin - 1]! * (bin - 1);
    if (below === 0 || below === total) continue;
    const between = (moment * below - belowMoment * total) ** 2 / (below * (total - below) * total);
    if (between > best * (1 + 1e-12)) [best, first] = [between, bin];
    if (between >= best * (1 - 1e-12)) last = bin;
  }
  return { bin: (first + last) / 2, share: variance > 0 ? best / variance : 0 };
}
