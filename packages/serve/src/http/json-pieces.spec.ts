import { jsonPieces, ListToWrite } from './json-pieces.js';

describe('jsonPieces', () => {
  it.each([null, true, 3, 'a "b"', [], {}, [1, ['x', null], {}], { a: undefined, b: [{ c: 'd' }], e: {} }])(
    'writes %j as JSON.stringify does',
    (value) => expect([...jsonPieces(value)].join('')).toBe(JSON.stringify(value)),
  );

  it('makes the elements of a list while it writes them, many at a time', () => {
    let made = 0;
    const items = Array.from({ length: 1000 }, (_, i) => i);
    const list = new ListToWrite(items, (i) => (made++, { i }));
    const pieces = jsonPieces({ list });
    for (let text = ''; !text.includes('{"i":0}');) text = pieces.next().value as string;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(1000);
    expect([...jsonPieces({ list })].join('')).toBe(JSON.stringify({ list: items.map((i) => ({ i })) }));
    expect(JSON.stringify(list)).toBe([...jsonPieces(list)].join(''));
    expect([...jsonPieces(new ListToWrite([], String))].join('')).toBe('[]');
  });
});
