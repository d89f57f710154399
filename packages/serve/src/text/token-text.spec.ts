import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { specialIds } from './special-ids.js';
import { TokenNames } from './token-names.js';
import { TokenText } from './token-text.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-serve-'));
let tokenizer: Tokenizer;

beforeAll(async () => {
  const texts = ['a story of a whale and a ship, told at sea. '];
  tokenizer = await trainTokenizer(texts, { vocabSize: 280, folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function piecesOf(ids: ArrayLike<number>, context: number[] = []): Promise<string[]> {
  const text = new TokenText(tokenizer, context);
  const pieces: string[] = [];
  for (const id of Array.from(ids)) pieces.push(await text.push(id));
  return pieces;
}

describe('TokenText', () => {
  it.each(['a whale at sea', 'naïve café: 鯨は海にいる 🐋🐳 end', '🐋', ' two  spaces\n\n', 'e\u0301'])(
    'the pieces of %j make the text, and none holds a part of a character',
    async (text) => {
      const pieces = await piecesOf(await tokenizer.encode(text, { addSpecialTokens: false }));
      expect(pieces.join('')).toBe(text);
      expect(pieces.filter((piece) => piece.includes('\uFFFD'))).toEqual([]);
    },
  );

  it('a character is given out with its last byte', async () => {
    const ids = await tokenizer.encode('🐋', { addSpecialTokens: false });
    expect(await piecesOf(ids)).toEqual(['', '', '', '🐋']);
    expect((await piecesOf(ids.slice(0, 3))).join('')).toBe('');
  });

  it('special tokens have no text; a character that the context began is completed', async () => {
    const [special] = specialIds(tokenizer);
    const whale = [...(await tokenizer.encode(' whale', { addSpecialTokens: false }))];
    expect((await piecesOf([special, ...whale, special, ...whale])).join('')).toBe(' whale whale');
    const bytes = [...(await tokenizer.encode('🐋', { addSpecialTokens: false }))];
    expect((await piecesOf([...bytes.slice(2), ...whale], [...whale, ...bytes.slice(0, 2)])).join('')).toBe('🐋 whale');
  });

  it('ids that only the model knows have no text, and their number as a name', async () => {
    const whale = await tokenizer.encode(' whale', { addSpecialTokens: false });
    const beyond = tokenizer.vocabSize + 7;
    expect((await piecesOf([beyond, ...whale, beyond], [beyond])).join('')).toBe(' whale');
    expect(await new TokenNames(tokenizer).name(beyond)).toBe(`token_id:${beyond}`);
  });

  it('bytes that make no character are given out when none can come of them', async () => {
    const [first] = await tokenizer.encode('🐋', { addSpecialTokens: false });
    const pieces = await piecesOf([first, first, first, first, first]);
    expect(pieces).toEqual(['', '\uFFFD', '\uFFFD', '\uFFFD', '\uFFFD']);
  });
});

describe('TokenNames', () => {
  it('is the text inside a sentence, the name of a special token, and the replacement character for parts', async () => {
    const names = new TokenNames(tokenizer);
    const [special] = specialIds(tokenizer);
    const [whale] = await tokenizer.encode(' whale', { addSpecialTokens: false });
    const [part] = await tokenizer.encode('🐋', { addSpecialTokens: false });
    expect(await names.name(special)).toBe(tokenizer.specialText(special));
    expect(' whale'.startsWith(await names.name(whale))).toBe(true);
    expect(await names.name(part)).toBe('\uFFFD');
  });
});
