import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer, trainTokenizer } from '@lethe/data-pipeline';
import { parseChatRequest } from './chat-request.js';
import { chatPrompt } from './prompt-tokens.js';

const TEMPLATE =
  '{% for message in messages %}{{ message.name or message.role }}: {{ message.content }}\n{% endfor %}' +
  '{% if add_generation_prompt %}{{ "thinks" if enable_thinking is not defined or enable_thinking else "says" }}{% endif %}';
const folder = mkdtempSync(join(tmpdir(), 'lethe-serve-'));
const SIZES = { vocabSize: 280, maxPositions: 64 };
let tokenizer: Tokenizer;

beforeAll(async () => {
  await trainTokenizer(['user: a whale thinks and says'], { vocabSize: 280, folder });
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: TEMPLATE }));
  tokenizer = await loadTokenizer(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function rendered(body: object): Promise<string> {
  return tokenizer.decode((await chatPrompt(tokenizer, parseChatRequest(body), SIZES)).ids);
}

describe('chatPrompt', () => {
  const messages = [{ role: 'user', content: 'a whale' }];

  it('gives chat_template_kwargs to the template', async () => {
    expect(await rendered({ messages })).toBe('user: a whale\nthinks');
    const off = { messages, chat_template_kwargs: { enable_thinking: false } };
    expect(await rendered(off)).toBe('user: a whale\nsays');
  });

  it('gives further keys of a message to the template, null as if absent', async () => {
    expect(await rendered({ messages: [{ ...messages[0], name: 'ann' }] })).toBe('ann: a whale\nthinks');
    expect(await rendered({ messages: [{ ...messages[0], name: null }] })).toBe('user: a whale\nthinks');
  });
});
