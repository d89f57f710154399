import { type IfevalInstruction, ifevalInstructionSchema, type TextTools } from './instruction.js';
import { isFollowed, judgeResponse, looseVariants } from './judge-response.js';

/** Sentences end at a full stop; German is what says so; a text without letters has no language. */
const tools: TextTools = {
  sentences: (text) => text.match(/[^.\s][^.]*\.?/g) ?? [],
  language: (text) => (/\p{L}/u.test(text) ? (/\bund\b/i.test(text) ? 'de' : 'en') : undefined),
};

const capitals = (capital_relation: 'at least' | 'less than', capital_frequency: number): IfevalInstruction => ({
  id: 'change_case:capital_word_frequency',
  capital_relation,
  capital_frequency,
});
const repeat: IfevalInstruction = { id: 'combination:repeat_prompt', prompt_to_repeat: ' Write a Poem. ' };
const two: IfevalInstruction = { id: 'combination:two_responses' };
const placeholders: IfevalInstruction = { id: 'detectable_content:number_placeholders', num_placeholders: 2 };
const ps: IfevalInstruction = { id: 'detectable_content:postscript', postscript_marker: 'P.S.' };
const pps: IfevalInstruction = { id: 'detectable_content:postscript', postscript_marker: 'P.P.S' };
const constrained: IfevalInstruction = { id: 'detectable_format:constrained_response' };
const json: IfevalInstruction = { id: 'detectable_format:json_format' };
const sections: IfevalInstruction = {
  id: 'detectable_format:multiple_sections',
  section_spliter: 'SECTION',
  num_sections: 2,
};
const bullets: IfevalInstruction = { id: 'detectable_format:number_bullet_lists', num_bullets: 2 };
const highlights: IfevalInstruction = { id: 'detectable_format:number_highlighted_sections', num_highlights: 2 };
const title: IfevalInstruction = { id: 'detectable_format:title' };
const existence: IfevalInstruction = { id: 'keywords:existence', keywords: ['cat', 'category'] };
const forbidden: IfevalInstruction = { id: 'keywords:forbidden_words', forbidden_words: ['cat', 'ice cream'] };
const frequency = (relation: 'at least' | 'less than'): IfevalInstruction => ({
  id: 'keywords:frequency',
  keyword: ' cat ',
  frequency: 2,
  relation,
});
const letter = (let_relation: 'at least' | 'less than', one = 'E'): IfevalInstruction => ({
  id: 'keywords:letter_frequency',
  letter: one,
  let_relation,
  let_frequency: 2,
});
const german: IfevalInstruction = { id: 'language:response_language', language: 'de' };
const nth = (nth_paragraph: number, first_word: string): IfevalInstruction => ({
  id: 'length_constraints:nth_paragraph_first_word',
  num_paragraphs: 2,
  nth_paragraph,
  first_word,
});
const paragraphs: IfevalInstruction = { id: 'length_constraints:number_paragraphs', num_paragraphs: 2 };
const sentences = (relation: 'at least' | 'less than'): IfevalInstruction => ({
  id: 'length_constraints:number_sentences',
  relation,
  num_sentences: 2,
});
const words = (relation: 'at least' | 'less than', num_words: number): IfevalInstruction => ({
  id: 'length_constraints:number_words',
  relation,
  num_words,
});
const noComma: IfevalInstruction = { id: 'punctuation:no_comma' };
const end: IfevalInstruction = { id: 'startend:end_checker', end_phrase: 'Any other questions? ' };
const quotation: IfevalInstruction = { id: 'startend:quotation' };
const upper: IfevalInstruction = { id: 'change_case:english_capital' };
const lower: IfevalInstruction = { id: 'change_case:english_lowercase' };

const TABLE: [IfevalInstruction, string, boolean][] = [
  [capitals('at least', 2), 'The NASA and the ESA.', true],
  [capitals('at least', 3), 'The NASA and the ESA.', false],
  [capitals('less than', 2), 'The NASA and a WELL-KNOWN one.', false],
  [capitals('less than', 2), 'Well-Known NASA', true],
  [capitals('at least', 2), "I'M", true],
  [upper, 'ALL OF IT, 3 TIMES!', true],
  [upper, 'ALL OF It', false],
  [upper, 'HIER UND DA', false],
  [upper, '123', false],
  [lower, 'all of it, 3 times!', true],
  [lower, 'all of It', false],
  [lower, 'hier und da', false],
  [repeat, 'WRITE A POEM. Roses are red.', true],
  [repeat, '\n write a poem.', true],
  [repeat, 'Sure! Write a Poem.', false],
  [repeat, 'Write a', false],
  [two, 'One\n******\nTwo', true],
  [two, '******One******Two******', true],
  [two, 'Same ****** Same', false],
  [two, 'One ***** Two', false],
  [two, 'One ****** Two ****** Three', false],
  [two, 'One ************ Two', false],
  [placeholders, '[name] and [address]', true],
  [placeholders, '[] []', true],
  [placeholders, '[name] and [add\nress]', false],
  [placeholders, '[[nested]]', false],
  [ps, 'Text\nP.S. More', true],
  [ps, 'Text\r\np. s. more', true],
  [ps, 'Text PS: more', false],
  [ps, 'Text P.P.S', false],
  [pps, 'Text\nP.P.S more', true],
  [pps, 'Text\nP. P. S. more', true],
  [pps, 'Text\nP.S. more', false],
  [constrained, 'Well. My answer is maybe. Indeed.', true],
  [constrained, 'My answer is yes', false],
  [constrained, 'my answer is no.', false],
  [json, ' {"a": [1, "b"]} ', true],
  [json, '```json\n{"a": 1}\n```', true],
  [json, '```\n[]\n```\n', true],
  [json, '"text"', true],
  [json, '{"a": NaN}', true],
  [json, '{"a": nan}', false],
  [json, "{'a': 1}", false],
  [json, 'Here it is:\n```json\n{}\n```', false],
  [sections, 'SECTION 1\na\nSECTION 2\nb', true],
  [sections, 'SECTION1 SECTION12 SECTION 3', true],
  [sections, 'SECTION 1\na\nSection 2\nb', false],
  [sections, 'SECTION A SECTION B', false],
  [bullets, 'These:\n* a\n* b', true],
  [bullets, '- a\r\n  * b\r\n', true],
  [bullets, '* a\n* b\n* c', false],
  [bullets, '** a **\n* b', false],
  [bullets, 'a\n---\n* b', true],
  [highlights, '*one* and *two*', true],
  [highlights, '**one**', false],
  [highlights, '**one** and *two*', true],
  [highlights, '*one* * * **  **', false],
  [highlights, '*one\ntwo* *three*', false],
  [title, '<<Poem of joy>>\nRoses', true],
  [title, '<< >>', false],
  [title, '<<Poem\nof joy>>', false],
  [title, '<Poem>', false],
  [existence, 'A CATEGORY', true],
  [existence, 'a cat', false],
  [forbidden, 'a category of scattered', true],
  [forbidden, 'the Cat!', false],
  [forbidden, 'ICE CREAM', false],
  [forbidden, 'cat\u00e9gorie', true],
  [frequency('at least'), 'Cat, category', true],
  [frequency('at least'), 'one cat', false],
  [frequency('less than'), 'one cat', true],
  [frequency('less than'), 'cat cat', false],
  [letter('at least'), 'Eve', true],
  [letter('at least'), 'Adele', true],
  [letter('at least'), 'be', false],
  [letter('less than'), 'be', true],
  [letter('less than'), 'bee', false],
  [letter('at least', '#'), '## a', true],
  [letter('at least', '#'), '# a', false],
  [german, 'Hier und da', true],
  [german, 'Here and there', false],
  [german, '123', true],
  [nth(2, 'Weekend'), 'First.\n\n"Weekend, at last', true],
  [nth(2, 'weekend'), "First.\n\n'weekend's end", true],
  [nth(2, 'weekend'), 'First.\n\nThe weekend', false],
  [nth(1, 'weekend'), 'Weekend.\n\nTwo.\n\nThree.', false],
  [nth(1, 'weekend'), 'Weekend.', false],
  [nth(2, 'weekend'), 'First.\n\n\n\nWeekend', false],
  [nth(2, 'weekend'), 'First.\r\n\r\nWeekend', false],
  [paragraphs, 'One\n***\nTwo', true],
  [paragraphs, '***\nOne\r\n***\r\nTwo\n***', true],
  [paragraphs, 'One\n\nTwo', false],
  [paragraphs, 'One\n***\n \n***\nTwo', false],
  [paragraphs, 'One***Two***Three', false],
  [sentences('at least'), 'One. Two.', true],
  [sentences('at least'), 'One', false],
  [sentences('less than'), 'One', true],
  [sentences('less than'), 'One. Two.', false],
  [words('at least', 3), "It's here", true],
  [words('at least', 4), "It's here", false],
  [words('less than', 2), 'well_known', true],
  [words('less than', 3), 'well-known fact', false],
  [words('less than', 4), '\u0a05\u0a71\u0a1c \u0a38\u0a35\u0a47\u0a30\u0a47', true],
  [noComma, 'One; two\uff0c three', true],
  [noComma, 'One, two', false],
  [end, 'Done. any other QUESTIONS?"\n', true],
  [end, 'Any other questions? No.', false],
  [quotation, ' "All of\nit." ', true],
  [quotation, '""', true],
  [quotation, '"', false],
  [quotation, '"All" of it.', false],
  [quotation, '\u201cAll\u201d', false],
];

describe('an instruction', () => {
  it.each(TABLE)('%j: %j is %s', (instruction, response, expected) => {
    expect(isFollowed(response, ifevalInstructionSchema.parse(instruction), tools)).toBe(expected);
  });

  it('each of the 25 is accepted and rejected above, and none is followed by a blank response', () => {
    const verdicts = new Map<string, Set<boolean>>();
    for (const [{ id }, , expected] of TABLE) verdicts.set(id, (verdicts.get(id) ?? new Set()).add(expected));
    const ids = ifevalInstructionSchema.options.map(({ shape }) => shape.id.value);
    expect([...verdicts.keys()].sort()).toEqual([...ids].sort());
    expect(ids).toHaveLength(25);
    expect([...verdicts].filter(([, seen]) => seen.size !== 2)).toEqual([]);
    for (const [instruction] of TABLE) {
      for (const blank of ['', ' \n\t', '\u2028']) expect(isFollowed(blank, instruction, tools)).toBe(false);
    }
  });
});

it('the loose variants are without first line, last, both, and each without asterisks', () => {
  expect(looseVariants('Sure:\n*a*\n b \nBye')).toEqual([
    'Sure:\n*a*\n b \nBye',
    '*a*\n b \nBye',
    'Sure:\n*a*\n b',
    '*a*\n b',
    'Sure:\na\n b \nBye',
    'a\n b \nBye',
    'Sure:\na\n b',
    'a\n b',
  ]);
  expect(looseVariants('one line')).toEqual(['one line', '', '', '', 'one line', '', '', '']);
});

it('a response is judged by each instruction by itself, loosely where only a variant follows it', () => {
  const response = 'Sure, here it is:\n"Any *other* questions?"\nSee above';
  expect(judgeResponse(response, [noComma, end, quotation, title], tools)).toEqual([
    'followed loosely', // without the first line
    'followed loosely', // without the last line and asterisks
    'followed loosely',
    'not followed',
  ]);
  expect(judgeResponse('"Fine"', [noComma, quotation, end], tools)).toEqual(['followed', 'followed', 'not followed']);
  expect(judgeResponse('', [noComma, words('less than', 9)], tools)).toEqual(['not followed', 'not followed']);
});
