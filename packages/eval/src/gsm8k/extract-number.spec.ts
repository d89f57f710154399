import { judgeMath, scoreMath } from './answer-gsm8k.js';
import {
  isSameNumber,
  lastNumber,
  lmEvalFlexible,
  lmEvalIsSame,
  lmEvalStrict,
  statedAnswer,
} from './extract-number.js';

describe('OpenCompass readings', () => {
  it.each([
    ['so 3+4=7\nThe answer is 7\n', '7', '7'],
    ['The answer is 130,000', '130000', '130000'],
    ['The answer is -12.', '-12', '-12'],
    ['The answer is $1,234.50.', '1234.50', '1234.50'],
    ['The answer is: 5 apples and 6 pears', '5', '6'],
    ['She has 1,2 or 3', null, '3'],
    ['12,3456', null, '3456'],
    ['I do not know', null, null],
    ['7 it is\n\nQuestion: What is 8?', null, '7'],
    ['The answer is seven', null, null],
  ])('%j: strict %j, flexible %j', (text, strict, flexible) => {
    expect(statedAnswer(text)).toBe(strict);
    expect(lastNumber(text)).toBe(flexible);
  });

  it('numbers are compared as numbers', () => {
    expect(isSameNumber('18.0', '18')).toBe(true);
    expect(isSameNumber('130000', '130000')).toBe(true);
    expect(isSameNumber('0', '130000')).toBe(false);
    expect(isSameNumber('-3', '3')).toBe(false);
  });
});

describe('lm-eval readings', () => {
  it.each([
    ['5 + 5 = <<5+5=10>>10\n#### 10\n\nThen 20', '10', '20'],
    ['#### -2', '-2', '-2'],
    ['#### 1,000.', '1,000.', '1,000.'],
    ['about $12.50 each', null, '$12.50'],
    ['#### seven', null, null],
    ['it is 7', null, '7'],
    ['it is 7.', null, '7.'],
    ['well...', null, '...'],
  ])('%j: strict %j, flexible %j', (text, strict, flexible) => {
    expect(lmEvalStrict(text)).toBe(strict);
    expect(lmEvalFlexible(text)).toBe(flexible);
  });

  it('commas, dollar signs and a full stop at the end do not count; decimals do', () => {
    expect(lmEvalIsSame('1,000.', '1000')).toBe(true);
    expect(lmEvalIsSame('$5', '5')).toBe(true);
    expect(lmEvalIsSame('5.0', '5')).toBe(false);
    expect(lmEvalIsSame('...', '5')).toBe(false);
  });
});

it('answers that cannot be read are counted apart from wrong ones', () => {
  const texts = ['The answer is 5', 'maybe 5', 'The answer is 6, not 5', 'no idea'];
  const items = texts.map((text, i) => ({ id: String(i), ...judgeMath('5', text, 'opencompass') }));
  expect(items.map(({ prediction, score }) => [prediction, score])).toEqual([
    ['5', 1],
    ['5', 1],
    ['5', 1],
    [null, 0],
  ]);
  expect(scoreMath(items)).toMatchObject({
    strict: { accuracy: { value: 0.25, n: 4 }, numWrong: 1, numUnread: 2 },
    flexible: { accuracy: { value: 0.75, n: 4 }, numWrong: 0, numUnread: 1 },
  });
  expect(judgeMath('1000', 'so 7\n#### 1,000', 'lm-eval')).toMatchObject({ prediction: '1,000', score: 1 });
});
