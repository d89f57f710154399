import { type Conversation, isTargetTurn, type Turn } from '../documents/conversation.js';
import { ChatProgram } from '../jinja/chat-program.js';
import { TemplateError } from '../jinja/template-error.js';
import { TokenizerError } from './tokenizer-core.js';
import { join, type Tokenizer } from './tokenizer.js';
import { guard, type RenderedText, type Span, unguarded } from './rendered-text.js';

/** A conversation as ids; `mask` is 1 where the token was said by the assistant, and so is a training target. */
export interface RenderedChat {
  ids: Int32Array;
  mask: Uint8Array;
  /** Whether the template rewrites earlier turns, so that only the last answer could be a target. */
  isLastOnly: boolean;
  /** Whether a message spells a special token, which stayed text. */
  spellsSpecial: boolean;
}

/**
 * Which answers are targets: `all` in one document (the last only, where the template rewrites earlier turns); the
 * `last`; `each`, in a document of its own that ends with it, as generation meets it.
 */
export type Answers = 'all' | 'last' | 'each';

/** A plain template for models without one; `eos_token` closes every answer. */
export const PLAIN_CHAT_TEMPLATE =
  "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ 'Assistant: ' ~ message['content'] ~ eos_token ~ '\\n' }}" +
  "{% elif message['role'] == 'system' %}{{ 'System: ' + message['content'] + '\\n' }}" +
  "{% else %}{{ 'User: ' + message['content'] + '\\n' }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";

const asConversation = (given: readonly Turn[] | Conversation): Conversation =>
  'turns' in given ? given : { turns: [...given] };

/** Renders conversations through a model's own chat template, as transformers' `apply_chat_template` does. */
export class ChatRenderer {
  private readonly programs = new Map<string, ChatProgram>();
  private readonly special: RegExp;

  /**
   * @param template the template itself, or the name of one of the model's.
   * @throws TokenizerError when there is no template, several and no default, or one that does not parse.
   */
  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly template?: string,
  ) {
    this.special = tokenizer.specialPattern;
    this.program(this.source(false));
  }

  /** The template that a conversation with or without tools is rendered with. */
  source(hasTools: boolean): string {
    const { chatTemplates, folder } = this.tokenizer;
    if (this.template !== undefined) return chatTemplates.get(this.template) ?? this.template;
    const chosen = (hasTools ? chatTemplates.get('tool_use') : undefined) ?? chatTemplates.get('default');
    if (chosen !== undefined) return chosen;
    if (chatTemplates.size === 0) {
      throw new TokenizerError(`${folder}: the tokenizer has no chat_template; name one for conversations`);
    }
    const names = [...chatTemplates.keys()].sort().join(', ');
    throw new TokenizerError(`${folder}: expected a chat template named "default", found ${names}; name one of them`);
  }

  private program(source: string): ChatProgram {
    const known = this.programs.get(source);
    if (known) return known;
    try {
      const program = new ChatProgram(source);
      this.programs.set(source, program);
      return program;
    } catch (cause) {
      if (!(cause instanceof TemplateError)) throw cause;
      throw new TokenizerError(`${this.tokenizer.folder}: the chat template does not parse: ${cause.message}`, {
        cause,
      });
    }
  }

  /** The conversation as text; with `addGenerationPrompt` it ends where the assistant is to speak. */
  text(given: readonly Turn[] | Conversation, addGenerationPrompt = false): string {
    return this.write(asConversation(given), addGenerationPrompt).text;
  }

  private write(conversation: Conversation, addGenerationPrompt: boolean): ReturnType<ChatProgram['render']> {
    const { turns, tools = null, documents = null, variables } = conversation;
    try {
      const source = this.source(tools !== null);
      // A word that the template knows is left to it; others stand for one of the four roles.
      const roleOf = ({ role, spelledRole }: Turn): string =>
        spelledRole !== undefined && new RegExp(`['"]${spelledRole}['"]`).test(source) ? spelledRole : role;
      return this.program(source).render({
        ...this.tokenizer.templateNames,
        ...variables,
        messages: turns.map((turn) => ({ role: roleOf(turn), content: turn.content, ...turn.keys })),
        tools,
        documents,
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (cause) {
      if (!(cause instanceof TemplateError)) throw cause;
      throw new TokenizerError(`the chat template refuses the conversation: ${cause.message}`, { cause });
    }
  }

  /** Ids of a prompt for generation, ending where the assistant is to speak. */
  async prompt(given: readonly Turn[] | Conversation): Promise<Int32Array> {
    return (await this.tokenizer.encodeRendered(this.rendered(asConversation(given), true))).ids;
  }

  /**
   * Ids and target mask of a conversation: the ids of its whole rendered text, with the answers and the tokens that close
   * them as targets. Where the template closes the last answer with no special token, EOS follows, a target too.
   * @throws TokenizerError when the template refuses the conversation, or an answer cannot be located.
   */
  async render(given: readonly Turn[] | Conversation, answers: Answers = 'all'): Promise<RenderedChat[]> {
    const conversation = asConversation(given);
    const targets = conversation.turns.flatMap((turn, index) => (isTargetTurn(turn) ? [index] : []));
    if (targets.length === 0) throw new TokenizerError('the conversation has no answer to learn from');
    const last = targets.at(-1)!;
    if (answers === 'each') {
      return Promise.all(targets.map((index) => this.encode(cut(conversation, index), { targets: [index] })));
    }
    const spans = answers === 'all' ? this.spansOfAll(conversation, targets) : undefined;
    if (spans) return [await this.encode(conversation, { targets, spans })];
    const isLastOnly = answers === 'all';
    return [await this.encode(cut(conversation, last), { targets: [last], isLastOnly })];
  }

  /** Where all answers lie, or undefined when the template rewrites earlier turns. */
  private spansOfAll(conversation: Conversation, targets: number[]): Span[] | undefined {
    const { text, generations } = this.write(conversation, false);
    const numAnswers = conversation.turns.filter(({ role }) => role === 'assistant').length;
    if (generations.length > 0 && generations.length === numAnswers) {
      const answers = conversation.turns.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
      return generations.filter((_, i) => targets.includes(answers[i]!));
    }
    const spans: Span[] = [];
    for (const index of targets) {
      const span = this.spanOf(conversation, index, text);
      if (!span || span[0] < (spans.at(-1)?.[1] ?? 0)) return undefined;
      spans.push(span);
    }
    return spans;
  }

  /** Where one answer lies in the whole text, with what closes it: from the generation prompt to the turn's end. */
  private spanOf(conversation: Conversation, index: number, whole: string): Span | undefined {
    const before = this.text({ ...conversation, turns: conversation.turns.slice(0, index) }, true);
    const isLast = index === conversation.turns.length - 1;
    const after = isLast ? whole : this.text(cut(conversation, index));
    const isInside = whole.startsWith(before) && whole.startsWith(after) && after.length >= before.length;
    return isInside ? [before.length, after.length] : undefined;
  }

  private async encode(
    conversation: Conversation,
    how: { targets: number[]; spans?: Span[]; isLastOnly?: boolean },
  ): Promise<RenderedChat> {
    const rendered = this.rendered(conversation, false);
    const spans = (how.spans ?? [this.lastSpan(conversation, rendered.text)]).map((span) =>
      this.closedSpan(span, rendered),
    );
    const { ids, places } = await this.tokenizer.encodeRendered(rendered);
    const { starts, ends } = places();
    const mask = new Uint8Array(ids.length);
    for (const [from, to] of spans) {
      for (let i = 0; i < ids.length; i++) if (starts[i]! < to && ends[i]! > from) mask[i] = 1;
    }
    const endsWithAnswer = how.targets.at(-1) === conversation.turns.length - 1;
    const told = { isLastOnly: how.isLastOnly ?? false, spellsSpecial: rendered.literal.length > 0 };
    return { ...this.withEnd({ ids, mask }, rendered, endsWithAnswer), ...told };
  }

  private lastSpan(conversation: Conversation, whole: string): Span {
    const span = this.spanOf(conversation, conversation.turns.length - 1, whole);
    if (span) return span;
    throw new TokenizerError(
      'the chat template does not begin its last answer with its generation prompt, so the answer cannot be located',
    );
  }

  /** An answer's span without white space after the special token that closes it. */
  private closedSpan([from, to]: Span, { text, literal }: RenderedText): Span {
    const end = from + text.slice(from, to).trimEnd().length;
    return this.endsWithSpecial({ text: text.slice(0, end), literal }) ? [from, end] : [from, to];
  }

  private endsWithSpecial({ text, literal }: RenderedText): boolean {
    const isLiteral = literal.some(([, end]) => end === text.length);
    return !isLiteral && this.tokenizer.specialTexts().some((special) => text.endsWith(special));
  }

  /** Appends EOS where no special token of the template closes the text. */
  private withEnd(
    { ids, mask }: { ids: Int32Array; mask: Uint8Array },
    { text, literal }: RenderedText,
    endsWithAnswer: boolean,
  ): { ids: Int32Array; mask: Uint8Array } {
    const { eos } = this.tokenizer.special;
    const isClosed = this.endsWithSpecial({ text: text.trimEnd(), literal }) || ids.at(-1) === eos;
    if (eos === undefined || isClosed) return { ids, mask };
    const longer = new Uint8Array(mask.length + 1);
    longer.set(mask);
    longer[mask.length] = endsWithAnswer ? 1 : 0;
    return { ids: join([ids, Int32Array.of(eos)]), mask: longer };
  }

  /**
   * The rendered text, and what in it spells special tokens although the template did not write them.
   * @throws TokenizerError when the template itself changes what a message spells.
   */
  private rendered(conversation: Conversation, addGenerationPrompt: boolean): RenderedText {
    const { text } = this.write(conversation, addGenerationPrompt);
    if (!this.spellsSpecial(conversation)) return { text, literal: [] };
    const marked = guard(conversation, this.special) as Conversation;
    const again = unguarded(
      this.write({ ...marked, turns: withRoles(marked.turns, conversation.turns) }, addGenerationPrompt).text,
    );
    if (again.text === text) return again;
    throw new TokenizerError('a message spells a special token that the chat template looks for or changes');
  }

  private spellsSpecial(conversation: Conversation): boolean {
    const { turns, tools, documents } = conversation;
    const spells = (value: unknown): boolean => {
      if (typeof value === 'string') return value.search(this.special) >= 0;
      return typeof value === 'object' && value !== null && Object.values(value).some(spells);
    };
    return spells([turns.map(({ content, keys }) => [content, keys]), tools, documents]);
  }
}

const cut = (conversation: Conversation, index: number): Conversation => ({
  ...conversation,
  turns: conversation.turns.slice(0, index + 1),
});

const withRoles = (turns: Turn[], originals: readonly Turn[]): Turn[] =>
  turns.map((turn, i) => ({ ...turn, role: originals[i]!.role }));
