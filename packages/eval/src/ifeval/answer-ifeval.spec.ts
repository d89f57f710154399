import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import { answerChats } from '../chat/answer-chats.js';
import { answerTexts } from '../engine/answer-texts.js';
import { answerIfeval, type PromptFormat } from './answer-ifeval.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-ifeval-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SIZES = { hiddenSize: 16, intermediateSize: 32, numLayers: 2, numHeads: 2, numKeyValueHeads: 1, headDim: 8 };
let tokenizer: Tokenizer;
let model: Llama;
beforeAll(async () => {
  await useDevice('lethe-cpu');
  await trainTokenizer(['a b c'], { vocabSize: 262, folder: join(folder, 'tokenizer') });
  tokenizer = await loadTokenizer(join(folder, 'tokenizer'));
  model = initializeLlama(baselm({ ...SIZES, vocabSize: 262, maxPositions: 96, initializerRange: 0.5 }), 3);
}, 60_000);
afterAll(() => model.dispose());

const comma = { id: 'punctuation:no_comma' } as const;
const prompts = [{ key: 7, prompt: 'a b', instructions: [comma], place: { file: 'input_data.jsonl', line: 1 } }];
const tools = { sentences: () => [], language: () => 'en' };

/** The response to the one prompt, and its item's verdict. */
async function respond(format: PromptFormat): Promise<string> {
  const ifeval = { prompts, tools, toolsHash: '' };
  const [item] = await answerIfeval({ model, tokenizer }, ifeval, { format, maxNewTokens: 12 });
  const [text] = item.texts!;
  expect(item).toMatchObject({ id: '7', gold: comma.id, score: text.includes(',') || text.trim() === '' ? 0 : 1 });
  return text;
}

it('a chat model is asked as its user asks; plainly, the prompt stands alone', async () => {
  const [chat] = await answerChats({ model, tokenizer }, [{ id: '7', turns: [{ role: 'user', content: 'a b' }] }], {
    maxNewTokens: 12,
  });
  const question = { id: '7', prompt: () => 'a b' };
  const settings = { numShots: 0, maxNewTokens: 12, stopStrings: [] };
  const [plain] = await answerTexts({ model, tokenizer }, [question], settings, () => ({ prediction: '', score: 0 }));
  expect(chat.text).not.toBe(plain.texts![0].trim());
  expect((await respond('chat')).trim()).toBe(chat.text);
  expect(await respond('plain')).toBe(plain.texts![0]);
});
