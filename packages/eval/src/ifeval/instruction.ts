import { z } from 'zod';

const relation = z.enum(['at least', 'less than']);
const count = z.int().nonnegative();
const text = z.string().min(1);
const texts = z.array(text).min(1);

/** IFEval's 25 instructions by id, with the parameters that their rows carry (Zhou et al. 2023, Table 1). */
export const ifevalInstructionSchema = z.discriminatedUnion('id', [
  z.strictObject({
    id: z.literal('change_case:capital_word_frequency'),
    capital_relation: relation,
    capital_frequency: count,
  }),
  z.strictObject({ id: z.literal('change_case:english_capital') }),
  z.strictObject({ id: z.literal('change_case:english_lowercase') }),
  z.strictObject({ id: z.literal('combination:repeat_prompt'), prompt_to_repeat: text }),
  z.strictObject({ id: z.literal('combination:two_responses') }),
  z.strictObject({ id: z.literal('detectable_content:number_placeholders'), num_placeholders: count }),
  z.strictObject({ id: z.literal('detectable_content:postscript'), postscript_marker: z.enum(['P.S.', 'P.P.S']) }),
  z.strictObject({ id: z.literal('detectable_format:constrained_response') }),
  z.strictObject({ id: z.literal('detectable_format:json_format') }),
  z.strictObject({
    id: z.literal('detectable_format:multiple_sections'),
    section_spliter: text,
    num_sections: count,
  }),
  z.strictObject({ id: z.literal('detectable_format:number_bullet_lists'), num_bullets: count }),
  z.strictObject({ id: z.literal('detectable_format:number_highlighted_sections'), num_highlights: count }),
  z.strictObject({ id: z.literal('detectable_format:title') }),
  z.strictObject({ id: z.literal('keywords:existence'), keywords: texts }),
  z.strictObject({ id: z.literal('keywords:forbidden_words'), forbidden_words: texts }),
  z.strictObject({ id: z.literal('keywords:frequency'), keyword: text, relation, frequency: count }),
  z.strictObject({
    id: z.literal('keywords:letter_frequency'),
    letter: z.string().regex(/^.$/su, 'expected one character'),
    let_relation: relation,
    let_frequency: count,
  }),
  z.strictObject({ id: z.literal('language:response_language'), language: text }),
  z.strictObject({
    id: z.literal('length_constraints:nth_paragraph_first_word'),
    num_paragraphs: count,
    nth_paragraph: z.int().positive(),
    first_word: text,
  }),
  z.strictObject({ id: z.literal('length_constraints:number_paragraphs'), num_paragraphs: count }),
  z.strictObject({ id: z.literal('length_constraints:number_sentences'), relation, num_sentences: count }),
  z.strictObject({ id: z.literal('length_constraints:number_words'), relation, num_words: count }),
  z.strictObject({ id: z.literal('punctuation:no_comma') }),
  z.strictObject({ id: z.literal('startend:end_checker'), end_phrase: text }),
  z.strictObject({ id: z.literal('startend:quotation') }),
]);

/** A verifiable instruction with its parameters. */
export type IfevalInstruction = z.output<typeof ifevalInstructionSchema>;
export type InstructionId = IfevalInstruction['id'];

/** What checks need beyond the response's characters. */
export interface TextTools {
  /** The sentences of an English text. */
  sentences: (text: string) => string[];
  /** The language's code, `unknown` where none is likely; undefined for a text without letters. */
  language: (text: string) => string | undefined;
}

/** Whether a response that is not blank follows an instruction. */
export type Check<K extends InstructionId> = (
  response: string,
  instruction: Extract<IfevalInstruction, { id: K }>,
  tools: TextTools,
) => boolean;

/** The checks of a group: of the ids that begin with its name. */
export type Checks<Group extends string> = { [K in Extract<InstructionId, `${Group}:${string}`>]: Check<K> };

/** Compares a count as an instruction says. */
export const isRelated = (actual: number, how: z.output<typeof relation>, wanted: number): boolean =>
  how === 'at least' ? actual >= wanted : actual < wanted;

/** How often a pattern with the flag `g` is found. */
export const countOf = (response: string, pattern: RegExp): number => response.match(pattern)?.length ?? 0;
