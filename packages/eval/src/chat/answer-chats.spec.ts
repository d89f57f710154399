import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tokenizer } from '@lethe/data-pipeline';
import { answerMtBench } from '../mt-bench/answer-mt-bench.js';
import { answerChats, type ChatAnswer, type ChatQuestion } from './answer-chats.js';
import { ChatPrompter, hasChatTemplate } from './chat-prompter.js';
import { tinyModel } from '../engine/tiny-model.fixture.js';

const tiny = tinyModel();

const ask = (content: string, more: Partial<ChatQuestion> = {}): ChatQuestion => ({
  id: content,
  turns: [{ role: 'user', content }],
  ...more,
});
const answers = (questions: ChatQuestion[], more: object = {}): Promise<ChatAnswer[]> =>
  answerChats(tiny, questions, { maxNewTokens: 8, ...more });

/** The tokenizer as a base model has it: without a chat template. */
const withoutTemplate = (): Tokenizer =>
  new Proxy(tiny.tokenizer, {
    get: (target, key) => {
      if (key === 'chatTemplate') return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

it('a model is asked through its own template; a base model in plain words, from its BOS on', async () => {
  const turns = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'c' },
  ] as const;
  const decode = (ids: number[]): Promise<string> => tiny.tokenizer.decode(ids, { skipSpecialTokens: false });
  const own = await ChatPrompter.open(tiny.tokenizer);
  expect([own.isOwn, hasChatTemplate(tiny.tokenizer), own.stopStrings]).toEqual([true, true, []]);
  const plain = await ChatPrompter.open(withoutTemplate());
  expect([plain.isOwn, hasChatTemplate(withoutTemplate()), plain.stopStrings]).toEqual([
    false,
    false,
    ['\nUser:', '\nSystem:'],
  ]);
  const prompt = await plain.prompt(turns);
  const [start] = await tiny.tokenizer.encodeBatch([''], { addSpecialTokens: true });
  expect(prompt.slice(0, start.length)).toEqual([...start]);
  expect(await decode(prompt.slice(start.length))).toMatch(/^User: a\nAssistant: b.*\nUser: c\nAssistant: $/);
});

it('an answer has no white space around it', async () => {
  let isPrompt = true;
  const decode = (): Promise<string> => {
    const text = isPrompt ? 'x' : 'x  well  said \n';
    isPrompt = false;
    return Promise.resolve(text);
  };
  const spaced = new Proxy(tiny.tokenizer, {
    get: (target, key) => (key === 'decode' ? decode : (Reflect.get(target, key, target) as unknown)),
  });
  const [{ text }] = await answerChats({ ...tiny, tokenizer: spaced }, [ask('a')], { maxNewTokens: 2 });
  expect(text).toBe('well  said');
});

it('an answer is the same whatever it is asked beside, at each temperature', async () => {
  const questions = ['one', 'two', 'three'].map((content, i) => ask(content, { temperature: [0, 0.9, 0][i] }));
  const together = await answers(questions, { seed: 5 });
  const alone = await Promise.all(questions.map(async (question) => (await answers([question], { seed: 5 }))[0]));
  expect(together).toEqual(alone);
  expect(together.map(({ id }) => id)).toEqual(['one', 'two', 'three']);
  const other = await answers(questions, { seed: 6 });
  expect([other[0], other[2]]).toEqual([together[0], together[2]]);
  expect(other[1]).not.toEqual(together[1]);
});

it('a conversation beyond the context loses its start, and says so', async () => {
  const [short, long] = await answers([ask('a'), ask('a b c '.repeat(60))], { maxNewTokens: 40 });
  expect(short).not.toHaveProperty('cut');
  expect(long.cut).toBe('start');
});

it('an answer that could fill the context leaves half of it to the conversation', async () => {
  const prompter = await ChatPrompter.open(tiny.tokenizer);
  const short = (await prompter.prompt([{ role: 'user', content: 'a' }])).length;
  expect(short).toBeLessThan(40);
  const fits = ask('a'.repeat(1 + 48 - short));
  const longer = ask('a'.repeat(2 + 48 - short));
  const [whole, cut] = await answers([fits, longer], { maxNewTokens: 96 });
  expect(whole).not.toHaveProperty('cut');
  expect(cut.cut).toBe('start');
});

it('MT-Bench: the second turn goes on from the first answer; what is answered is not answered again', async () => {
  const log = { file: join(tiny.folder, 'items', 'mt.jsonl'), header: { model: 'm' } };
  const questions = ['81', '82'].map((id) => ({
    id,
    category: 'math',
    turns: ['a', 'b'] as [string, string],
    place: { file: 'q', line: 1 },
  }));
  const progress: number[] = [];
  const onProgress = (done: number, total: number): void => {
    progress.push(done / total);
  };
  const options = { maxNewTokens: 4, log, onProgress };
  const both = await answerMtBench(tiny, questions, options);
  expect(both.map(({ answers: pair }) => pair.map(({ id }) => id))).toEqual([
    ['81/1', '81/2'],
    ['82/1', '82/2'],
  ]);
  expect(progress.at(-1)).toBe(1);
  const [first] = both[0].answers;
  const [second] = await answers(
    [
      {
        id: '81/2',
        turns: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: first.text },
          { role: 'user', content: 'b' },
        ],
      },
    ],
    { maxNewTokens: 4 },
  );
  expect(both[0].answers[1].text).toBe(second.text);

  const kept = readFileSync(log.file, 'utf8');
  expect(kept.trimEnd().split('\n')).toHaveLength(1 + 4);
  expect(await answerMtBench(tiny, questions, options)).toEqual(both);
  expect(readFileSync(log.file, 'utf8')).toBe(kept);
});
