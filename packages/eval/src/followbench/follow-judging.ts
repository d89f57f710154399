import type { JudgeRequest } from '../judge/judge.js';
import type { FollowCategory, FollowItem, FollowLanguage } from './follow-item.js';

const MAX_TOKENS = 1024;

const NAMES: Record<FollowLanguage, Partial<Record<FollowCategory, string>>> = {
  en: {
    content: 'content constraint',
    situation: 'situation constraint (information to describe a specific situation/background)',
    style: 'style constraint',
    format: 'format constraint',
    mixed: 'constraint',
  },
  zh: {
    content: '内容约束',
    situation: '情景约束（描述特定情况/背景的信息）',
    style: '风格约束',
    format: '格式约束',
    mixed: '约束',
  },
};

/** The parts of the judge's message, as the benchmark words them, its spelling included. */
interface MessageParts {
  opening: (constraint: string, level: number) => string;
  seed: string;
  step: (number: number) => string;
  answer: (level: number) => string;
  task: (level: number) => string;
}

const plural = (count: number): string => (count === 1 ? 'constraint' : 'constraints');

const english: MessageParts = {
  opening: (constraint, level) =>
    `Given an initial instruction, we add one ${constraint}${level === 1 ? '' : ' per time'} and obtain the final instruction with ${level} additional ${plural(level)}.`,
  seed: '#Initial Instruction#',
  step: (number) => `#Initial Instruction + ${number} ${plural(number)}#`,
  answer: (level) => `#Answer of Initial Instruction + ${level} ${plural(level)}#`,
  task: (level) =>
    level === 1
      ? "#System#\n1) Please identify the 1 added constraint.\n2) Please descriminate if the #Answer of Initial Instruction + 1 constraint# satisfies the 1 added constraint.\n3) In the final line, only output a Python LIST with 1 element ('YES' or 'NO') indicating whether the answer satisfies the 1 added constraint."
      : `#System#\n1) Please identify all ${level} added constraints.\n2) For the ${level} added constraints, discriminate if the #Answer of Initial Instruction + ${level} constraints# satisfies each constraint.\n3) In the final line, only output a Python LIST with ${level} elements ('YES' or 'NO') indicating whether the answer satisfies each constraint.`,
};

const chinese: MessageParts = {
  opening: (constraint, level) =>
    `给定一个初始指令，我们${level === 1 ? '' : '每次'}添加一个${constraint}，获得了有${level}个附加约束的最终指令。`,
  seed: '#初始指令#',
  step: (number) => `#初始指令 + ${number}个约束#`,
  answer: (level) => `#初始指令 + ${level}个约束的答案#`,
  task: (level) =>
    level === 1
      ? '#系统#\n1) 请识别出添加的1个约束。\n2) 请判断#初始指令 + 1个约束的答案#是否满足了添加的1个约束。\n3) 在最后一行，只输出一个包含1个元素（“YES”或“NO”）的Python列表，表明答案是否满足添加的一个约束。'
      : `#系统#\n1) 请识别出添加的${level}个约束。\n2) 对于添加的${level}个约束, 请判断#初始指令 + ${level}个约束的答案#是否满足了每个约束。\n3) 在最后一行，只输出一个包含${level}个元素（“YES”或“NO”）的Python列表，表明答案是否满足添加的每一个约束。`,
};

const PARTS: Record<FollowLanguage, MessageParts> = { en: english, zh: chinese };

/** What the judge is asked about an answer: one message, greedy. @param item of a category other than `example`. */
export function followRequest(item: FollowItem, answer: string, language: FollowLanguage): JudgeRequest {
  const { opening, seed, step, answer: heading, task } = PARTS[language];
  const { category, level, path } = item;
  const paragraphs = [
    opening(NAMES[language][category]!, level),
    ...path.map((instruction, i) => `${i === 0 ? seed : step(i)}\n${instruction}`),
    `${heading(level)}\n${answer}`,
    task(level),
  ];
  return { messages: [{ role: 'user', content: paragraphs.join('\n\n') }], temperature: 0, maxTokens: MAX_TOKENS };
}

/** Verdicts that judges give instead of NO where they will not say YES. */
const NOT_YES = ['NO', 'PARTIAL', 'PARTIALLY', 'MAYBE', 'UNKNOWN', 'N/A'];

/**
 * Which of `level` constraints a judgement finds satisfied: the list of YES and NO that ends it, or for one constraint
 * the bare word on its last line. Undefined where there is no such list, it has another length, or says anything else.
 */
export function readFollowVerdict(judgement: string, level: number): boolean[] | undefined {
  const text = judgement.replace(/[`\s*]+$/, '');
  const list = /\[([^[\]]*)\][^\n[\]]*$/.exec(text)?.[1];
  if (list === undefined) {
    if (level > 1) return undefined;
    const words = new Set(
      text
        .split('\n')
        .at(-1)!
        .match(/\b(?:YES|NO)\b/g),
    );
    return words.size === 1 ? [words.has('YES')] : undefined;
  }
  const verdicts = list
    .split(/[,，、]/)
    .map((element) => element.replaceAll(/^[\s'"‘’“”`*]+|[\s'"‘’“”`*]+$/g, '').toUpperCase());
  if (verdicts.at(-1) === '') verdicts.pop(); // a list may end with a comma
  if (verdicts.length !== level) return undefined;
  if (!verdicts.every((verdict) => verdict === 'YES' || NOT_YES.includes(verdict))) return undefined;
  return verdicts.map((verdict) => verdict === 'YES');
}
