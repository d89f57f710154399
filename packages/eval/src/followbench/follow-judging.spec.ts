import type { FollowItem } from './follow-item.js';
import { followRequest, readFollowVerdict } from './follow-judging.js';

const item = (more: Partial<FollowItem>): FollowItem => ({
  id: 'style/1/1',
  category: 'style',
  group: 'style/1',
  exampleId: 1,
  source: 'oasst',
  level: 1,
  instruction: 'Tell it, briefly.',
  target: '',
  path: ['Tell it.', 'Tell it, briefly.'],
  place: { file: 'f', line: 1 },
  ...more,
});
const message = (...parts: Parameters<typeof followRequest>): string => followRequest(...parts).messages[0].content;

describe('what the judge is asked', () => {
  it('one constraint: word for word as the benchmark does', () => {
    const request = followRequest(item({}), 'Once.', 'en');
    expect([request.temperature, request.maxTokens, request.messages.length, request.messages[0].role]).toEqual([
      0,
      1024,
      1,
      'user',
    ]);
    expect(request.messages[0].content).toBe(
      'Given an initial instruction, we add one style constraint and obtain the final instruction with 1 additional constraint.\n\n' +
        '#Initial Instruction#\nTell it.\n\n' +
        '#Initial Instruction + 1 constraint#\nTell it, briefly.\n\n' +
        '#Answer of Initial Instruction + 1 constraint#\nOnce.\n\n' +
        '#System#\n1) Please identify the 1 added constraint.\n2) Please descriminate if the #Answer of Initial Instruction + 1 constraint# satisfies the 1 added constraint.\n' +
        "3) In the final line, only output a Python LIST with 1 element ('YES' or 'NO') indicating whether the answer satisfies the 1 added constraint.",
    );
  });

  it('two constraints: the path, each step with its number', () => {
    const two = item({ category: 'mixed', level: 2, path: ['A', 'A B', 'A B C'] });
    expect(message(two, 'x', 'en')).toBe(
      'Given an initial instruction, we add one constraint per time and obtain the final instruction with 2 additional constraints.\n\n' +
        '#Initial Instruction#\nA\n\n#Initial Instruction + 1 constraint#\nA B\n\n#Initial Instruction + 2 constraints#\nA B C\n\n' +
        '#Answer of Initial Instruction + 2 constraints#\nx\n\n' +
        '#System#\n1) Please identify all 2 added constraints.\n2) For the 2 added constraints, discriminate if the #Answer of Initial Instruction + 2 constraints# satisfies each constraint.\n' +
        "3) In the final line, only output a Python LIST with 2 elements ('YES' or 'NO') indicating whether the answer satisfies each constraint.",
    );
    expect(message({ ...two, category: 'situation' }, 'x', 'en')).toContain(
      'we add one situation constraint (information to describe a specific situation/background) per time and obtain',
    );
  });

  it('zh', () => {
    expect(message(item({ category: 'content' }), '是', 'zh')).toBe(
      '给定一个初始指令，我们添加一个内容约束，获得了有1个附加约束的最终指令。\n\n#初始指令#\nTell it.\n\n' +
        '#初始指令 + 1个约束#\nTell it, briefly.\n\n#初始指令 + 1个约束的答案#\n是\n\n' +
        '#系统#\n1) 请识别出添加的1个约束。\n2) 请判断#初始指令 + 1个约束的答案#是否满足了添加的1个约束。\n' +
        '3) 在最后一行，只输出一个包含1个元素（“YES”或“NO”）的Python列表，表明答案是否满足添加的一个约束。',
    );
    expect(message(item({ category: 'mixed', level: 2, path: ['A', 'B', 'C'] }), '是', 'zh')).toMatch(
      /^给定一个初始指令，我们每次添加一个约束，获得了有2个附加约束的最终指令。/,
    );
  });

  it('an answer is quoted as it is', () => {
    expect(message(item({}), '$& {level} #System#', 'en')).toContain('constraint#\n$& {level} #System#\n\n#System#');
  });
});

describe('what a judgement says', () => {
  const [yes, no] = [true, false];
  it.each<[string, number, boolean[] | undefined]>([
    ["It is.\n['YES']", 1, [yes]],
    ['It is.\nYES', 1, [yes]],
    ["It is not.\n'NO'", 1, [no]],
    ['```\n[NO]\n```', 1, [no]],
    ["1) one\n2) two\n['YES', 'NO', 'YES']", 3, [yes, no, yes]],
    ['3) ["yes", "No"]', 2, [yes, no]],
    ['**[YES, NO]**', 2, [yes, no]],
    ['[“YES”， “NO”]', 2, [yes, no]],
    ["['YES', 'PARTIAL', 'N/A']", 3, [yes, no, no]],
    ["[\n  'YES',\n  'NO',\n]\n", 2, [yes, no]],
    ["['NO', 'NO'] was my first thought.\n['YES', 'YES']", 2, [yes, yes]],
    ["['YES', 'YES'] in the end.", 2, [yes, yes]],
    ["['YES', 'NO']", 3, undefined],
    ["['YES', 'NO', 'NO']", 2, undefined],
    ["['YES', 'PERHAPS']", 2, undefined],
    ["['YES', 'NO']\nI hope this helps.", 2, undefined],
    ['[exec("x"), "YES"]', 2, undefined],
    ['YES, NO', 2, undefined],
    ['Not YES but NO', 1, undefined],
    ['I cannot say.', 1, undefined],
    ['[]', 1, undefined],
    ['', 1, undefined],
  ])('%j for %d: %j', (judgement, level, expected) => expect(readFollowVerdict(judgement, level)).toEqual(expected));
});
