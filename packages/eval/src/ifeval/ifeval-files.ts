import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { readRows } from '../items/read-rows.js';
import { type IfevalInstruction, ifevalInstructionSchema, type TextTools } from './instruction.js';
import { detectLanguage } from './language/detect-language.js';
import { readProfiles } from './language/language-profiles.js';
import { PUNKT_FILES, readPunkt } from './punkt/punkt-parameters.js';
import { splitSentences } from './punkt/split-sentences.js';

/** A prompt with the instructions it gives. */
export interface IfevalPrompt {
  key: number;
  prompt: string;
  instructions: IfevalInstruction[];
  place: Place;
}

/** IFEval: its prompts, and what judging responses needs. */
export interface Ifeval {
  prompts: IfevalPrompt[];
  tools: TextTools;
  /** SHA-256 of the model of sentences and the profiles of languages, which verdicts depend on. */
  toolsHash: string;
}

const PROMPTS = 'input_data.jsonl';
const PUNKT = 'punkt_english';
const PROFILES = 'langdetect_profiles';

const rowSchema = z
  .object({
    key: z.int(),
    prompt: z.string().min(1),
    instruction_id_list: z.array(z.string()).min(1),
    kwargs: z.array(z.record(z.string(), z.unknown())),
  })
  .refine(({ instruction_id_list, kwargs }) => instruction_id_list.length === kwargs.length, {
    message: 'expected as many kwargs as there are instructions',
  })
  .transform(({ key, prompt, instruction_id_list, kwargs }) => ({
    key,
    prompt,
    // The hub's copy of the data names every parameter, and those that an instruction has not are null.
    instructions: instruction_id_list.map((id, i) => ({
      id,
      ...Object.fromEntries(Object.entries(kwargs[i]).filter(([, value]) => value !== null)),
    })),
  }))
  .pipe(z.object({ key: z.int(), prompt: z.string(), instructions: z.array(ifevalInstructionSchema) }));

function readTools(folder: string): Pick<Ifeval, 'tools' | 'toolsHash'> {
  const [punkt, languages] = [join(folder, PUNKT), join(folder, PROFILES)];
  const missing = PUNKT_FILES.map((name) => join(punkt, name)).find((file) => !existsSync(file));
  if (missing !== undefined)
    throw new UserError(
      `${missing}: no such file; IFEval counts sentences by nltk's English Punkt model: copy ` +
        `tokenizers/punkt_tab/english of nltk's data (nltk.download("punkt_tab")) to ${punkt}`,
    );
  const profiles = existsSync(languages) ? readdirSync(languages).filter((name) => !name.startsWith('.')) : [];
  if (!profiles.includes('en'))
    throw new UserError(
      `${languages}: ${profiles.length > 0 ? 'no profile "en"' : 'no such folder'}; IFEval tells languages by ` +
        `langdetect's profiles: copy langdetect/profiles of the Python package langdetect 1.0.9 to ${languages}`,
    );
  const hash = createHash('sha256');
  for (const file of [
    ...PUNKT_FILES.map((name) => join(punkt, name)),
    ...profiles.sort().map((name) => join(languages, name)),
  ])
    hash.update(readFileSync(file));
  const [parameters, known] = [readPunkt(punkt), readProfiles(languages)];
  return {
    tools: {
      sentences: (text) => splitSentences(text, parameters),
      language: (text) => detectLanguage(text, known),
    },
    toolsHash: hash.digest('hex'),
  };
}

/**
 * IFEval's folder: `input_data.jsonl`, as google-research publishes it; `punkt_english/`, nltk's `punkt_tab` for English;
 * `langdetect_profiles/`, a file for each language.
 * @throws UserError with file and line, or naming what is missing and where it is to be had.
 */
export function readIfeval(folder: string): Ifeval {
  const file = join(folder, PROMPTS);
  const id = { name: 'key', of: ({ key }: { key: number }) => key };
  const prompts = readRows(file, { benchmark: 'IFEval', schema: rowSchema, id });
  return { prompts, ...readTools(folder) };
}
