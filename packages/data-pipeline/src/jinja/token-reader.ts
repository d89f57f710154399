import type { Token } from './expression-tokens.js';
import { TemplateError } from './template-error.js';

/** Reads the tokens of one tag from left to right. */
export class TokenReader {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    readonly line: number,
  ) {}

  get current(): Token {
    return this.tokens[this.at];
  }

  /** The token after the current one. */
  get following(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)];
  }

  advance(): Token {
    const token = this.current;
    if (token.type !== 'end') this.at++;
    return token;
  }

  /** Whether the current token is this operator or name. */
  is(type: 'operator' | 'name', ...values: string[]): boolean {
    return this.current.type === type && values.includes(this.current.value);
  }

  /** Steps over the current token if it is this one. */
  skip(type: 'operator' | 'name', value: string): boolean {
    if (!this.is(type, value)) return false;
    this.at++;
    return true;
  }

  /** @throws TemplateError unless the current token is this operator or name. */
  expect(type: 'operator' | 'name', value: string): void {
    if (!this.skip(type, value)) this.fail(`expected "${value}"`);
  }

  /** @throws TemplateError unless the current token is a name. */
  name(): string {
    if (this.current.type !== 'name') this.fail('expected a name');
    return this.advance().value;
  }

  /** @throws TemplateError unless all tokens are read. */
  end(): void {
    if (this.current.type !== 'end') this.fail('expected the end of the tag');
  }

  fail(problem: string): never {
    throw new TemplateError(`line ${this.line}: ${problem}, received "${this.current.value}"`);
  }
}
