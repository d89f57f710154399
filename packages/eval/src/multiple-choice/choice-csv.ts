import { readFileSync } from 'node:fs';
import { UserError } from '@lethe/run';
import { parse } from 'csv-parse/sync';
import { type ChoiceQuestion, LETTERS } from './choice-question.js';

/** Where a file has what. */
interface Columns {
  question: number;
  choices: number[];
  answer: number;
  /** Answers may be 0 to 3. */
  allowsNumbers: boolean;
}

const BARE: Columns = { question: 0, choices: [1, 2, 3, 4], answer: 5, allowsNumbers: false };

/**
 * The columns by the names in a first record: `question,choice0..choice3,answer` (copies of MMLU on the hub) or
 * `question,A..D,answer` in any case, beside an index or an explanation (CMMLU, C-Eval). Undefined: no names.
 */
function columnsOf(record: string[], file: string): Columns | undefined {
  const names = record.map((name) => name.trim().toLowerCase());
  const at = (name: string): number => names.indexOf(name);
  const choices = [LETTERS.map((letter) => at(letter.toLowerCase())), [0, 1, 2, 3].map((i) => at(`choice${i}`))];
  const found = choices.find((columns) => columns.every((column) => column >= 0));
  if (at('question') < 0 || !found) return undefined;
  if (at('answer') < 0) {
    throw new UserError(
      `${file}: has no column "answer"; C-Eval publishes no answers of its test split, so score split: val`,
    );
  }
  return { question: at('question'), choices: found, answer: at('answer'), allowsNumbers: found === choices[1] };
}

/**
 * Reads a file of four-choice questions: question, four choices, the letter of the answer, or columns by name.
 * Cells keep their newlines and edge white space.
 * @throws UserError naming file and record.
 */
export function readChoiceCsv(file: string): ChoiceQuestion[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(readFileSync(file, 'utf8'), { relax_column_count: true, info: true, bom: true }) as never;
  } catch (cause) {
    throw new UserError(`${file}: not readable as CSV: ${(cause as Error).message}`, { cause });
  }
  const named = records.length > 0 ? columnsOf(records[0].record, file) : undefined;
  const { question, choices, answer: answerColumn, allowsNumbers } = named ?? BARE;
  const [skipped, width] = named ? [1, records[0].record.length] : [0, 6];
  return records.slice(skipped).map(({ record: row }, i) => {
    const cell = (row[answerColumn] ?? '').trim();
    const answer = Math.max(
      ['A', 'B', 'C', 'D'].indexOf(cell),
      allowsNumbers ? ['0', '1', '2', '3'].indexOf(cell) : -1,
    );
    if (row.length !== width || answer < 0) {
      throw new UserError(
        `${file}: record ${i + 1 + skipped}: expected question, four choices and a letter A to D, received ${row.length} columns ending in "${row.at(-1)}"`,
      );
    }
    const line = i + skipped === 0 ? 1 : records[i + skipped - 1].info.lines + 1; // the line after the record before
    const [a, b, c, d] = choices.map((column) => row[column]);
    return { question: row[question], choices: [a, b, c, d], answer, place: { file, line } };
  });
}
