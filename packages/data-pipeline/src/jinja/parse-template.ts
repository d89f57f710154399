import { expressionTokens } from './expression-tokens.js';
import type { BlockFilter, Expression, Parameter, Statement, Target } from './nodes.js';
import { parseExpression, parseFilter, parseTuple } from './parse-expression.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { type Piece, templatePieces } from './template-pieces.js';
import { TokenReader } from './token-reader.js';

/** Tags of jinja2 that need other templates, or that no template of a model has. */
const UNSUPPORTED = ['autoescape', 'block', 'extends', 'from', 'import', 'include'];

/** Parses a template. @throws TemplateError with the line, UnsupportedTemplateError for tags that are not rendered here. */
export function parseTemplate(source: string): Statement[] {
  return new TemplateParser(templatePieces(source)).all();
}

/** The statements of a body and the tag that ended it. */
interface Body {
  body: Statement[];
  end: string;
  reader: TokenReader;
}

class TemplateParser {
  private at = 0;
  private numLoops = 0;

  constructor(private readonly pieces: Piece[]) {}

  all(): Statement[] {
    const { body, end, reader } = this.until([]);
    if (end !== '') throw new TemplateError(`line ${reader.line}: {% ${end} %} closes nothing`);
    return body;
  }

  /** Statements up to one of the ending tags, whose reader stands after its name. */
  private until(ends: string[]): Body {
    const body: Statement[] = [];
    for (let piece = this.pieces[this.at]; piece; piece = this.pieces[this.at]) {
      this.at++;
      if (piece.kind === 'text') {
        body.push({ kind: 'text', text: piece.text });
        continue;
      }
      const reader = new TokenReader(expressionTokens(piece.text), piece.line);
      if (piece.kind === 'print') {
        body.push({ kind: 'print', values: [parseTuple(reader)] });
        reader.end();
        continue;
      }
      const tag = reader.name();
      if (ends.includes(tag)) return { body, end: tag, reader };
      body.push(this.statement(tag, reader));
    }
    if (ends.length > 0) throw new TemplateError(`the template ends before {% ${ends.join(' %} or {% ')} %}`);
    return { body, end: '', reader: new TokenReader(expressionTokens(''), 0) };
  }

  /** The body up to the one tag that ends it. */
  private closed(reader: TokenReader, end: string): Statement[] {
    reader.end();
    const read = this.until([end]);
    read.reader.end();
    return read.body;
  }

  private statement(tag: string, reader: TokenReader): Statement {
    switch (tag) {
      case 'if':
        return this.ifStatement(reader);
      case 'for':
        return this.forStatement(reader);
      case 'set':
        return this.setStatement(reader);
      case 'with':
        return this.withStatement(reader);
      case 'macro':
        return this.macro(reader);
      case 'call':
        return this.callBlock(reader);
      case 'filter':
        return { kind: 'filter-block', filters: parseFilterChain(reader), body: this.closed(reader, 'endfilter') };
      case 'generation':
        return { kind: 'generation', body: this.closed(reader, 'endgeneration') };
      case 'print':
        return this.print(reader);
      case 'break':
      case 'continue':
        reader.end();
        if (this.numLoops === 0) throw new TemplateError(`line ${reader.line}: {% ${tag} %} outside of a loop`);
        return { kind: tag };
      default:
        if (UNSUPPORTED.includes(tag)) throw new UnsupportedTemplateError(`line ${reader.line}: {% ${tag} %}`);
        throw new TemplateError(`line ${reader.line}: unknown tag "${tag}"`);
    }
  }

  private ifStatement(reader: TokenReader): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    let current = reader;
    for (;;) {
      const test = parseTuple(current, { hasCondition: false });
      current.end();
      const { body, end, reader: next } = this.until(['elif', 'else', 'endif']);
      branches.push({ test, body });
      if (end === 'elif') {
        current = next;
        continue;
      }
      return { kind: 'if', branches, otherwise: end === 'else' ? this.closed(next, 'endif') : (next.end(), []) };
    }
  }

  private forStatement(reader: TokenReader): Statement {
    const target = parseTarget(reader, ['in']);
    reader.expect('name', 'in');
    const items = parseTuple(reader, { hasCondition: false, ends: ['recursive'] });
    const test = reader.skip('name', 'if') ? parseExpression(reader) : undefined;
    const isRecursive = reader.skip('name', 'recursive');
    reader.end();
    this.numLoops++;
    const { body, end, reader: next } = this.until(['endfor', 'else']);
    this.numLoops--;
    const otherwise = end === 'else' ? this.closed(next, 'endfor') : (next.end(), []);
    return { kind: 'for', target, items, ...(test ? { test } : {}), isRecursive, body, otherwise };
  }

  private setStatement(reader: TokenReader): Statement {
    const target = parseTarget(reader, [], true);
    if (reader.skip('operator', '=')) {
      const value = parseTuple(reader);
      reader.end();
      return { kind: 'set', target, value };
    }
    const filters = reader.skip('operator', '|') ? parseFilterChain(reader) : [];
    return { kind: 'set-block', target, filters, body: this.closed(reader, 'endset') };
  }

  private withStatement(reader: TokenReader): Statement {
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (reader.current.type !== 'end') {
      if (targets.length > 0) reader.expect('operator', ',');
      targets.push({ kind: 'name', name: reader.name() });
      reader.expect('operator', '=');
      values.push(parseExpression(reader));
    }
    return { kind: 'with', targets, values, body: this.closed(reader, 'endwith') };
  }

  private macro(reader: TokenReader): Statement {
    const name = reader.name();
    const parameters = parseParameters(reader);
    return { kind: 'macro', name, parameters, body: this.inner(reader, 'endmacro') };
  }

  private callBlock(reader: TokenReader): Statement {
    const parameters = reader.is('operator', '(') ? parseParameters(reader) : [];
    const call = parseExpression(reader);
    if (call.kind !== 'call') return reader.fail('expected a call');
    return { kind: 'call-block', call, parameters, body: this.inner(reader, 'endcall') };
  }

  /** A body that a loop around it does not reach into. */
  private inner(reader: TokenReader, end: string): Statement[] {
    const outside = this.numLoops;
    this.numLoops = 0;
    const body = this.closed(reader, end);
    this.numLoops = outside;
    return body;
  }

  private print(reader: TokenReader): Statement {
    const values: Expression[] = [];
    while (reader.current.type !== 'end') {
      if (values.length > 0) reader.expect('operator', ',');
      values.push(parseExpression(reader));
    }
    return { kind: 'print', values };
  }
}

function parseFilterChain(reader: TokenReader): BlockFilter[] {
  const filters = [parseFilter(reader)];
  while (reader.skip('operator', '|')) filters.push(parseFilter(reader));
  return filters;
}

function parseTarget(reader: TokenReader, ends: string[], canSetAttribute = false): Target {
  const items: Target[] = [];
  let isTuple = false;
  do {
    if (reader.is('name', ...ends) || reader.is('operator', '=')) break;
    items.push(parseOneTarget(reader, canSetAttribute));
    isTuple ||= reader.is('operator', ',');
  } while (reader.skip('operator', ','));
  if (items.length === 0) reader.fail('expected a name to assign to');
  return isTuple ? { kind: 'tuple', items } : items[0];
}

function parseOneTarget(reader: TokenReader, canSetAttribute: boolean): Target {
  if (reader.skip('operator', '(')) {
    const target = parseTarget(reader, []);
    reader.expect('operator', ')');
    return target;
  }
  const name = reader.name();
  if (['true', 'false', 'none', 'True', 'False', 'None'].includes(name)) reader.fail(`cannot assign to ${name} before`);
  return canSetAttribute && reader.skip('operator', '.')
    ? { kind: 'attribute', object: name, name: reader.name() }
    : { kind: 'name', name };
}

function parseParameters(reader: TokenReader): Parameter[] {
  const parameters: Parameter[] = [];
  reader.expect('operator', '(');
  while (!reader.is('operator', ')')) {
    if (parameters.length > 0) reader.expect('operator', ',');
    const name = reader.name();
    if (reader.skip('operator', '=')) parameters.push({ name, fallback: parseExpression(reader) });
    else if (parameters.some(({ fallback }) => fallback))
      reader.fail('a parameter without default follows one with a default');
    else parameters.push({ name });
  }
  reader.expect('operator', ')');
  return parameters;
}
