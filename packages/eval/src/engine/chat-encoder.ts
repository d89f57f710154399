import { ChatRenderer, type Tokenizer } from '@lethe/data-pipeline';
import type { PromptEncoder } from './prompt-encoder.js';

/** Encodes each prompt as a user's turn in the model's own chat format, up to where the assistant is to speak. */
export class ChatEncoder implements Pick<PromptEncoder, 'encode'> {
  private readonly renderer: ChatRenderer;

  /** @throws TokenizerError where the model has no chat template. */
  constructor(tokenizer: Tokenizer) {
    this.renderer = new ChatRenderer(tokenizer);
  }

  async encode(texts: string[]): Promise<number[][]> {
    const rendered = texts.map((content) => this.renderer.prompt([{ role: 'user', content }]));
    return (await Promise.all(rendered)).map((ids) => [...ids]);
  }
}
