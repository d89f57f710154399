import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { ChatRenderer } from './chat-template.js';
import { loadTokenizer } from './load-tokenizer.js';

const folder = temporaryFolder();
let count = 0;

/** A tokenizer's folder with these keys of tokenizer_config.json and these files beside it. */
async function load(config: Record<string, unknown>, files: Record<string, string> = {}) {
  const at = path.join(folder.path, String(count++));
  await smallTokenizer(at);
  writeFileSync(path.join(at, 'tokenizer_config.json'), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
    writeFileSync(path.join(at, name), text);
  }
  return loadTokenizer(at);
}

const text = async (config: Record<string, unknown>, files: Record<string, string> = {}, template?: string) =>
  new ChatRenderer(await load(config, files), template).text({ turns: [], tools: [] });

describe('the templates of a tokenizer', () => {
  const list = [
    { name: 'tool_use', template: 'with tools' },
    { name: 'default', template: 'plain' },
  ];

  it('come from chat_template.jinja before tokenizer_config.json, with any line ends', async () => {
    expect(await text({ chat_template: 'old' }, { 'chat_template.jinja': 'new\r\nlines\r\n' })).toBe('new\nlines');
    expect(await text({ chat_template: 'old' })).toBe('old');
  });

  it('are one of several by name: tool_use where there are tools, else default, or the one asked for', async () => {
    expect(await text({ chat_template: list })).toBe('with tools');
    expect(await text({ chat_template: list.slice(1) })).toBe('plain');
    expect(await text({ chat_template: list }, {}, 'default')).toBe('plain');
    const additional = { 'chat_template.jinja': 'own', 'additional_chat_templates/rag.jinja': 'retrieved' };
    expect(await text({ chat_template: list }, additional)).toBe('own');
    expect(await text({ chat_template: list }, additional, 'rag')).toBe('retrieved');
  });

  it('are refused without a default, and when they are neither text nor list', async () => {
    await expect(text({ chat_template: [{ name: 'rag', template: 'x' }] })).rejects.toThrow(
      /expected a chat template named "default", found rag; name one of them/,
    );
    await expect(text({ chat_template: 5 })).rejects.toThrow(/expected a text, or a list of \{name, template\}/);
    await expect(text({})).rejects.toThrow(/has no chat_template/);
  });

  it('see no bos_token that is null, and none that tokenizer_config.json does not name', async () => {
    const template = '{{ bos_token is defined }} {{ eos_token }}';
    const none = await load({ chat_template: template, bos_token: null, eos_token: { content: '</s>' } });
    expect(new ChatRenderer(none).text([])).toBe('False </s>');
    expect([none.special.bos, none.special.eos]).toEqual([undefined, 2]);
    expect(new ChatRenderer(await load({ chat_template: template })).text([])).toBe('False ');
    const { folder: at, chatTemplates } = await load({ chat_template: template });
    rmSync(path.join(at, 'tokenizer_config.json'));
    // Without any file that speaks of them, the usual ones.
    expect(new ChatRenderer(await loadTokenizer(at), chatTemplates.get('default')).text([])).toBe('True </s>');
  });
});
