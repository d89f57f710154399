import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { parse } from 'csv-parse/sync';

/** A question with four choices. */
export interface ChoiceQuestion {
  question: string;
  choices: [string, string, string, string];
  /** Index of the right choice. */
  answer: number;
  /** File and line where it begins. */
  place?: Place;
}

/** One subject: the shots shown before each question, and the questions asked. */
export interface ChoiceSubject {
  name: string;
  shots: ChoiceQuestion[];
  questions: ChoiceQuestion[];
}

const LETTERS = ['A', 'B', 'C', 'D'];

/** Copies of MMLU on the Hugging Face hub begin with names of columns, and give answers as 0 to 3. */
function isHeader([question, , , , , answer]: string[]): boolean {
  return question?.trim().toLowerCase() === 'question' && answer?.trim().toLowerCase() === 'answer';
}

/**
 * Reads an MMLU file: question, four choices, the letter of the answer. Where the first record names the columns
 * (`question` .. `answer`), answers may also be numbers from 0.
 * @throws UserError naming file and record.
 */
export function readMmluCsv(file: string): ChoiceQuestion[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(readFileSync(file, 'utf8'), { relax_column_count: true, info: true }) as never;
  } catch (cause) {
    throw new UserError(`${file}: not readable as CSV: ${(cause as Error).message}`, { cause });
  }
  const skipped = records.length > 0 && isHeader(records[0].record) ? 1 : 0;
  return records.slice(skipped).map(({ record: row }, i) => {
    const cell = (row[5] ?? '').trim();
    const answer = Math.max(LETTERS.indexOf(cell), skipped ? ['0', '1', '2', '3'].indexOf(cell) : -1);
    if (row.length !== 6 || answer < 0) {
      throw new UserError(
        `${file}: record ${i + 1 + skipped}: expected question, four choices and a letter A to D, received ${row.length} columns ending in "${row.at(-1)}"`,
      );
    }
    const line = i + skipped === 0 ? 1 : records[i + skipped - 1].info.lines + 1; // the line after the record before
    return { question: row[0], choices: [row[1], row[2], row[3], row[4]], answer, place: { file, line } };
  });
}

/**
 * The subjects of a folder in MMLU's layout: `test/<subject>_test.csv` (or `val/<subject>_val.csv`), shots in
 * `dev/<subject>_dev.csv`.
 * @throws UserError naming what is missing.
 */
export function readMmluFolder(folder: string, split: 'test' | 'val' = 'test'): ChoiceSubject[] {
  const from = join(folder, split);
  if (!existsSync(from))
    throw new UserError(`${from}: no such folder; expected MMLU's layout (dev/, ${split}/ with a CSV per subject)`);
  const files = readdirSync(from)
    .filter((name) => name.endsWith(`_${split}.csv`))
    .sort();
  if (files.length === 0) throw new UserError(`${from}: no files named <subject>_${split}.csv`);
  return files.map((file) => {
    const name = file.slice(0, -`_${split}.csv`.length);
    const shots = join(folder, 'dev', `${name}_dev.csv`);
    return { name, shots: existsSync(shots) ? readMmluCsv(shots) : [], questions: readMmluCsv(join(from, file)) };
  });
}
