import { detectLanguage } from './detect-language.js';
import type { LanguageProfiles } from './language-profiles.js';
import { letterGrams } from './letter-grams.js';
import { MersenneTwister } from './mersenne-twister.js';

it('draws are those of Python’s random.Random(0)', () => {
  const random = new MersenneTwister(0);
  expect(random.uniform()).toBe(0.8444218515250481);
  expect(random.normal()).toBeCloseTo(0.05219198828260849, 14);
  expect(random.normal()).toBeCloseTo(-1.0434089742005737, 14);
  expect(Array.from({ length: 5 }, () => random.below(1000))).toEqual([265, 988, 523, 497, 414]);
  const one = new MersenneTwister(1);
  expect([one.uniform(), one.uniform()]).toEqual([0.13436424411240122, 0.8474337369372327]);
});

describe('letterGrams', () => {
  it('takes one to three letters, with the spaces around words', () => {
    expect(letterGrams('ab c')).toEqual(['a', ' a', 'b', 'ab', ' ab', 'b ', 'ab ', 'c', ' c']);
  });

  it('takes nothing from where capitals meet, but the first letter of words', () => {
    expect(letterGrams('ABc d')).toEqual(['A', ' A', 'c', 'Bc', 'ABc', 'c ', 'Bc ', 'd', ' d']);
  });

  it('leaves out digits, marks and addresses, and Latin letters among others', () => {
    expect(letterGrams('1, 2; 3!')).toEqual([]);
    expect(letterGrams('https://a.bc/d me@ex.org')).toEqual([]);
    expect(letterGrams('a абвг')).not.toContain('a');
    expect(letterGrams('abc абвг')).toContain('a');
  });

  it('joins accents to Vietnamese letters, and takes a script’s letters for one', () => {
    expect(letterGrams('a\u0301')).toEqual(letterGrams('\u00e1'));
    expect(letterGrams('\u1ea1')).toEqual(letterGrams('\u1ebf'));
    expect(letterGrams('\ud55c')).toEqual(letterGrams('\uae00'));
    expect(letterGrams('\u0219')).toEqual(letterGrams('\u015f'));
  });
});

describe('detectLanguage', () => {
  const gram = (first: number, second: number): Map<number, number> =>
    new Map([
      [0, first],
      [1, second],
    ]);
  const profiles: LanguageProfiles = {
    languages: ['aa', 'bb'],
    grams: new Map([
      ['a', gram(0.9, 0.01)],
      ['b', gram(0.01, 0.9)],
    ]),
  };

  it('is the language whose n-grams the text has, the same each time', () => {
    expect(detectLanguage('aaa a b', profiles)).toBe('aa');
    expect(detectLanguage('bbb b a', profiles)).toBe('bb');
    expect(new Set(Array.from({ length: 5 }, () => detectLanguage('ab', profiles))).size).toBe(1);
  });

  it('is undefined for a text without known n-grams', () => {
    expect(detectLanguage('', profiles)).toBeUndefined();
    expect(detectLanguage('12 xyz', profiles)).toBeUndefined();
  });
});
