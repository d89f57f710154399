import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { PromptEncoder } from '../engine/prompt-encoder.js';
import { ChatPrompter } from './chat-prompter.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-chat-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a prompt is a user’s turn of the model’s template, which begins as the template says', async () => {
  await trainTokenizer(['a b c'], { vocabSize: 264, folder });
  const tokenizer = await loadTokenizer(folder);
  const decode = (ids: number[]): Promise<string> => tokenizer.decode(ids, { skipSpecialTokens: false });
  const [ids, other] = await (await ChatPrompter.open(tokenizer)).encode(['a {{ b }}', 'c']);
  expect([await decode(ids), await decode(other)]).toEqual([
    '<s><|user|>a {{ b }}<|assistant|>',
    '<s><|user|>c<|assistant|>',
  ]);
  const [plain] = await (await PromptEncoder.open(tokenizer)).encode(['c']);
  expect(await decode(plain)).toBe('<s>c');
});
