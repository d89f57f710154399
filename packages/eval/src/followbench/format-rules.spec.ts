import { checkSpeech, checkWoodenTable } from './format-rules.js';

/** `count` words that end as a sentence. */
const sentence = (count: number): string => `${Array.from({ length: count }, (_, i) => `w${i}`).join(' ')}.`;

describe('format/22, a wooden table', () => {
  const paragraphs = (...texts: string[]): string => texts.join('\n\n');
  const short = paragraphs('Dust it.', 'Oil it.', 'Shade it.');

  it('has three paragraphs', () => {
    expect(checkWoodenTable(short, 1, 'en')).toBe(true);
    expect(checkWoodenTable(paragraphs('Dust it.', 'Oil it.'), 1, 'en')).toBe(false);
    expect(checkWoodenTable(paragraphs(short, 'Enjoy it.'), 1, 'en')).toBe(false);
    expect(checkWoodenTable(paragraphs('1. Dust it.', '2. ', 'Oil it.', 'Shade it.'), 1, 'en')).toBe(true);
  });

  it('has at most two sentences a paragraph from level 2 on, three in Chinese until level 3', () => {
    const two = paragraphs('Dust it. Wipe it.', 'Oil it.', 'Shade it.');
    const three = paragraphs('Dust it. Wipe it. Wax it.', 'Oil it.', 'Shade it.');
    expect([1, 2].map((level) => checkWoodenTable(two, level, 'en'))).toEqual([true, true]);
    expect([1, 2].map((level) => checkWoodenTable(three, level, 'en'))).toEqual([true, false]);
    const long = (mark: string): string => `${'木'.repeat(20)}${mark}`;
    const chinese = (count: number): string =>
      ['一、', '二、', '三、'].map((marker) => `${marker.replace(/./, '1')}${long('。').repeat(count)}`).join('\n\n');
    expect([2, 3, 4].map((level) => checkWoodenTable(chinese(3), level, 'zh'))).toEqual([true, true, false]);
    expect(checkWoodenTable(chinese(4), 2, 'zh')).toBe(false);
    expect(checkWoodenTable(chinese(2), 4, 'zh')).toBe(true);
  });

  it('has sentences of 21 words or more from level 3 on, 20 characters in Chinese', () => {
    const of = (count: number): string => paragraphs(sentence(count), sentence(21), sentence(30));
    expect([20, 21].map((count) => checkWoodenTable(of(count), 3, 'en'))).toEqual([false, true]);
    expect(checkWoodenTable(of(20), 2, 'en')).toBe(true);
    const chinese = (count: number): string => ['木', '油', '布'].map((sign) => `${sign.repeat(count)}。`).join('\n\n');
    expect([19, 20].map((count) => checkWoodenTable(chinese(count), 3, 'zh'))).toEqual([false, true]);
  });

  it('has number markers from level 4 on, and the closing at level 5', () => {
    const plain = paragraphs(sentence(21), sentence(21), sentence(21));
    const marked = paragraphs(`1. ${sentence(21)}`, `2) ${sentence(21)}`, `3、${sentence(21)}`);
    expect([3, 4].map((level) => checkWoodenTable(plain, level, 'en'))).toEqual([true, false]);
    expect([4, 5].map((level) => checkWoodenTable(marked, level, 'en'))).toEqual([true, false]);
    expect(checkWoodenTable(`${marked} Those are suggestions.`, 5, 'en')).toBe(true);
    expect(checkWoodenTable(`${marked}\n\nThose are suggestions`, 5, 'en')).toBe(true);
    expect(checkWoodenTable(`Those are suggestions. ${marked}`, 5, 'en')).toBe(false);
  });
});

describe('format/30, a speech', () => {
  const point = (count: number): string => `**Health**: ${sentence(count - 1)}`;

  it('has marked points, of one sentence each from level 2 on', () => {
    expect(checkSpeech('No points at all.', 1)).toBe(false);
    expect(checkSpeech('**One** sentence. And another.', 1)).toBe(true);
    expect(checkSpeech('**One** sentence. And another.', 2)).toBe(false);
    expect(checkSpeech('**One** sentence.', 2)).toBe(true);
  });

  it('has sentences of 10 to 15 words from level 3 on', () => {
    expect([9, 10, 15, 16].map((count) => checkSpeech(point(count), 3))).toEqual([false, true, true, false]);
    expect(checkSpeech(point(9), 2)).toBe(true);
    expect(checkSpeech('**No end**', 3)).toBe(false);
  });

  it('has no word that ends in ly from level 4 on', () => {
    const text = point(11).replace('w3', 'quickly');
    expect([3, 4].map((level) => checkSpeech(text, level))).toEqual([true, false]);
    expect(checkSpeech(point(11).replace('w3', 'polygon'), 4)).toBe(true);
  });

  it('has a keyword first in five points at level 5', () => {
    const points = (count: number): string => Array.from({ length: count }, () => point(12)).join('\n');
    expect([4, 5, 6].map((count) => checkSpeech(points(count), 5))).toEqual([false, true, false]);
    expect(checkSpeech(points(4), 4)).toBe(true);
  });
});
