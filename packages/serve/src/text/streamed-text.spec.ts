import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { TokenText } from './token-text.js';

const root = path.resolve(__dirname, '../../../..');
const shared = process.env['LETHE_DATA'] ?? path.resolve(root, '../shared');
const cases = JSON.parse(readFileSync(path.join(root, 'tests/cases/stream-strings.json'), 'utf8')) as string[];
const strings = [...cases, '\ufffd', '\ufffd🫠', '  two\n🫠', '\n', 'é\n\nè', '', ' 鲸 🐋🐋🐋'];

const folders = ['tokenizers', 'models'].flatMap((kind) => {
  const folder = path.join(shared, kind);
  return existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
});
const found = folders.filter((folder) => existsSync(path.join(folder, 'tokenizer.json')));
const kinds = found.flatMap((folder) => (['rust', 'js'] as const).map((core) => ({ folder, core })));

/** All pieces of some tokens after a context, and what is left at the end. */
async function streamed(tokenizer: Tokenizer, ids: number[], context: number[] = []): Promise<string> {
  const text = new TokenText(tokenizer, context);
  let all = '';
  for (const id of ids) all += await text.push(id);
  return all + text.end();
}

const decode = (tokenizer: Tokenizer, ids: number[]): Promise<string> =>
  tokenizer.decode(ids, { skipSpecialTokens: true });

/**
 * The beginning of a text, decoded. Byte-fallback decoders replace all of a run of bytes that ends in a part of a
 * character; complete characters before the part are kept here.
 */
async function decodedPart(tokenizer: Tokenizer, part: number[], whole: string): Promise<string> {
  if (!tokenizer.replacesEachByte) return decode(tokenizer, part);
  for (let cut = 0; cut < 4; cut++) {
    const rest = await decode(tokenizer, part.slice(0, part.length - cut));
    if (whole.startsWith(rest)) return rest + '\ufffd'.repeat(cut);
  }
  throw new Error('a character has at most four bytes');
}

(kinds.length > 0 ? describe.each(kinds) : describe.skip.each([{ folder: 'no tokenizers', core: 'js' as const }]))(
  'streamed text of $folder, $core',
  ({ folder, core }) => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await loadTokenizer(folder, { core });
    });

    it.each(strings)('the pieces of %j joined are the whole decoded, at every length', async (string) => {
      const ids = Array.from(await tokenizer.encode(string, { addSpecialTokens: false }));
      const whole = await decode(tokenizer, ids);
      expect(await streamed(tokenizer, ids)).toBe(whole);
      for (let length = 1; length < ids.length; length++) {
        const part = ids.slice(0, length);
        expect([length, await streamed(tokenizer, part)]).toEqual([length, await decodedPart(tokenizer, part, whole)]);
      }
    });

    it.each(strings)('the pieces of %j after any beginning of it are the rest', async (string) => {
      const ids = Array.from(await tokenizer.encode(string, { addSpecialTokens: false }));
      for (let start = 1; start < ids.length; start++) {
        const context = new TokenText(tokenizer);
        let before = '';
        for (const id of ids.slice(0, start)) before += await context.push(id);
        const after = await streamed(tokenizer, ids.slice(start), ids.slice(0, start));
        expect([start, before + after]).toEqual([start, await decode(tokenizer, ids)]);
      }
    });
  },
);
