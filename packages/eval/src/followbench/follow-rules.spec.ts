import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readFollowBench } from './follow-files.js';
import type { FollowItem, FollowLanguage } from './follow-item.js';
import { followsRule, isRuleChecked } from './follow-rules.js';

const data = resolve(__dirname, '../../../..', process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/followbench/data');
const whenThere = existsSync(data) ? describe : describe.skip;

const item = (more: Partial<FollowItem>): FollowItem => ({
  id: 'x/1/1',
  category: 'content',
  group: 'x/1',
  exampleId: 1,
  source: 'E2E',
  level: 1,
  instruction: 'do',
  target: '',
  path: ['', 'do'],
  place: { file: 'f.json', line: 3 },
  ...more,
});
/** The highest level in a row from 1 on that an answer satisfies. */
function highest(answer: string, more: Partial<FollowItem>, language: FollowLanguage = 'en'): number {
  let level = 0;
  while (level < 5 && followsRule(item({ ...more, level: level + 1 }), answer, language)) level++;
  return level;
}

describe('rules that compare with a target', () => {
  it.each<[string, string, string, boolean]>([
    ['E2E', 'name[The Mill], eatType[pub]', ' name[The Mill], eatType[pub]\n', true],
    ['E2E', 'name[The Mill], eatType[pub]', 'Result: name[The Mill], eatType[pub]', false],
    ['text_editing', 'a b', 'a  b', false],
    ['CONLL2003', "['Volkswagen AG', \"People's Bank\"]", "People's Bank", true],
    ['CONLL2003', "['Volkswagen AG', 'Opel AG']", 'Volkswagen', false],
    ['CONLL2003', "['Volkswagen AG', 'Opel AG']", 'Volkswagen AG, Opel AG', false],
    ['BBH_logical', '(B)', 'Not (A), so (B).', true],
    ['BBH_logical', '(B)', '(B) rather than (A)', false],
    ['BBH_logical', '(B)', 'B', false],
    ['BBH_time', '01/09/1938', 'From 12/24/1937 to 01/09/1938', true],
    ['BBH_time', '01/09/1938', '1/9/1938', false],
    ['self_made_space', '14th floor, Apartment 2', 'He is on the 14th floor, Apartment 2.', true],
    ['self_made_space', '14th floor, Apartment 2', 'the 14th floor of Apartment 2', false],
    ['gsm_8k', '$14', 'She had $10 and earned $14.', true],
    ['gsm_8k', '$14', '14 dollars', false],
  ])('%s: %j by %j: %s', (source, target, answer, expected) => {
    expect(followsRule(item({ source, target }), answer, 'en')).toBe(expected);
  });

  it('a target that is no list is refused with its place', () => {
    expect(() => followsRule(item({ source: 'CONLL2003', target: '[__import__("os")]' }), 'a', 'en')).toThrow(
      /f\.json:3: target: expected a list of strings/,
    );
  });

  it('WIKIEVENTS: as many different events of the document as the level asks for', () => {
    const events = { source: 'WIKIEVENTS', target: 'a died\nb died\nc died' };
    const at = (level: number, answer: string): boolean => followsRule(item({ ...events, level }), answer, 'en');
    expect([at(1, 'b died'), at(2, 'b died\na died'), at(3, 'a died\nb died\nc died')]).toEqual([true, true, true]);
    expect([at(2, 'b died'), at(2, 'b died\nb died'), at(2, 'a died\nd died'), at(1, 'a died\nb died')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each<[string, string, boolean]>([
    ['{instruction}\nAnswer: {answer}', 'Answer: yes (really)', true],
    ['{instruction}\nAnswer: {answer}', 'answer: yes', false],
    ['{instruction}\nAnswer: {answer}', 'Answer: yes\nAnd more', false],
    ['{instruction}\nAnswer: {answer}', 'The Answer: yes', false],
    ["{instruction}\n{{'bot': '{answer}'}}", "{'bot': 'it's'}", true],
    ["{instruction}\n{{'bot': '{answer}'}}", '{"bot": "it"}', false],
    ['{instruction}\n[Answer]\n{answer}', '[Answer]\nyes', true],
    ['{instruction}\n[Answer]\n{answer}', 'A\nyes', false],
    ['{instruction}\n{answer}', 'anything', true],
    ['{instruction}\n{answer}', '', false],
  ])('the template %j filled with %j: %s', (target, answer, expected) => {
    expect(followsRule(item({ category: 'example', source: 'samsum', target }), answer, 'en')).toBe(expected);
  });

  it('zh: amounts in 美元', () => {
    const amount = item({ source: 'gsm_8k', target: '14美元' });
    expect(followsRule(amount, '先有10美元，后有14美元。', 'zh')).toBe(true);
    expect(followsRule(amount, '$14', 'zh')).toBe(false);
  });
});

describe('summaries: level n asks for the first n constraints', () => {
  it.each<[string, string, number]>([
    ['cnn_dailymail', 'One. Two.', 0],
    ['cnn_dailymail', `${'word '.repeat(15)}. Two. Three.`, 1],
    ['cnn_dailymail', `${'word '.repeat(14)}. Two. Three.`, 2],
    ['cnn_dailymail', 'The Potter star. A lavish actor. His films.', 3],
    ['cnn_dailymail', 'The Potter star. An actor. His films.', 4],
    ['cnn_dailymail', 'The Potter star. An actor. His films have earned it.', 5],
    ['cnn_dailymail', 'A Potters star. An actor. His films have earned it.', 2],
    ['xsum', 'One. Two.', 0],
    ['xsum', `${'word '.repeat(20)}`, 1],
    ['xsum', 'Newton Stewart is flooding.', 2],
    ['xsum', 'The town flooded.', 3],
    ['xsum', 'The town is flooding.', 4],
    ['xsum', 'The town is planning an operation.', 5],
    ['samsum', 'Kim procrastinates on stuff.', 3],
    ['samsum', 'Kim, at last, does stuff.', 4],
    ['samsum', 'Kim does stuff.', 5],
    ['samsum', 'Kim does staff.', 2],
    ['gigaword', 'only seven words are in this one', 0],
    ['gigaword', 'a bomb killed two people in the philippines.', 1],
    ['gigaword', 'A bomb killed two people in the philippines', 2],
    ['gigaword', 'bomb on bus kills two in southern philippines', 3],
    ['gigaword', 'a bomb killed two people near the philippines', 4],
    ['gigaword', 'a bomb killed two people in the philippines', 5],
    ['arxiv', 'They edit.', 2],
    ['arxiv', 'Well, it edits activations.', 2],
    ['arxiv', 'We edit facts.', 3],
    ['arxiv', 'We edit transformer activations.', 4],
    ['arxiv', 'We edit activations.', 5],
  ])('%s: %j reaches level %d', (source, answer, level) => {
    expect(highest(answer, { category: 'mixed', source })).toBe(level);
  });

  it.each<[string, string, number]>([
    ['cnn_dailymail', '波特很富有。演员不奢侈。电影赚钱。', 3],
    ['cnn_dailymail', '波特很富有。演员很节俭。电影赚钱。', 4],
    ['cnn_dailymail', '波特很富有。演员很节俭。电影赚了钱。', 5],
    ['cnn_dailymail', '波特富有。演员节俭。', 0],
    ['xsum', '小镇被淹。', 3],
    ['xsum', '小镇正在修复操作中。', 5],
    ['samsum', '金做琐碎的事。', 5],
    ['samsum', '金，做琐碎的事。', 4],
    ['gigaword', '菲律宾客车爆炸案', 5],
    ['gigaword', '菲律宾公交车爆炸', 3],
    ['gigaword', '在菲律宾客车爆炸', 4],
    ['gigaword', '菲律宾爆炸2人亡', 2],
    ['arxiv', '我们编辑激活。', 5],
    ['arxiv', '他们编辑激活。', 2],
  ])('zh %s: %j reaches level %d', (source, answer, level) => {
    expect(highest(answer, { category: 'mixed', source }, 'zh')).toBe(level);
  });
});

describe('formats', () => {
  const long = `${'word '.repeat(20)}ends.`;
  const paragraph = (number: number): string => `${number}. ${long}`;
  const numbered = [1, 2, 3].map(paragraph).join('\n\n');
  const table = { category: 'format', exampleId: 22, source: 'helpful_base' } as const;

  it.each<[string, number]>([
    [`${long}\n\n${long}`, 0],
    [`${long} ${long} ${long}\n\n${long}\n\n${long}`, 1],
    [`Short.\n\n${long}\n\n${long}`, 2],
    [`${long}\n\n${long}\n\n${long}`, 3],
    [numbered, 4],
  ])('a wooden table: %j reaches level %d', (answer, level) => {
    expect(highest(answer, table)).toBe(level);
  });

  it('a wooden table: the closing of level 5 is no paragraph, and no sentence that could be too short', () => {
    const isLast = (answer: string): boolean => followsRule(item({ ...table, level: 5 }), answer, 'en');
    expect(isLast(`${numbered} Those are suggestions`)).toBe(true);
    expect(isLast(`${numbered}\n\nThose are suggestions.`)).toBe(true);
    expect(isLast(numbered)).toBe(false);
    expect(isLast(`Those are suggestions\n\n${numbered}`)).toBe(false);
    expect(isLast(`${paragraph(1)}\n\n${paragraph(2)}\n\nThose are suggestions`)).toBe(false);
  });

  it('zh: a wooden table', () => {
    const sentence = `${'好'.repeat(25)}。`;
    const three = [1, 2, 3].map((number) => `${number}. ${sentence}${sentence}`).join('\n\n');
    expect(highest(`${three}\n\n这些是建议`, table, 'zh')).toBe(0);
    expect(followsRule(item({ ...table, level: 5 }), `${three}\n\n这些是建议`, 'zh')).toBe(true);
    expect(highest(three, table, 'zh')).toBe(4);
    expect(highest(three.replaceAll(sentence, '短。'), table, 'zh')).toBe(2);
  });

  const speech = { category: 'format', exampleId: 30, source: 'koala' } as const;
  const ten = 'It brings new work to every town of this land.';
  const points = (point: (number: number) => string): string => [1, 2, 3, 4, 5].map(point).join('\n');
  it.each<[string, number]>([
    ['No marks at all.', 0],
    [points((n) => `**${n}. Growth:** ${ten} ${ten}`), 1],
    [points((n) => `**${n}. Growth:** It grows.`), 2],
    [points((n) => `**${n}. Growth:** It quickly brings new work to every town of ours.`), 3],
    [points(() => `** ${ten}`), 4],
    [`Ladies and gentlemen,\n\n${points((n) => `**${n}. Growth:** ${ten}`)}`, 5],
    [points((n) => `${n}. **Growth**: ${ten}`), 5],
  ])('a speech: %j reaches level %d', (answer, level) => {
    expect(highest(answer, speech)).toBe(level);
  });

  it('other formats are judged, and in Chinese the speech too', () => {
    expect(isRuleChecked(item({ category: 'format', exampleId: 21, source: 'koala' }), 'en')).toBe(false);
    expect(isRuleChecked(item(speech), 'en')).toBe(true);
    expect(isRuleChecked(item(speech), 'zh')).toBe(false);
    expect(() => followsRule(item({ source: 'COGNAC' }), 'a', 'en')).toThrow(/x\/1\/1 has no rule/);
    expect(isRuleChecked(item({ source: 'toString' }), 'en')).toBe(false);
  });
});

whenThere('on FollowBench’s own rows', () => {
  let ruled: FollowItem[];
  beforeAll(() => void (ruled = readFollowBench(data).filter((one) => isRuleChecked(one, 'en'))));

  it('its own answers pass: the targets, an entity of each list, the worked examples’ templates', () => {
    const answers = (one: FollowItem): string | undefined => {
      if (one.category === 'example')
        return one.target
          .replace('{instruction}\n', '')
          .replaceAll('{{', '{')
          .replaceAll('}}', '}')
          .replace('{answer}', 'x');
      if (one.source === 'CONLL2003') return /['"]([^'"]+)['"]/.exec(one.target)![1];
      if (one.source === 'WIKIEVENTS') return one.target.split('\n').slice(0, one.level).join('\n');
      return one.target === '' ? undefined : one.target;
    };
    const failing = ruled.filter((one) => answers(one) !== undefined && !followsRule(one, answers(one)!, 'en'));
    expect(failing.map(({ id }) => id)).toEqual([]);
    expect(ruled.filter((one) => answers(one) !== undefined)).toHaveLength(200 + 60 + 40 + 15);
  });

  it('no rule passes an answer to another task', () => {
    const passing = ruled.filter((one) => followsRule(one, 'I am sorry, I cannot.\nReally not!', 'en'));
    expect(passing.map(({ id }) => id)).toEqual([]);
  });
});
