import { UserError } from '@lethe/run';
import type { FollowItem, FollowLanguage } from './follow-item.js';
import { checkSpeech, checkWoodenTable } from './format-rules.js';
import { summaryRule } from './summary-rules.js';

/** Whether an answer satisfies all constraints of an item. */
type Rule = (answer: string, item: FollowItem) => boolean;

const isTarget: Rule = (answer, { target }) => answer === target.trim();

/** The strings of a Python list literal. @throws UserError with the row's place for another target. */
function listed({ target, place }: FollowItem): string[] {
  const strings = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g;
  const rest = target.replaceAll(strings, '').replaceAll(/[\s,]/g, '');
  if (rest !== '[]')
    throw new UserError(`${place.file}:${place.line}: target: expected a list of strings, received ${target}`);
  return [...target.matchAll(strings)].map(([, single, double]) => (single ?? double).replaceAll(/\\(.)/g, '$1'));
}

/** Compares the last match of a pattern: answers reason first. */
const lastMatch =
  (pattern: RegExp): Rule =>
  (answer, { target }) =>
    answer.match(pattern)?.at(-1) === target;

/** As many of the document's events as the level asks for, a line each. */
const areEvents: Rule = (answer, { target, level }) => {
  const known = new Set(target.split('\n').map((line) => line.trim()));
  const lines = answer.split('\n').map((line) => line.trim());
  return lines.every((line) => known.has(line)) && new Set(lines).size === level;
};

/** The template that the last example shows, filled in on one line. */
const fillsTemplate: Rule = (answer, { target }) => {
  const template = target.replace('{instruction}\n', '').replaceAll('{{', '{').replaceAll('}}', '}');
  const parts = template.split('{answer}').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^\\n]*')}$`, 'u').test(answer);
};

const BY_SOURCE: Record<string, Rule> = {
  E2E: isTarget,
  WIKIEVENTS: areEvents,
  CONLL2003: (answer, item) => listed(item).includes(answer),
  text_editing: isTarget,
  BBH_logical: lastMatch(/\([A-Z]\)/g),
  BBH_time: lastMatch(/\d{2}\/\d{2}\/\d{4}/g),
  self_made_space: (answer, { target }) => answer.includes(target),
};
const AMOUNT = { en: /\$\d+/g, zh: /\d+美元/g };

/** The rule of an item; undefined for items that only a judge can judge. */
function ruleOf({ category, source, exampleId }: FollowItem, language: FollowLanguage): Rule | undefined {
  if (category === 'example') return fillsTemplate;
  if (category === 'format') {
    if (exampleId === 22) return (answer, { level }) => checkWoodenTable(answer, level, language);
    if (exampleId === 30 && language === 'en') return (answer, { level }) => checkSpeech(answer, level);
    return undefined;
  }
  if (source === 'gsm_8k') return lastMatch(AMOUNT[language]);
  const summary = summaryRule(source, language);
  if (summary) return (answer, { level }) => summary(answer, level);
  return Object.hasOwn(BY_SOURCE, source) ? BY_SOURCE[source] : undefined;
}

/** Whether an item is checked by rule, as opposed to judged. */
export const isRuleChecked = (item: FollowItem, language: FollowLanguage): boolean =>
  ruleOf(item, language) !== undefined;

/**
 * Whether an answer satisfies all constraints of a rule-checked item. Surrounding white space does not count; an empty
 * answer fails.
 * @throws RangeError for an item that is judged.
 */
export function followsRule(item: FollowItem, answer: string, language: FollowLanguage): boolean {
  const rule = ruleOf(item, language);
  if (!rule) throw new RangeError(`followsRule: ${item.id} has no rule`);
  const text = answer.trim();
  return text !== '' && rule(text, item);
}
