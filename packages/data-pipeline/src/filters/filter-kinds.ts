import { z } from 'zod';
import { characters } from './characters-filter.js';
import { exactDuplicates } from './exact-duplicates.js';
import type { FilterKind } from './filter.js';
import { language } from './language-filter.js';
import { length } from './length-filter.js';
import { nearDuplicates } from './near-duplicates.js';
import { overlap } from './overlap-filter.js';
import { repetition } from './repetition-filter.js';

/** Every kind of filter, in the order in which they are applied: cheap ones first. Recipes and flags come from this list. */
export const FILTER_KINDS = [
  length,
  characters,
  language,
  repetition,
  exactDuplicates,
  nearDuplicates,
  overlap,
] as const;

type Kind = (typeof FILTER_KINDS)[number];

/** Which filters a preparation applies; `true` means with defaults. */
export type FilterOptions = {
  [K in Kind as K['name']]?: z.output<K['settings']> | (K['hasDefaults'] extends true ? true : never);
};

/** Filters that work without settings. */
export type DefaultFilterName = Extract<Kind, { hasDefaults: true }>['name'];
export const DEFAULT_FILTERS = FILTER_KINDS.filter(({ hasDefaults }) => hasDefaults).map(
  ({ name }) => name,
) as DefaultFilterName[];

function settingsOf({ settings, hasDefaults, description }: FilterKind<string, z.ZodType, boolean>): z.ZodType {
  const value = (hasDefaults ? z.union([z.literal(true), settings]) : settings).optional();
  return description === undefined ? value : value.describe(description);
}

/** The filters of a recipe. */
export const filtersSchema = z.strictObject(
  Object.fromEntries(
    FILTER_KINDS.map((kind) => [kind.name, settingsOf(kind as FilterKind<string, z.ZodType, boolean>)]),
  ),
) as unknown as z.ZodType<FilterOptions>;
