import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readIfeval } from './ifeval-files.js';
import { judgeResponse } from './judge-response.js';

const data = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/ifeval');
const whenThere = existsSync(data) ? it : it.skip;
const folder = mkdtempSync(join(tmpdir(), 'lethe-ifeval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const row = (changes: object = {}): string =>
  `${JSON.stringify({ key: 1, prompt: 'Say it.', instruction_id_list: ['punctuation:no_comma'], kwargs: [{}], ...changes })}\n`;
const write = (name: string, text: string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
};

it('names what is missing and where it is to be had, one after the other', () => {
  expect(() => readIfeval(folder)).toThrow(/input_data\.jsonl: no such file/);
  write('input_data.jsonl', row());
  expect(() => readIfeval(folder)).toThrow(
    /punkt_english\/abbrev_types\.txt: no such file; .*copy tokenizers\/punkt_tab/,
  );
  for (const name of ['abbrev_types.txt', 'collocations.tab', 'sent_starters.txt'])
    write(`punkt_english/${name}`, 'dr\n');
  write('punkt_english/ortho_context.tab', 'he\t34\nshe\n');
  expect(() => readIfeval(folder)).toThrow(/langdetect_profiles: no such folder; .*langdetect 1\.0\.9/);
  write('langdetect_profiles/de', '{"name":"de","freq":{"und":3},"n_words":[9,9,9]}');
  expect(() => readIfeval(folder)).toThrow(/langdetect_profiles: no profile "en"/);
  write('langdetect_profiles/en', '{"name":"en"}');
  expect(() => readIfeval(folder)).toThrow(/ortho_context\.tab:2: expected a word, a tab and a number/);
  write('punkt_english/ortho_context.tab', 'he\t34\n');
  expect(() => readIfeval(folder)).toThrow(/langdetect_profiles\/en: not a profile of langdetect/);
  write('langdetect_profiles/en', '{"name":"en","freq":{"and":3,"e":9},"n_words":[9,9,9]}');
  const { prompts, tools, toolsHash } = readIfeval(folder);
  expect(prompts[0]).toMatchObject({ key: 1, prompt: 'Say it.', instructions: [{ id: 'punctuation:no_comma' }] });
  expect(tools.sentences('Dr. Who? he.')).toEqual(['Dr. Who?', 'he.']);
  expect([tools.language('und'), tools.language('xyz')]).toEqual(['de', undefined]);
  write('punkt_english/abbrev_types.txt', 'mr\n');
  expect(readIfeval(folder).toolsHash).not.toBe(toolsHash);
});

it.each<[string, string, RegExp]>([
  ['an unknown instruction', row({ instruction_id_list: ['a:b'] }), /input_data\.jsonl:1: not a row/],
  ['a missing parameter', row({ instruction_id_list: ['startend:end_checker'] }), /:1: .*end_phrase/s],
  ['a parameter too many', row({ kwargs: [{ num_words: 3 }] }), /:1: .*num_words/s],
  [
    'an unknown relation',
    row({ instruction_id_list: ['length_constraints:number_words'], kwargs: [{ relation: 'at most', num_words: 3 }] }),
    /:1: .*at least/s,
  ],
  ['fewer kwargs', row({ kwargs: [] }), /:1: .*as many kwargs/s],
  ['the same key twice', row() + row(), /input_data\.jsonl:2: key 1 is also that of line 1; remove one/],
  ['no rows', '\n', /input_data\.jsonl: expected rows of IFEval, received none/],
])('%s is refused by file and line', (_, text, message) => {
  write('input_data.jsonl', text);
  expect(() => readIfeval(folder)).toThrow(message);
});

it('parameters that are null, as in the hub’s copy, are absent', () => {
  write('input_data.jsonl', row({ kwargs: [{ num_words: null, relation: null }] }));
  expect(readIfeval(folder).prompts[0].instructions).toEqual([{ id: 'punctuation:no_comma' }]);
});

describe('the real files', () => {
  whenThere('541 prompts, 834 instructions of 25 kinds', () => {
    const { prompts } = readIfeval(data);
    const instructions = prompts.flatMap((prompt) => prompt.instructions);
    expect([prompts.length, instructions.length, new Set(instructions.map(({ id }) => id)).size]).toEqual([
      541, 834, 25,
    ]);
    expect(prompts[0].place).toEqual({ file: join(data, 'input_data.jsonl'), line: 1 });
  });

  whenThere('responses written for real prompts are judged as they ask', () => {
    const { prompts, tools } = readIfeval(data);
    const judge = (key: number, response: string): string[] =>
      judgeResponse(response, prompts.find((prompt) => prompt.key === key)!.instructions, tools);
    const [yes, loosely, no] = ['followed', 'followed loosely', 'not followed'];
    // 1001: no commas. 1005: at least 12 placeholders.
    expect([judge(1001, 'Go forth to Kyoto.'), judge(1001, 'Go, forth.')]).toEqual([[yes], [no]]);
    expect([judge(1005, '[a] '.repeat(12)), judge(1005, '[a] '.repeat(11))]).toEqual([[yes], [no]]);
    // 3672: one sentence, in double quotation marks.
    expect(judge(3672, '"Algiers, by Dr. Lee the White City, has it all."')).toEqual([yes, yes, yes]);
    expect(judge(3672, '"It is warm. It is old."')).toEqual([yes, no, yes]);
    expect(judge(3672, 'Sure!\n"It is warm."')).toEqual([loosely, loosely, yes]);
    // 2069: 100 to 120 words.
    expect([99, 100, 120, 121].map((n) => judge(2069, 'word '.repeat(n)))).toEqual([
      [no, yes],
      [yes, yes],
      [yes, yes],
      [yes, no],
    ]);
    // 1040: fewer than 10 words in capitals and at least one, in quotation marks.
    expect(judge(1040, '"I AM AN EXPERT."')).toEqual([yes, yes, yes]);
    expect(judge(1040, `"${'SKILL '.repeat(10)}"`)).toEqual([no, yes, yes]);
    // 3276: capital letters, 5 or 6 sentences.
    expect(judge(3276, 'NO. IT HAS NONE. THE VERB IS RIGHT. THE NOUN IS RIGHT. SO IT IS FINE.')).toEqual([
      yes,
      yes,
      yes,
    ]);
    expect(judge(3276, 'No. It has none.')).toEqual([no, no, yes]);
  });

  whenThere('sentences and languages are told by the real models', () => {
    const { tools } = readIfeval(data);
    expect(tools.sentences('Mr. Lee left at 5 p.m. on Jan. 3. He is in the U.S. now.')).toHaveLength(2);
    expect(tools.language('Heute bleiben wir zu Hause und kochen eine Suppe.')).toBe('de');
    expect(tools.language('हम आज घर पर हैं और खाना बना रहे हैं')).toBe('hi');
    expect(tools.language('१२३ !')).toBeDefined();
    expect(tools.language('123 !')).toBeUndefined();
  });

  whenThere('a folder without a model of sentences is refused, whatever else is there', () => {
    const part = join(folder, 'part');
    cpSync(join(data, 'input_data.jsonl'), join(part, 'input_data.jsonl'));
    expect(() => readIfeval(part)).toThrow(/punkt_english/);
  });
});
