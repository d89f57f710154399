import { splitJsonValues } from './split-json-values.js';

async function split(text: string, chunkSize: number) {
  async function* chunks() {
    const bytes = Buffer.from(text);
    for (let i = 0; i < bytes.length; i += chunkSize) yield bytes.subarray(i, i + chunkSize);
  }
  const pieces: { text: string; line: number; problem?: string }[] = [];
  for await (const { bytes, line, problem } of splitJsonValues(chunks())) {
    pieces.push({ text: bytes.toString().trim(), line, ...(problem ? { problem } : {}) });
  }
  return pieces;
}

describe('splitJsonValues', () => {
  const rows = [{ a: 'x, ] } " \\ é中🙂' }, { b: [1, [2, { c: '}' }]] }, 'text', 3, null, [], {}];

  it.each([1, 2, 3, 7, 1000])('finds the elements of an array in chunks of %i bytes', async (chunkSize) => {
    const pieces = await split(JSON.stringify(rows, null, 2), chunkSize);
    expect(pieces.map((piece) => JSON.parse(piece.text))).toEqual(rows);
  });

  it.each([1, 5, 1000])('finds concatenated objects in chunks of %i bytes', async (chunkSize) => {
    const pieces = await split('{"a": "}"}\n\n{\n"b": [1]\n}{"c":{}}', chunkSize);
    expect(pieces.map(({ text, line }) => [JSON.parse(text), line])).toEqual([
      [{ a: '}' }, 1],
      [{ b: [1] }, 3],
      [{ c: {} }, 5],
    ]);
  });

  it('names the line of each element', async () => {
    const pieces = await split('[\n {"a": 1},\n\n {"a": 2}]', 4);
    expect(pieces.map((piece) => piece.line)).toEqual([2, 4]);
  });

  it('gives nothing for an empty array', async () => {
    expect(await split(' [ ] ', 2)).toEqual([]);
  });

  it('reports an array that is cut off', async () => {
    const pieces = await split('[{"a": 1}, {"a": 2', 3);
    expect(pieces.map((piece) => piece.problem)).toEqual([undefined, expect.stringContaining('not closed')]);
  });

  it('reports text after the array and goes on', async () => {
    const pieces = await split('[1]\n{"a": 1}', 3);
    expect(pieces.map((piece) => piece.problem ?? piece.text)).toEqual([
      '1',
      expect.stringContaining('after the end'),
      '{"a": 1}',
    ]);
  });
});
