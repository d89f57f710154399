import { endOfTag } from './expression-tokens.js';
import { withoutEndSpace } from './strip-text.js';
import { TemplateError } from './template-error.js';

/** A template cut at its tags: text to print as it is, or the inside of `{{ }}` and `{% %}`. */
export interface Piece {
  kind: 'text' | 'print' | 'block';
  text: string;
  line: number;
}

const OPENING = /\{%|\{\{|\{#/g;
const RAW = /^\{%[-+]?\s*raw\s*(-%\}\s*|%\})/;
const END_RAW = /\{%([-+]?)\s*endraw\s*(\+%\}|-%\}\s*|%\}\n?)/g;
const END_COMMENT = /(\+#\}|-#\}\s*|#\}\n?)/g;

/**
 * Cuts a template as jinja2's lexer does with trim_blocks and lstrip_blocks: line ends become line feeds, one at the very
 * end is dropped, a line feed after a block is dropped, and white space before a block that begins its line.
 * @throws TemplateError for a tag that does not end.
 */
export function templatePieces(template: string): Piece[] {
  return new Cutter(template.replace(/\r\n|\r/g, '\n').replace(/\n$/, '')).cut();
}

class Cutter {
  private readonly pieces: Piece[] = [];
  private at = 0;
  /** Whether what was read last ends with a line feed (or is the start), so that the next text begins a line. */
  private isLineStart = true;

  constructor(private readonly source: string) {}

  cut(): Piece[] {
    for (let open = this.next(OPENING); open; open = this.next(OPENING)) {
      const kind = open[0];
      const sign = this.source[open.index + 2] ?? '';
      this.text(this.source.slice(this.at, open.index), sign, kind !== '{{');
      this.at = open.index;
      if (kind === '{#') this.skipComment();
      else if (kind === '{%' && RAW.test(this.source.slice(this.at))) this.raw();
      else this.tag(kind === '{%' ? 'block' : 'print', sign);
    }
    this.push('text', this.source.slice(this.at), this.at);
    return this.pieces;
  }

  private next(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.source);
  }

  /** Text before a tag, with the white space taken off that the tag's sign or lstrip_blocks takes. */
  private text(text: string, sign: string, canStrip: boolean): void {
    this.push('text', stripBefore(text, { sign, canStrip, isLineStart: this.isLineStart }), this.at);
  }

  private push(kind: Piece['kind'], text: string, offset: number): void {
    if (kind === 'text' && text === '') return;
    this.pieces.push({ kind, text, line: this.lineAt(offset) });
  }

  private lineAt(offset: number): number {
    return this.source.slice(0, offset).split('\n').length;
  }

  private advance(end: number): void {
    this.isLineStart = this.source[end - 1] === '\n';
    this.at = end;
  }

  private skipComment(): void {
    const start = this.at;
    this.at += 2;
    const end = this.next(END_COMMENT);
    if (!end) throw new TemplateError(`line ${this.lineAt(start)}: a comment is not closed`);
    this.advance(end.index + end[0].length);
  }

  private raw(): void {
    const start = this.at;
    this.at += RAW.exec(this.source.slice(this.at))![0].length;
    const end = this.next(END_RAW);
    if (!end) throw new TemplateError(`line ${this.lineAt(start)}: {% raw %} is not closed`);
    const isLineStart = this.source[this.at - 1] === '\n';
    this.push(
      'text',
      stripBefore(this.source.slice(this.at, end.index), { sign: end[1], canStrip: true, isLineStart }),
      this.at,
    );
    this.advance(end.index + end[0].length);
  }

  private tag(kind: 'block' | 'print', sign: string): void {
    const start = this.at + (sign === '-' || sign === '+' ? 3 : 2);
    const end = endOfTag(this.source, start, kind);
    if (!end) throw new TemplateError(`line ${this.lineAt(this.at)}: a tag is not closed`);
    this.push(kind, this.source.slice(start, end.inside), start);
    this.advance(end.after);
  }
}

interface Before {
  sign: string;
  canStrip: boolean;
  isLineStart: boolean;
}

function stripBefore(text: string, { sign, canStrip, isLineStart }: Before): string {
  if (sign === '-') return withoutEndSpace(text);
  if (sign === '+' || !canStrip) return text;
  const lineStart = text.lastIndexOf('\n') + 1;
  const isOwnLine = (lineStart > 0 || isLineStart) && withoutEndSpace(text.slice(lineStart)) === '';
  return isOwnLine ? text.slice(0, lineStart) : text;
}
