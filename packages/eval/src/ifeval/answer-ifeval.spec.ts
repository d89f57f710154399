import { answerChats } from '../chat/answer-chats.js';
import { answerTexts } from '../engine/answer-texts.js';
import { answerIfeval, type PromptFormat } from './answer-ifeval.js';
import { tinyModel } from '../engine/tiny-model.fixture.js';

const tiny = tinyModel();

const comma = { id: 'punctuation:no_comma' } as const;
const prompts = [{ key: 7, prompt: 'a b', instructions: [comma], place: { file: 'input_data.jsonl', line: 1 } }];
const tools = { sentences: () => [], language: () => 'en' };

/** The response to the one prompt, and its item's verdict. */
async function respond(format: PromptFormat): Promise<string> {
  const ifeval = { prompts, tools, toolsHash: '' };
  const [item] = await answerIfeval(tiny, ifeval, { format, maxNewTokens: 12 });
  const [text] = item.texts!;
  expect(item).toMatchObject({ id: '7', gold: comma.id, score: text.includes(',') || text.trim() === '' ? 0 : 1 });
  return text;
}

it('a chat model is asked as its user asks; plainly, the prompt stands alone', async () => {
  const [chat] = await answerChats(tiny, [{ id: '7', turns: [{ role: 'user', content: 'a b' }] }], {
    maxNewTokens: 12,
  });
  const question = { id: '7', prompt: () => 'a b' };
  const settings = { numShots: 0, maxNewTokens: 12, stopStrings: [] };
  const [plain] = await answerTexts(tiny, [question], settings, () => ({ prediction: '', score: 0 }));
  expect(chat.text).not.toBe(plain.texts![0].trim());
  expect((await respond('chat')).trim()).toBe(chat.text);
  expect(await respond('plain')).toBe(plain.texts![0]);
});
