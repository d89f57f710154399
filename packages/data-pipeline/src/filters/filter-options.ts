import type { Source } from '../documents/read-documents.js';
import type { CharactersOptions } from './characters-filter.js';
import type { LanguageOptions } from './language-filter.js';
import type { LengthOptions } from './length-filter.js';
import type { NearDuplicatesOptions } from './near-duplicates.js';
import type { RepetitionOptions } from './repetition-filter.js';

/** Overlap with evaluation sets. */
export interface OverlapOptions {
  /** Evaluation sets, read like any source. */
  sets: readonly (string | Source)[];
  /** Words in a row that count as overlap. Default 13. */
  ngram?: number;
  /** Drop documents that overlap instead of only listing them. Default false. */
  drop?: boolean;
}

/** Which filters a preparation applies, in this order; `true` means with defaults. */
export interface FilterOptions {
  length?: LengthOptions;
  characters?: true | CharactersOptions;
  language?: LanguageOptions;
  repetition?: true | RepetitionOptions;
  exactDuplicates?: true | { maxBytes?: number };
  nearDuplicates?: true | NearDuplicatesOptions;
  overlap?: OverlapOptions;
}
