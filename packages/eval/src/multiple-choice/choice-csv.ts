import { csvRecords } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';
import { readBenchmarkFile, wrongRow } from '../items/read-rows.js';
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

/** The choice a cell names: a letter, or where the columns have names as the hub's copies do, 0 to 3. */
function answerOf(cell: string, allowsNumbers: boolean): number {
  const letter = LETTERS.findIndex((one) => one === cell);
  return letter < 0 && allowsNumbers ? ['0', '1', '2', '3'].indexOf(cell) : letter;
}

/**
 * Reads a file of four-choice questions: question, four choices, the letter of the answer, or columns by name.
 * Cells keep their newlines and edge white space; quotes are read as pandas reads them.
 * @throws UserError naming file and line, and what to do.
 */
export function readChoiceCsv(file: string): ChoiceQuestion[] {
  const records = csvRecords(readBenchmarkFile(file)).map((record) => {
    if ('problem' in record) throw wrongRow({ file, line: record.line }, record.problem, 'correct the quotes there');
    return { line: record.line, row: record.fields.map(String) };
  });
  const named = records.length > 0 ? columnsOf(records[0].row, file) : undefined;
  const { question, choices, answer: answerColumn, allowsNumbers } = named ?? BARE;
  const width = named ? records[0].row.length : 6;
  const questions = records.slice(named ? 1 : 0).map(({ row, line }): ChoiceQuestion => {
    const place = { file, line };
    const answer = answerOf((row[answerColumn] ?? '').trim(), allowsNumbers);
    const expected = `question, four choices and ${allowsNumbers ? '0 to 3 or ' : ''}a letter A to D`;
    if (row.length !== width)
      throw wrongRow(
        place,
        `expected ${width} columns (${expected}), received ${row.length} ending in "${row.at(-1)}"`,
      );
    if (answer < 0) throw wrongRow(place, `expected ${expected}, received the answer "${row[answerColumn]}"`);
    const [a, b, c, d] = choices.map((column) => row[column]);
    return { question: row[question], choices: [a, b, c, d], answer, place };
  });
  if (questions.length === 0)
    throw new UserError(`${file}: expected questions, received none; fetch the file again, or remove it`);
  return questions;
}
