import { readFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { ShardReader } from '../shards/shard-reader.js';
import { ChatRenderer } from '../tokenizer/chat-template.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { inspectShards } from './inspect-shards.js';
import type { PrepareOptions } from './prepare-options.js';
import { prepare } from './prepare.js';

const folder = temporaryFolder();
let tokenizer: Tokenizer;

beforeAll(async () => {
  tokenizer = await smallTokenizer(path.join(folder.path, 'tokenizer'));
});

interface Case {
  case: string;
  row: Record<string, unknown>;
}
const CASES = readFileSync(path.resolve(__dirname, '../../../../tests/cases/chat-rows.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

/** Ends turns as ChatML does, shows thoughts and tools, and drops line feeds before an answer as Qwen3's template does. */
const CHATML =
  '{% if tools %}<|system|>{{ tools | tojson }}</s>\n{% endif %}{% for m in messages %}<|{{ m.role }}|>' +
  "{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{{ m.content.lstrip('\\n') }}</s>\n{% endfor %}" +
  '{% if add_generation_prompt %}<|assistant|>{% endif %}';
/** Drops the answers before the last question. */
const REWRITING = `{% set last = messages | length - 1 %}${CHATML.replace('{% if m.reas', '{% if not loop.last and m.role == "assistant" %}~{% endif %}{% if m.reas')}`;

async function prepareRow(row: unknown, options: Partial<PrepareOptions> = {}) {
  const out = path.join(folder.path, 'out');
  const sources = [folder.file('row.jsonl', JSON.stringify(row))];
  const given: PrepareOptions = {
    sources,
    out,
    tokenizer,
    as: 'chat',
    heldOut: { fraction: 0 },
    force: true,
    chatTemplate: CHATML,
  };
  const { report } = await prepare({ ...given, ...options });
  const reader = await ShardReader.open(path.join(out, 'train'));
  const documents = [];
  for (let i = 0; i < reader.index.documents; i++) {
    const { ids, mask } = await reader.document(i);
    const said = Array.from(ids).filter((_, k) => mask?.[k] === 1);
    documents.push({ ids: Array.from(ids), text: await tokenizer.decode(ids), said: await tokenizer.decode(said) });
  }
  expect((await inspectShards(path.join(out, 'train'), { tokenizer })).problems).toEqual([]);
  return { documents, notes: report.notes.map(({ text, count }) => `${text}: ${count}`) };
}

const rowOf = (name: string): Record<string, unknown> => CASES.find((entry) => entry.case.startsWith(name))!.row;

/** The text of each case, and what of it is learnt. */
const RIGHT: [name: string, text: string, said: string][] = [
  [
    'system beside conversations',
    '<|system|>Answer in five words or fewer.</s>\n<|user|>Where is the cat?</s>\n<|assistant|>On the mat.</s>\n',
    'On the mat.</s>',
  ],
  [
    'history and system',
    '<|system|>Be brief.</s>\n<|user|>Where is the cat?</s>\n<|assistant|>On the mat.</s>\n<|user|>And the dog?</s>\n<|assistant|>In the yard.</s>\n',
    'On the mat.</s>In the yard.</s>',
  ],
  ['reasoning_content', '<|user|>2+2?</s>\n<|assistant|>(two and two)4</s>\n', '(two and two)4</s>'],
  [
    'weight 0',
    '<|user|>q1</s>\n<|assistant|>bad answer</s>\n<|user|>q2</s>\n<|assistant|>good answer</s>\n',
    'good answer</s>',
  ],
  [
    'tools beside messages',
    '<|system|>[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]</s>\n<|user|>weather?</s>\n<|assistant|>Sunny.</s>\n',
    'Sunny.</s>',
  ],
  ['content in parts', '<|user|>a</s>\n<|assistant|>parts</s>\n', 'parts</s>'],
  ['prompt and completion', '<|user|>capital of France?</s>\n<|assistant|>Paris</s>\n', 'Paris</s>'],
  ['nulls where', '<|user|>what is it</s>\n<|assistant|>it is that</s>\n', 'it is that</s>'],
  ['nulls beside', '<|user|>Say hi</s>\n<|assistant|>hi there</s>\n', 'hi there</s>'],
  ['indented answer', '<|user|>Complete the body</s>\n<|assistant|>    return x + 1\n</s>\n', '    return x + 1\n</s>'],
  [
    'text that spells',
    '<|user|>What does </s> mean?</s>\n<|assistant|>The token </s> ends a text.</s>\n',
    'The token </s> ends a text.</s>',
  ],
];

describe('rows of other people', () => {
  it.each(RIGHT)(
    'are rendered whole, with the answer and the end of its turn as targets: %s',
    async (name, text, said) => {
      const { documents } = await prepareRow(rowOf(name));
      expect(documents.map((document) => [document.text, document.said])).toEqual([[text, said]]);
      const whole = await tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true });
      if (!name.startsWith('text that spells')) expect(documents[0].ids).toEqual(Array.from(whole));
      else expect(documents[0].ids.filter((id) => id === tokenizer.special.eos)).toHaveLength(2);
    },
  );

  it('have tools as mappings or as their JSON, whole or one by one, with floats as they are written', async () => {
    const turns = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ];
    const tool = '{"name": "f", "default": 1.0}';
    for (const tools of [`[${tool}]`, [tool]])
      expect((await prepareRow({ messages: turns, tools })).documents[0]!.text).toContain(`<|system|>[${tool}]</s>`);
    const wrong = prepareRow({ messages: turns, tools: [{ name: 'f' }, 'g'] }, { strict: true });
    await expect(wrong).rejects.toThrow(
      /element 1 of "tools" must be a mapping that describes a tool, or the JSON of one/,
    );
  });

  it('keep a role that the template knows by the word of the row', async () => {
    const messages = ['developer', 'user', 'model'].map((role) => ({ role, content: 'x' }));
    const chatTemplate = (known: string): string =>
      `{% for m in messages %}{% if m.role == ${known} %}{% endif %}({{ m.role }}){{ m.content }}</s>{% endfor %}` +
      '{% if add_generation_prompt %}(assistant){% endif %}';
    const text = async (known: string): Promise<string> =>
      (await prepareRow({ messages }, { chatTemplate: chatTemplate(known) })).documents[0]!.text;
    expect(await text('"developer"')).toBe('(developer)x</s>(user)x</s>(assistant)x</s>');
    expect(await text('"other"')).toBe('(system)x</s>(user)x</s>(assistant)x</s>');
  });

  it('with several turns are learnt by their last answer, or each, under a template that rewrites earlier ones', async () => {
    const row = rowOf('several turns under');
    const all = await prepareRow(row, { chatTemplate: REWRITING });
    expect(all.documents.map(({ said }) => said)).toEqual(['d</s>']);
    expect(all.notes).toEqual([expect.stringMatching(/^only the last answer is learnt.*: 1$/)]);
    const each = await prepareRow(row, { chatTemplate: REWRITING, answers: 'each' });
    expect(each.documents.map(({ said }) => said)).toEqual(['b</s>', 'd</s>']);
    const [, last] = each.documents;
    expect(last.ids).toEqual(all.documents[0].ids);
  });

  it('are told by name once a file where something of them is not used', async () => {
    const plain = { chatTemplate: "{% for m in messages if m.role != 'system' %}{{ m.content }}</s>{% endfor %}" };
    expect((await prepareRow(rowOf('reasoning_content'), plain)).notes).toEqual([
      '"reasoning_content" of messages is not used by the chat template: 1',
    ]);
    expect((await prepareRow(rowOf('tools beside'), plain)).notes).toEqual([
      '"tools" is not used by the chat template: 1',
    ]);
    expect((await prepareRow(rowOf('system beside'), plain)).notes).toEqual([
      'the chat template leaves out or changes what system messages say: 1',
    ]);
    expect((await prepareRow(rowOf('text that spells'))).notes).toEqual([
      'messages spell special tokens, which stay text: 1',
    ]);
    const preference = { prompt: 'q', response: 'a', rejected: 'b', weight: 0.5, label: 3, id: 7 };
    expect((await prepareRow(preference)).notes).toEqual([
      'column "weight" is not used (rows of shape prompt/response): 1',
      'column "rejected" is not used (rows of shape prompt/response): 1',
    ]);
    expect((await prepareRow(rowOf('reasoning_content'), { as: 'text' })).notes).toEqual([
      '"reasoning_content" of messages is not part of the text: 1',
    ]);
  });

  it('that a chat template has rendered before are told of, and parsed when asked', async () => {
    const text = '<s><|user|>q<|assistant|>a</s>';
    const kept = await prepareRow({ text }, { as: 'text' });
    expect(kept.notes).toEqual([expect.stringMatching(/^documents spell special tokens, which stay text;.*: 1$/)]);
    expect(kept.documents[0].ids.filter((id) => id < 6)).toEqual([1, 2]);
    const parsed = await prepareRow({ text }, { as: 'text', specialTokens: 'parse' });
    expect(parsed.documents[0].ids).toEqual(
      Array.from(await tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })),
    );
  });

  it('that a template is for, and that are text already, are told of', async () => {
    const asked = { as: 'text', template: 'Q: {prompt}\nA: {response}' } as const;
    const { notes } = await prepareRow({ text: 'plain' }, asked);
    expect(notes).toEqual([
      expect.stringMatching(/^documents are text as they are, which `template` does not touch.*: 1$/),
    ]);
    expect((await prepareRow({ question: 'q', answer: 'a' }, asked)).notes).toEqual([]);
  });

  it('have the same ids as the prompt that is served', async () => {
    const renderer = new ChatRenderer(tokenizer, CHATML);
    const { documents } = await prepareRow(rowOf('indented answer'));
    const prompt = await renderer.prompt([{ role: 'user', content: 'Complete the body' }]);
    expect(documents[0].ids.slice(0, prompt.length)).toEqual(Array.from(prompt));
  });
});
