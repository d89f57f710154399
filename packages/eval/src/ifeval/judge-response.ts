import { changeCaseChecks } from './checks/change-case.js';
import { combinationChecks } from './checks/combination.js';
import { detectableContentChecks } from './checks/detectable-content.js';
import { detectableFormatChecks } from './checks/detectable-format.js';
import { keywordChecks } from './checks/keywords.js';
import { languageChecks } from './checks/language.js';
import { lengthChecks } from './checks/length-constraints.js';
import { punctuationChecks } from './checks/punctuation.js';
import { startEndChecks } from './checks/startend.js';
import type { Check, IfevalInstruction, InstructionId, TextTools } from './instruction.js';
import { strip } from './python-text.js';

/** A check of every instruction: the mapped type has no hole. */
const CHECKS: { [K in InstructionId]: Check<K> } = {
  ...changeCaseChecks,
  ...combinationChecks,
  ...detectableContentChecks,
  ...detectableFormatChecks,
  ...keywordChecks,
  ...languageChecks,
  ...lengthChecks,
  ...punctuationChecks,
  ...startEndChecks,
};

/** Whether a response follows an instruction as it is. A blank one follows none. */
export function isFollowed(response: string, instruction: IfevalInstruction, tools: TextTools): boolean {
  const check = CHECKS[instruction.id] as Check<InstructionId>;
  return strip(response) !== '' && check(response, instruction, tools);
}

/** The response and seven variants: without its first line, its last, both; and each of the four without asterisks. */
export function looseVariants(response: string): string[] {
  const lines = response.split('\n');
  const joined = (from: number, to?: number): string => strip(lines.slice(from, to).join('\n'));
  const cut = [response, joined(1), joined(0, -1), joined(1, -1)];
  return [...cut, ...cut.map((text) => text.replaceAll('*', ''))];
}

/** How an instruction was followed: by the response as it is, by one of its variants only, or by none. */
export const FOLLOWED = ['followed', 'followed loosely', 'not followed'] as const;
export type Followed = (typeof FOLLOWED)[number];

/** Judges a response by each of its instructions, strictly and loosely (Zhou et al. 2023, section 2.2). */
export function judgeResponse(
  response: string,
  instructions: readonly IfevalInstruction[],
  tools: TextTools,
): Followed[] {
  const variants = looseVariants(response);
  return instructions.map((instruction) => {
    if (isFollowed(response, instruction, tools)) return 'followed';
    const isLoose = variants.some((variant) => isFollowed(variant, instruction, tools));
    return isLoose ? 'followed loosely' : 'not followed';
  });
}
