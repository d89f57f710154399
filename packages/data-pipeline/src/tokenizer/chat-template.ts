import { Template } from '@huggingface/jinja';
import type { Turn } from '../documents/document.js';
import { TokenizerError } from './tokenizer-core.js';
import { join, type Tokenizer } from './tokenizer.js';

/** A conversation as ids; `mask` is 1 where the token was said by the assistant, and so is a training target. */
export interface RenderedChat {
  ids: Int32Array;
  mask: Uint8Array;
}

/** A piece of rendered text: what an assistant said, or all else; `isLiteral` text must not become control tokens. */
interface Span {
  text: string;
  isTarget: boolean;
  isLiteral: boolean;
}

/** Marks the special tokens that a message spells, while the template is rendered. */
const GUARD = '\u{10fffe}';
const GUARDED = new RegExp(`${GUARD}(?:[^]${GUARD})+`, 'gu');

/** A plain template for models without one; `eos_token` closes every answer. */
export const PLAIN_CHAT_TEMPLATE =
  "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token + '\\n' }}" +
  "{% elif message['role'] == 'system' %}{{ 'System: ' + message['content'] + '\\n' }}" +
  "{% else %}{{ 'User: ' + message['content'] + '\\n' }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";

/** Renders conversations through a model's own chat template. */
export class ChatRenderer {
  private readonly template: Template;
  private readonly guarded: RegExp | undefined;

  /** @throws TokenizerError when there is no template or it does not parse. */
  constructor(
    private readonly tokenizer: Tokenizer,
    template: string | undefined = tokenizer.chatTemplate,
  ) {
    if (template === undefined) {
      throw new TokenizerError(`${tokenizer.folder}: the tokenizer has no chat_template; name one for conversations`);
    }
    try {
      this.template = new Template(template);
    } catch (cause) {
      throw new TokenizerError(`${tokenizer.folder}: the chat template does not parse: ${(cause as Error).message}`, {
        cause,
      });
    }
    const special = tokenizer.specialTexts().filter((text) => text.length > 1);
    if (special.length > 0) this.guarded = new RegExp(special.map(escapePattern).join('|'), 'g');
  }

  /** The conversation as text; with `addGenerationPrompt` it ends where the assistant is to speak. */
  text(turns: readonly Turn[], addGenerationPrompt = false): string {
    const { special } = this.tokenizer;
    const tokens = { bos_token: special.bos, eos_token: special.eos, pad_token: special.pad, unk_token: special.unk };
    try {
      return this.template.render({
        messages: turns.map((turn) => ({ ...turn })),
        add_generation_prompt: addGenerationPrompt,
        ...Object.fromEntries(Object.entries(tokens).map(([name, id]) => [name, this.tokenizer.specialText(id) ?? ''])),
      });
    } catch (cause) {
      throw new TokenizerError(`the chat template refuses the conversation: ${(cause as Error).message}`, { cause });
    }
  }

  /** Ids of a prompt for generation, ending where the assistant is to speak. */
  async prompt(turns: readonly Turn[]): Promise<Int32Array> {
    const spans = this.split(this.text(this.guard(turns), true), false);
    return join(await this.encode(spans));
  }

  /**
   * Ids and target mask of a whole conversation, ending with EOS. Each assistant turn is a target, with the tokens
   * that close it; it is encoded apart from the text before it, exactly as generation will meet it.
   * @throws TokenizerError when the template rewrites earlier turns, so that answers cannot be located.
   */
  async render(turns: readonly Turn[]): Promise<RenderedChat> {
    const spans = this.spans(this.guard(turns));
    const parts = await this.encode(spans);
    const { eos } = this.tokenizer.special;
    const isClosed = eos === undefined || parts.at(-1)?.at(-1) === eos;
    const ids = join(isClosed ? parts : [...parts, Int32Array.of(eos)]);
    const mask = new Uint8Array(ids.length);
    let offset = 0;
    for (const [index, part] of parts.entries()) {
      if (spans[index]!.isTarget) mask.fill(1, offset, offset + part.length);
      offset += part.length;
    }
    if (!isClosed) mask[mask.length - 1] = mask.length > 1 ? mask[mask.length - 2]! : 0;
    return { ids, mask };
  }

  private spans(turns: readonly Turn[]): Span[] {
    const whole = this.text(turns);
    const spans: Span[] = [];
    let done = 0;
    for (const [index, turn] of turns.entries()) {
      if (turn.role !== 'assistant') continue;
      const before = this.text(turns.slice(0, index), true);
      const after = index === turns.length - 1 ? whole : this.text(turns.slice(0, index + 1));
      if (
        !whole.startsWith(before) ||
        !whole.startsWith(after) ||
        after.length < before.length ||
        before.length < done
      ) {
        throw new TokenizerError(
          `the chat template rewrites earlier turns: the answer of turn ${index} cannot be located`,
        );
      }
      spans.push(
        ...this.split(whole.slice(done, before.length), false),
        ...this.split(whole.slice(before.length, after.length), true),
      );
      done = after.length;
    }
    return [...spans, ...this.split(whole.slice(done), false)];
  }

  /** Surrounds what spells a special token in a message, so that it can be told from the template's own tokens. */
  private guard(turns: readonly Turn[]): Turn[] {
    const { guarded } = this;
    if (!guarded) return [...turns];
    return turns.map((turn) => ({
      role: turn.role,
      content: turn.content
        .replaceAll(GUARD, '')
        .replace(guarded, (text) => `${GUARD}${[...text].join(GUARD)}${GUARD}`),
    }));
  }

  /** Cuts rendered text into template text and guarded text. */
  private split(text: string, isTarget: boolean): Span[] {
    const spans: Span[] = [];
    const push = (part: string, isLiteral: boolean) => {
      if (part !== '') spans.push({ text: part, isTarget, isLiteral });
    };
    let done = 0;
    for (const match of text.matchAll(GUARDED)) {
      push(text.slice(done, match.index), false);
      push(match[0].replaceAll(GUARD, ''), true);
      done = match.index + match[0].length;
    }
    push(text.slice(done), false);
    return spans;
  }

  private async encode(spans: Span[]): Promise<Int32Array[]> {
    const [literal, parsed] = await Promise.all(
      [true, false].map((isLiteral) =>
        this.tokenizer.encodeBatch(
          spans.filter((span) => span.isLiteral === isLiteral).map((span) => span.text),
          { addSpecialTokens: false, parseSpecialTokens: !isLiteral },
        ),
      ),
    );
    return spans.map((span) => (span.isLiteral ? literal! : parsed!).shift()!);
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
