import { ChatRenderer, PLAIN_CHAT_TEMPLATE, type Tokenizer, type Turn } from '@lethe/data-pipeline';
import { PromptEncoder } from '../engine/prompt-encoder.js';

/** Conversations as prompts: through the model's chat template, or a plain one for models that have none. */
export class ChatPrompter implements Pick<PromptEncoder, 'encode'> {
  private constructor(
    private readonly renderer: ChatRenderer,
    private readonly start: number[],
    /** Whether the model has a template of its own. */
    readonly isOwn: boolean,
  ) {}

  static async open(tokenizer: Tokenizer): Promise<ChatPrompter> {
    if (hasChatTemplate(tokenizer)) return new ChatPrompter(new ChatRenderer(tokenizer), [], true);
    const [start] = await (await PromptEncoder.open(tokenizer)).encode(['']);
    return new ChatPrompter(new ChatRenderer(tokenizer, PLAIN_CHAT_TEMPLATE), start, false);
  }

  /** Where an answer ends besides the stop ids: a base model goes on by speaking for the user. */
  get stopStrings(): string[] {
    return this.isOwn ? [] : ['\nUser:', '\nSystem:'];
  }

  /** Ids of a conversation, ending where the model is to speak. @throws TokenizerError where the template refuses it. */
  async prompt(turns: readonly Turn[]): Promise<number[]> {
    return [...this.start, ...(await this.renderer.prompt(turns))];
  }

  /** Each text as a user's only turn. */
  encode(texts: string[]): Promise<number[][]> {
    return Promise.all(texts.map((content) => this.prompt([{ role: 'user', content }])));
  }
}

/** What a result counts where its model was asked through a plain template. */
export const ASKED_PLAINLY = 'asked as User: .. Assistant: .., since the model has no chat template';

/** Whether a model says how it is spoken to; one that does not is a base model, asked as `User: ..`, `Assistant: `. */
export const hasChatTemplate = ({ chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): boolean =>
  chatTemplate !== undefined;
