import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lethe/run';
import { z } from 'zod';

/** How likely each n-gram of one to three characters is in each language. */
export interface LanguageProfiles {
  /** Codes, as langdetect names them: `en`, `zh-cn`. */
  languages: string[];
  /** By n-gram and index of the language: its share of the n-grams of that length. */
  grams: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

const profileSchema = z.object({
  name: z.string(),
  freq: z.record(z.string(), z.number()),
  n_words: z.array(z.number().positive()).length(3),
});

function readProfile(file: string): z.output<typeof profileSchema> {
  try {
    return profileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new UserError(`${file}: not a profile of langdetect; copy the folder again: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Reads a folder of langdetect's profiles, a file for each language. @throws UserError naming the file. */
export function readProfiles(folder: string): LanguageProfiles {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  const profiles = names.sort().map((name) => readProfile(join(folder, name)));
  const grams = new Map<string, Map<number, number>>();
  for (const [index, { freq, n_words }] of profiles.entries()) {
    for (const [gram, count] of Object.entries(freq)) {
      const total = n_words[gram.length - 1];
      if (total === undefined) continue;
      const shares = grams.get(gram) ?? new Map<number, number>();
      grams.set(gram, shares.set(index, count / total));
    }
  }
  return { languages: profiles.map(({ name }) => name), grams };
}
