import { join } from 'node:path';
import { readInstructions } from '@lethe/eval';
import { makeFolder, seededRandom, writeFileAtomically } from '@lethe/run';

/** A file of instructions, by the name that the user knows it by. */
export interface InstructionFile {
  name: string;
  data: string;
}

/** Instructions that choose a setting, and those that are reported: none does both. */
export interface InstructionParts {
  choose: InstructionFile[];
  report: InstructionFile[];
  /** How many choose. */
  numChoosing: number;
}

/** So few tell settings apart no better than chance, and are all reported. */
export const FEWEST_INSTRUCTIONS = 100;
/** Of all, as of held-out documents. */
const CHOOSE_SHARE = 0.4;

/** Instructions as they are, all of them reported. */
export const wholeInstructions = (files: readonly string[]): InstructionFile[] =>
  files.map((file) => ({ name: file, data: file }));

/** Whether there are enough instructions to choose a setting by. @throws UserError with file and line of one that cannot be read. */
export const areInstructionsDivided = (files: readonly string[]): boolean =>
  files.reduce((sum, file) => sum + readInstructions(file).length, 0) >= FEWEST_INSTRUCTIONS;

/**
 * Divides instructions, those of one prompt together, and writes the parts into a folder; too few of them are all reported.
 * @throws UserError with file and line of one that cannot be read.
 */
export function divideInstructions(files: readonly string[], folder: string): InstructionParts {
  if (!areInstructionsDivided(files)) return { choose: [], report: wholeInstructions(files), numChoosing: 0 };
  const read = files.map((file) => readInstructions(file));
  const prompts = [...new Set(read.flat().map(({ prompt }) => prompt))];
  const drawn = seededRandom(1, 'repair', 'instructions').shuffle(prompts);
  const choosing = new Set(drawn.slice(0, Math.floor(CHOOSE_SHARE * drawn.length)));
  makeFolder(folder);
  const parts: InstructionParts = { choose: [], report: [], numChoosing: 0 };
  for (const [i, rows] of read.entries())
    for (const part of ['choose', 'report'] as const) {
      const own = rows.filter(({ prompt }) => choosing.has(prompt) === (part === 'choose'));
      if (own.length === 0) continue;
      const data = join(folder, `${part}-${i + 1}.jsonl`);
      const lines = own.map(({ prompt, constraints }) => `${JSON.stringify({ prompt, constraints })}\n`);
      writeFileAtomically(data, lines.join(''));
      parts[part].push({ name: files[i], data });
      if (part === 'choose') parts.numChoosing += own.length;
    }
  return parts;
}
