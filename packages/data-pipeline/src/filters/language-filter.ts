import { z } from 'zod';
import { SourceError } from '../documents/document.js';
import { type DocumentFilter, filterKind } from './filter.js';
import { wordsOf } from './words.js';

/** Frequent words that few other languages share. */
const FUNCTION_WORDS: Record<string, string> = {
  en: 'the of and to in is that it was for with as on be at by this have from or are not but had his they you which',
  fr: 'le la les des et est une dans que qui pour pas sur au avec plus ce il sont ne se par du aux cette mais',
  de: 'der die und das den von zu ist mit sich des auf für nicht ein eine dem als auch es an werden aus er hat dass',
  es: 'el los las que y en un una por con para es del se no lo como más pero sus al este ha su fue son',
  it: 'il di che e la per un è non una sono con si da del nel alla dei come più anche gli della le ma',
  pt: 'o os as que do da em um uma para com não por mais dos na no se como mas foi ao ele das são seu',
  nl: 'de het een van en in is dat op te zijn met voor niet aan er om ook als maar bij nog uit wordt naar',
  pl: 'i w na z do się nie to że jest o jak po co ale od za przez są był tak dla tym czy',
  tr: 've bir bu da de için ile çok olarak daha gibi ne kadar olan var sonra ama en ya o',
  id: 'yang dan di dengan untuk pada tidak ini dari dalam akan itu adalah ke oleh juga sebagai atau telah karena',
};

const SCRIPTS: [code: string, pattern: RegExp][] = [
  ['Latn', /\p{Script=Latin}/u],
  ['zh', /\p{Script=Han}/u],
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['ko', /\p{Script=Hangul}/u],
  ['Cyrl', /\p{Script=Cyrillic}/u],
  ['Arab', /\p{Script=Arabic}/u],
  ['Deva', /\p{Script=Devanagari}/u],
  ['he', /\p{Script=Hebrew}/u],
  ['el', /\p{Script=Greek}/u],
  ['th', /\p{Script=Thai}/u],
];

/** What {@link detectLanguage} tells: languages, scripts of several languages (Cyrl, Arab, Deva), or `und`. */
export const LANGUAGES: readonly string[] = [
  ...Object.keys(FUNCTION_WORDS),
  ...SCRIPTS.map(([code]) => code).filter((code) => code !== 'Latn'),
  'und',
];

const settings = z.strictObject({
  keep: z
    .array(z.enum(LANGUAGES as [string, ...string[]]))
    .min(1)
    .describe('languages that stay'),
});

/** Which languages to keep: codes of {@link LANGUAGES}; `und` keeps texts whose language cannot be told. */
export type LanguageOptions = z.output<typeof settings>;

/** Characters looked at, from the beginning. */
const SAMPLE = 20_000;
/** Least share of function words. Running text has 20 to 50%, another language's words below 8%. */
const MIN_SHARE = 0.1;
/** Share of kana above which Han characters are Japanese. */
const KANA_SHARE = 0.1;

const sets = Object.entries(FUNCTION_WORDS).map(([code, words]) => [code, new Set(words.split(' '))] as const);

/**
 * The language of a text: by script, and for Latin script by its function words. A heuristic that is the same everywhere
 * and needs no model; texts of a few words, lists and code are `und`.
 */
export function detectLanguage(text: string): string {
  const sample = text.slice(0, SAMPLE);
  const numbers = new Uint32Array(SCRIPTS.length + 2);
  for (let i = 0; i < sample.length; i++) numbers[scriptOf(sample.charCodeAt(i))]!++;
  const counts = SCRIPTS.map(([code], i) => ({ code, count: numbers[i + 2]! }));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return 'und';
  const of = (code: string) => counts.find((entry) => entry.code === code)!.count;
  if (of('ja') > KANA_SHARE * (of('ja') + of('zh')) && of('ja') + of('zh') > 0.5 * total) return 'ja';
  const top = counts.reduce((best, entry) => (entry.count > best.count ? entry : best));
  if (top.count < 0.5 * total) return 'und';
  return top.code === 'Latn' ? latinLanguage(wordsOf(sample)) : top.code;
}

/** Script numbers from 2 by UTF-16 code unit, found once each; 1 is none, 0 not yet known. */
const scripts = new Uint8Array(2 ** 16);

function scriptOf(unit: number): number {
  if (scripts[unit] !== 0) return scripts[unit]!;
  const character = String.fromCharCode(unit);
  return (scripts[unit] = SCRIPTS.findIndex(([, pattern]) => pattern.test(character)) + 2);
}

function latinLanguage(words: string[]): string {
  const counts = sets.map(([code, set]) => ({ code, count: words.filter((word) => set.has(word)).length }));
  const top = counts.reduce((best, entry) => (entry.count > best.count ? entry : best));
  return top.count >= MIN_SHARE * words.length ? top.code : 'und';
}

/** Drops documents in other languages than those named. @throws SourceError for a language it does not know. */
export function languageFilter({ keep }: LanguageOptions): DocumentFilter {
  const unknown = keep.find((code) => !LANGUAGES.includes(code));
  if (unknown !== undefined || keep.length === 0) {
    throw new SourceError(
      `filters.language.keep: expected some of ${LANGUAGES.join(', ')}; received ${unknown ?? 'none'}`,
    );
  }
  return {
    name: 'language',
    check(text) {
      const language = detectLanguage(text);
      return keep.includes(language) ? undefined : { reason: `language ${language}` };
    },
  };
}

/** Keeps what is in some languages. */
export const language = filterKind({
  name: 'language',
  settings,
  hasDefaults: false,
  description: 'languages to keep, told by script and function words',
  open: languageFilter,
});
