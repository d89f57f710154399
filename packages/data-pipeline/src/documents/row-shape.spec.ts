import { shapeRow } from './row-shape.js';

describe('shapeRow', () => {
  it.each([
    [{ text: 'a' }, { shape: 'text', text: 'a' }],
    ['a', { shape: 'string', text: 'a' }],
    [
      {
        messages: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content: 'a' },
        ],
      },
      {
        shape: 'messages',
        turns: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content: 'a' },
        ],
      },
    ],
    [
      {
        conversations: [
          { from: 'human', value: 'q' },
          { from: 'gpt', value: 'a' },
        ],
      },
      {
        shape: 'conversations',
        turns: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content: 'a' },
        ],
      },
    ],
    [{ instruction: 'q', input: '', output: 'a' }, pair('instruction/output', 'q', 'a')],
    [{ instruction: 'q', input: 'i', response: 'a' }, pair('instruction/response', 'q\ni', 'a')],
    [{ query: 'q', response: 'a' }, pair('query/response', 'q', 'a')],
    [{ question: 'q', answer: 'a' }, pair('question/answer', 'q', 'a')],
  ])('reads %j', (row, expected) => {
    expect(shapeRow(row)).toEqual(expected);
  });

  it('reads named columns, also nested ones', () => {
    const row = { instruction: 'q', instances: [{ output: 'a' }] };
    expect(shapeRow(row, { prompt: 'instruction', response: 'instances.0.output' })).toEqual(pair('columns', 'q', 'a'));
    expect(shapeRow({ final: { answer: 'a' } }, { text: 'final.answer' })).toEqual({ shape: 'columns', text: 'a' });
  });

  it('prefers turns over text when asked', () => {
    const row = { text: 't', question: 'q', answer: 'a' };
    expect(shapeRow(row)).toEqual({ shape: 'text', text: 't' });
    expect(shapeRow(row, undefined, 'turns')).toEqual(pair('question/answer', 'q', 'a'));
  });

  it.each([
    [{ text: 5 }, 'column "text" must be a string, received a number'],
    [{ text: '  ' }, 'column "text" is empty'],
    [{ question: 'q', answer: '' }, 'column "answer" is empty'],
    [{ messages: [] }, 'received an empty list'],
    [{ messages: [{ role: 'wizard', content: 'a' }] }, 'unknown role "wizard"'],
    [{ messages: [{ role: 'user' }] }, 'message 0 of "messages" has no text'],
    [{ messages: [{ role: 'constructor', content: 'a' }] }, 'unknown role "constructor"'],
    [{ a: 1, b: 2 }, 'no known row shape has the columns {a, b}'],
    [null, 'received null'],
    [7, 'received a number'],
    [[], 'received an empty list'],
  ])('gives the reason why %j is no document', (row, reason) => {
    expect(shapeRow(row)).toEqual({ problem: expect.stringContaining(reason) });
  });

  it('says which named column is missing', () => {
    expect(shapeRow({ a: 1 }, { text: 'b.c' })).toEqual({ problem: 'column "b.c" is missing' });
  });
});

function pair(shape: string, prompt: string, response: string) {
  const turns = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: response },
  ];
  return { shape, turns };
}
