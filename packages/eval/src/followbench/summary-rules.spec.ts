import { summaryRule } from './summary-rules.js';

/** `count` words: the given ones, then fillers. */
const words = (count: number, ...given: string[]): string =>
  [...given, ...Array.from({ length: count - given.length }, () => 'w')].join(' ');
const signs = (count: number, given: string): string => given + '字'.repeat(count - [...given].length);

/** The highest level in a row from 1 on that a text satisfies. */
function highest(source: string, language: 'en' | 'zh', text: string): number {
  const rule = summaryRule(source, language)!;
  let level = 0;
  while (level < 5 && rule(text, level + 1)) level++;
  return level;
}

const POTTER = [words(14, 'Potter'), words(14, 'An', 'actor'), words(14, 'His', 'films', 'have', 'won')].join('. ');
const ZH_POTTER = [signs(15, '波特'), signs(15, '演员'), signs(15, '电影了')].join('。');

describe('rules of summaries', () => {
  it.each<[string, 'en' | 'zh', number, string]>([
    ['cnn_dailymail', 'en', 5, POTTER],
    ['cnn_dailymail', 'en', 0, `${POTTER}. And more`],
    ['cnn_dailymail', 'en', 1, POTTER.replace('Potter', 'Potter w')],
    ['cnn_dailymail', 'en', 2, POTTER.replace('actor', 'agent')],
    ['cnn_dailymail', 'en', 3, POTTER.replace('An actor w', 'lavish actor w')],
    ['cnn_dailymail', 'en', 4, POTTER.replace('have won', 'will win')],
    ['xsum', 'en', 5, words(19, 'An', 'operation', 'is', 'running')],
    ['xsum', 'en', 1, words(20, 'An', 'operation', 'is', 'running')],
    ['xsum', 'en', 2, words(19, 'Newton', 'Stewart', 'is', 'running')],
    ['xsum', 'en', 3, words(19, 'An', 'operation', 'runs')],
    ['xsum', 'en', 4, words(19, 'A', 'run', 'is', 'starting')],
    ['samsum', 'en', 5, `${words(14, 'stuff')}.`],
    ['samsum', 'en', 1, `${words(15, 'stuff')}.`],
    ['samsum', 'en', 2, `${words(14, 'things')}.`],
    ['samsum', 'en', 3, `${words(14, 'stuff', 'Procrastination')}.`],
    ['samsum', 'en', 4, `${words(14, 'stuff,')}.`],
    ['gigaword', 'en', 5, 'eight words in a row without any marks'],
    ['gigaword', 'en', 0, 'nine words in a row and without any marks'],
    ['gigaword', 'en', 1, 'eight words in a row without any marks.'],
    ['gigaword', 'en', 2, 'Eight words in a row without any marks'],
    ['gigaword', 'en', 2, '1 2 3 4 5 6 7 8'],
    ['gigaword', 'en', 3, 'a bus in a row without any marks'],
    ['gigaword', 'en', 4, 'eight words at a row without any marks'],
    ['arxiv', 'en', 5, words(20, 'We', 'study', 'activations')],
    ['arxiv', 'en', 1, words(21, 'We', 'study', 'activations')],
    ['arxiv', 'en', 2, words(20, 'Well', 'study', 'activations')],
    ['arxiv', 'en', 3, words(20, 'We', 'study', 'networks')],
    ['arxiv', 'en', 4, words(20, 'We', 'study', 'transformer', 'activations')],
    ['cnn_dailymail', 'zh', 5, ZH_POTTER],
    ['cnn_dailymail', 'zh', 0, `${ZH_POTTER}。还有`],
    ['cnn_dailymail', 'zh', 1, ZH_POTTER.replace('波特', '波特字')],
    ['cnn_dailymail', 'zh', 2, ZH_POTTER.replace('演员', '人员')],
    ['cnn_dailymail', 'zh', 3, ZH_POTTER.replace('演员字字', '演员奢侈')],
    ['cnn_dailymail', 'zh', 4, ZH_POTTER.replace('了', '字')],
    ['xsum', 'zh', 5, signs(20, '在操作')],
    ['xsum', 'zh', 1, signs(21, '在操作')],
    ['xsum', 'zh', 2, signs(20, '在牛顿斯图尔特操作')],
    ['xsum', 'zh', 3, signs(20, '操作')],
    ['xsum', 'zh', 4, signs(20, '在')],
    ['samsum', 'zh', 5, `${signs(14, '琐碎的')}。`],
    ['samsum', 'zh', 1, `${signs(15, '琐碎的')}。`],
    ['samsum', 'zh', 2, `${signs(14, '事')}。`],
    ['samsum', 'zh', 3, `${signs(14, '琐碎的拖沓的')}。`],
    ['samsum', 'zh', 4, signs(14, '琐碎的')],
    ['gigaword', 'zh', 5, signs(8, '字')],
    ['gigaword', 'zh', 0, signs(9, '字')],
    ['gigaword', 'zh', 1, signs(8, '，')],
    ['gigaword', 'zh', 2, signs(8, '1')],
    ['gigaword', 'zh', 3, signs(8, '公交车')],
    ['gigaword', 'zh', 4, signs(8, '在')],
    ['arxiv', 'zh', 5, signs(20, '我们激活')],
    ['arxiv', 'zh', 1, signs(21, '我们激活')],
    ['arxiv', 'zh', 2, signs(20, '他们激活')],
    ['arxiv', 'zh', 3, signs(20, '我们')],
    ['arxiv', 'zh', 4, signs(20, '我们激活transformer')],
  ])('%s in %s: %d levels of %j', (source, language, levels, text) => {
    expect(highest(source, language, text)).toBe(levels);
  });

  it('are of five sources', () => {
    expect(summaryRule('E2E', 'en')).toBeUndefined();
    expect(summaryRule('toString', 'zh')).toBeUndefined();
  });
});
