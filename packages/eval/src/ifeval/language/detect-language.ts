import type { LanguageProfiles } from './language-profiles.js';
import { letterGrams } from './letter-grams.js';
import { MersenneTwister } from './mersenne-twister.js';

const TRIALS = 7;
const SMOOTHING = { mean: 0.5, deviation: 0.05, scale: 10_000 };
const MOST_DRAWS = 1000;
/** A trial ends where one language is as likely as this. */
const CERTAIN = 0.99999;
/** Languages less likely are no answer. */
const LEAST = 0.1;

function normalize(probabilities: number[]): number {
  const sum = probabilities.reduce((total, p) => total + p, 0);
  for (const i of probabilities.keys()) probabilities[i] /= sum;
  return Math.max(...probabilities);
}

/** One trial: naive Bayes over n-grams drawn at random, until one language is certain. */
function trial(grams: string[], { languages, grams: known }: LanguageProfiles, random: MersenneTwister): number[] {
  const probabilities = languages.map(() => 1 / languages.length);
  const weight = (SMOOTHING.mean + random.normal() * SMOOTHING.deviation) / SMOOTHING.scale;
  for (let draw = 0; ; draw++) {
    const shares = known.get(grams[random.below(grams.length)])!;
    for (const i of probabilities.keys()) probabilities[i] *= weight + (shares.get(i) ?? 0);
    if (draw % 5 === 0 && (normalize(probabilities) > CERTAIN || draw >= MOST_DRAWS)) return probabilities;
  }
}

/**
 * A text's language by Nakatani's naive Bayes over letter n-grams, as langdetect finds it with its seed at 0: the mean of
 * seven trials. Its classes of Chinese characters are not used.
 * @returns the code, `unknown` where none is likely; undefined where the text holds no known n-gram.
 */
export function detectLanguage(text: string, profiles: LanguageProfiles): string | undefined {
  const grams = letterGrams(text).filter((gram) => profiles.grams.has(gram));
  if (grams.length === 0) return undefined;
  const random = new MersenneTwister(0);
  const trials = Array.from({ length: TRIALS }, () => trial(grams, profiles, random));
  const means = profiles.languages.map((_, i) => trials.reduce((sum, one) => sum + one[i], 0) / TRIALS);
  const best = means.indexOf(Math.max(...means));
  return means[best] > LEAST ? profiles.languages[best] : 'unknown';
}
