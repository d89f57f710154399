import type { FollowLanguage } from './follow-item.js';
import { type Wording, WORDINGS } from './wording.js';

type Check = (text: string) => boolean;

/** The constraints of one source, in the order in which its levels add them. */
type Checks = readonly [Check, Check, Check, Check, Check];

const numSentences =
  ({ sentences }: Wording, count: number): Check =>
  (text) =>
    sentences(text).length === count;

const isAtMost =
  ({ length }: Wording, most: number): Check =>
  (text) =>
    length(text) <= most;

const sentencesAtMost =
  ({ sentences, length }: Wording, most: number): Check =>
  (text) =>
    sentences(text).every((sentence) => length(sentence) <= most);

const has =
  (wording: Wording, word: string): Check =>
  (text) =>
    wording.has(text, word);

const lacks =
  (wording: Wording, word: string): Check =>
  (text) =>
    !wording.has(text, word);

/** Whether sentence 1 has the first word, sentence 2 the second, and so on. */
const inTurn =
  ({ sentences, has: holds }: Wording, ...words: string[]): Check =>
  (text) => {
    const found = sentences(text);
    return words.every((word, i) => found[i] !== undefined && holds(found[i], word));
  };

const inSentence =
  ({ sentences }: Wording, number: number, check: Check): Check =>
  (text) =>
    check(sentences(text)[number - 1] ?? '');

function englishChecks(en: Wording): Record<string, Checks> {
  return {
    cnn_dailymail: [
      numSentences(en, 3),
      sentencesAtMost(en, 14),
      inTurn(en, 'Potter', 'actor', 'films'),
      inSentence(en, 2, lacks(en, 'lavish')),
      inSentence(en, 3, (sentence) => /\b(?:has|have)\s+\w+/.test(sentence)),
    ],
    xsum: [
      numSentences(en, 1),
      isAtMost(en, 19),
      lacks(en, 'Newton Stewart'),
      (text) => /\b(?:am|is|are)\s+\w+ing\b/.test(text),
      has(en, 'operation'),
    ],
    samsum: [
      numSentences(en, 1),
      isAtMost(en, 14),
      has(en, 'stuff'),
      (text) => !/procrast/i.test(text),
      (text) => en.numPunctuation(text) === 1,
    ],
    gigaword: [
      (text) => en.length(text) === 8,
      (text) => en.numPunctuation(text) === 0,
      (text) => /\p{Ll}/u.test(text) && text === text.toLowerCase(),
      lacks(en, 'bus'),
      has(en, 'in'),
    ],
    arxiv: [
      numSentences(en, 1),
      isAtMost(en, 20),
      (text) => /^We\b/.test(text),
      has(en, 'activations'),
      lacks(en, 'transformer'),
    ],
  };
}

function chineseChecks(zh: Wording): Record<string, Checks> {
  return {
    cnn_dailymail: [
      numSentences(zh, 3),
      sentencesAtMost(zh, 15),
      inTurn(zh, '波特', '演员', '电影'),
      inSentence(zh, 2, lacks(zh, '奢侈')),
      inSentence(zh, 3, has(zh, '了')),
    ],
    xsum: [numSentences(zh, 1), isAtMost(zh, 20), lacks(zh, '牛顿斯图尔特'), has(zh, '在'), has(zh, '操作')],
    samsum: [
      numSentences(zh, 1),
      isAtMost(zh, 15),
      has(zh, '琐碎的'),
      lacks(zh, '拖沓的'),
      (text) => zh.numPunctuation(text) === 1,
    ],
    gigaword: [
      (text) => zh.length(text) === 8,
      (text) => zh.numPunctuation(text) === 0,
      (text) => !/\d/.test(text),
      lacks(zh, '公交车'),
      lacks(zh, '在'),
    ],
    arxiv: [
      numSentences(zh, 1),
      isAtMost(zh, 20),
      (text) => text.startsWith('我们'),
      has(zh, '激活'),
      lacks(zh, 'transformer'),
    ],
  };
}

const CHECKS = { en: englishChecks(WORDINGS.en), zh: chineseChecks(WORDINGS.zh) };

/** The rule of a source of summaries: level n asks for its first n constraints; undefined for other sources. */
export function summaryRule(
  source: string,
  language: FollowLanguage,
): ((text: string, level: number) => boolean) | undefined {
  const checks = Object.hasOwn(CHECKS[language], source) ? CHECKS[language][source] : undefined;
  return checks && ((text, level) => checks.slice(0, level).every((check) => check(text)));
}
