import type { Arguments, BlockFilter, Expression } from './nodes.js';
import type { TokenReader } from './token-reader.js';
import { Float, integer } from './values.js';

/** An expression, with `if`-`else` unless told otherwise, as jinja2's parser reads it. */
export function parseExpression(reader: TokenReader, hasCondition = true): Expression {
  return hasCondition ? parseCondition(reader) : parseOr(reader);
}

/** One expression, or several with commas between them as a tuple. */
export function parseTuple(reader: TokenReader, options: { hasCondition?: boolean; ends?: string[] } = {}): Expression {
  const { hasCondition = true, ends = [] } = options;
  const items: Expression[] = [];
  let isTuple = false;
  while (!isTupleEnd(reader, ends)) {
    items.push(parseExpression(reader, hasCondition));
    if (!reader.is('operator', ',')) break;
    isTuple = true;
    reader.advance();
  }
  if (isTuple) return { kind: 'tuple', items };
  return items[0] ?? reader.fail('expected an expression');
}

function isTupleEnd(reader: TokenReader, ends: string[]): boolean {
  return reader.current.type === 'end' || reader.is('operator', ')') || reader.is('name', ...ends);
}

function parseCondition(reader: TokenReader): Expression {
  let result = parseOr(reader);
  while (reader.skip('name', 'if')) {
    const test = parseOr(reader);
    const otherwise = reader.skip('name', 'else') ? parseCondition(reader) : undefined;
    result = { kind: 'condition', test, value: result, ...(otherwise ? { otherwise } : {}) };
  }
  return result;
}

function parseOr(reader: TokenReader): Expression {
  let left = parseAnd(reader);
  while (reader.skip('name', 'or')) left = { kind: 'or', left, right: parseAnd(reader) };
  return left;
}

function parseAnd(reader: TokenReader): Expression {
  let left = parseNot(reader);
  while (reader.skip('name', 'and')) left = { kind: 'and', left, right: parseNot(reader) };
  return left;
}

function parseNot(reader: TokenReader): Expression {
  if (reader.is('name', 'not')) {
    reader.advance();
    return { kind: 'not', value: parseNot(reader) };
  }
  return parseCompare(reader);
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

function parseCompare(reader: TokenReader): Expression {
  const first = parseSum(reader);
  const rest: { operator: string; value: Expression }[] = [];
  for (;;) {
    if (reader.is('operator', ...COMPARISONS)) rest.push({ operator: reader.advance().value, value: parseSum(reader) });
    else if (reader.skip('name', 'in')) rest.push({ operator: 'in', value: parseSum(reader) });
    else if (reader.is('name', 'not') && reader.following.type === 'name' && reader.following.value === 'in') {
      reader.advance();
      reader.advance();
      rest.push({ operator: 'not in', value: parseSum(reader) });
    } else return rest.length === 0 ? first : { kind: 'compare', first, rest };
  }
}

function binary(reader: TokenReader, operators: string[], next: (reader: TokenReader) => Expression): Expression {
  let left = next(reader);
  while (reader.is('operator', ...operators)) {
    left = { kind: 'binary', operator: reader.advance().value, left, right: next(reader) };
  }
  return left;
}

const parseSum = (reader: TokenReader): Expression => binary(reader, ['+', '-'], parseConcat);

function parseConcat(reader: TokenReader): Expression {
  const items = [parseProduct(reader)];
  while (reader.skip('operator', '~')) items.push(parseProduct(reader));
  return items.length === 1 ? items[0] : { kind: 'concat', items };
}

const parseProduct = (reader: TokenReader): Expression => binary(reader, ['*', '/', '//', '%'], parsePower);
const parsePower = (reader: TokenReader): Expression => binary(reader, ['**'], parseUnary);

function parseUnary(reader: TokenReader, hasFilters = true): Expression {
  let node: Expression;
  if (reader.is('operator', '-', '+')) {
    const operator = reader.advance().value as '-' | '+';
    node = { kind: 'sign', operator, value: parseUnary(reader, false) };
  } else node = parsePrimary(reader);
  node = parsePostfix(node, reader);
  return hasFilters ? parseFilters(node, reader) : node;
}

const CONSTANTS: Readonly<Record<string, boolean | null>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

function parsePrimary(reader: TokenReader): Expression {
  const { type, value } = reader.current;
  if (type === 'name') {
    reader.advance();
    if (Object.hasOwn(CONSTANTS, value)) return { kind: 'constant', value: CONSTANTS[value] };
    return { kind: 'name', name: value };
  }
  if (type === 'text') return parseTexts(reader);
  if (type === 'int') {
    reader.advance();
    return { kind: 'constant', value: integer(Number(value)) };
  }
  if (type === 'float') {
    reader.advance();
    return { kind: 'constant', value: new Float(Number(value)) };
  }
  if (reader.skip('operator', '(')) return parseBracketed(reader);
  if (reader.skip('operator', '[')) return { kind: 'list', items: parseList(reader, ']') };
  if (reader.skip('operator', '{')) return parseDict(reader);
  return reader.fail('expected an expression');
}

/** Texts one after another are one text, as in Python. */
function parseTexts(reader: TokenReader): Expression {
  let text = '';
  while (reader.current.type === 'text') text += reader.advance().value;
  return { kind: 'constant', value: text };
}

function parseBracketed(reader: TokenReader): Expression {
  if (reader.skip('operator', ')')) return { kind: 'tuple', items: [] };
  const node = parseTuple(reader);
  reader.expect('operator', ')');
  return node;
}

function parseList(reader: TokenReader, end: string): Expression[] {
  const items: Expression[] = [];
  while (!reader.is('operator', end)) {
    items.push(parseExpression(reader));
    if (!reader.skip('operator', ',')) break;
  }
  reader.expect('operator', end);
  return items;
}

function parseDict(reader: TokenReader): Expression {
  const entries: [Expression, Expression][] = [];
  while (!reader.is('operator', '}')) {
    const key = parseExpression(reader);
    reader.expect('operator', ':');
    entries.push([key, parseExpression(reader)]);
    if (!reader.skip('operator', ',')) break;
  }
  reader.expect('operator', '}');
  return { kind: 'dict', entries };
}

function parsePostfix(node: Expression, reader: TokenReader): Expression {
  let result = node;
  for (;;) {
    if (reader.skip('operator', '.')) result = parseDotted(result, reader);
    else if (reader.skip('operator', '[')) result = parseSubscript(result, reader);
    else if (reader.is('operator', '(')) result = { kind: 'call', callee: result, arguments: parseArguments(reader) };
    else return result;
  }
}

function parseDotted(object: Expression, reader: TokenReader): Expression {
  if (reader.current.type === 'int') {
    return { kind: 'item', object, key: { kind: 'constant', value: Number(reader.advance().value) } };
  }
  return { kind: 'attribute', object, name: reader.name() };
}

function parseSubscript(object: Expression, reader: TokenReader): Expression {
  const start = reader.is('operator', ':') ? undefined : parseExpression(reader);
  if (start && reader.skip('operator', ']')) return { kind: 'item', object, key: start };
  if (start && reader.skip('operator', ',')) {
    return { kind: 'item', object, key: { kind: 'tuple', items: [start, ...parseList(reader, ']')] } };
  }
  reader.expect('operator', ':');
  const part = (): Expression | undefined => (reader.is('operator', ':', ']') ? undefined : parseExpression(reader));
  const stop = part();
  const step = reader.skip('operator', ':') ? part() : undefined;
  reader.expect('operator', ']');
  return { kind: 'slice', object, ...(start && { start }), ...(stop && { stop }), ...(step && { step }) };
}

/** Filters, tests and calls after an operand. */
function parseFilters(node: Expression, reader: TokenReader): Expression {
  let result = node;
  for (;;) {
    if (reader.skip('operator', '|')) result = { kind: 'filter', value: result, ...parseFilter(reader) };
    else if (reader.skip('name', 'is')) result = parseTest(result, reader);
    else if (reader.is('operator', '(')) result = { kind: 'call', callee: result, arguments: parseArguments(reader) };
    else return result;
  }
}

const NO_ARGUMENTS: Arguments = { positional: [], named: [] };

/** A filter's name, with dots, and its arguments. */
export function parseFilter(reader: TokenReader): BlockFilter {
  const name = parseDottedName(reader);
  return { name, arguments: reader.is('operator', '(') ? parseArguments(reader) : NO_ARGUMENTS };
}

function parseDottedName(reader: TokenReader): string {
  let name = reader.name();
  while (reader.skip('operator', '.')) name += `.${reader.name()}`;
  return name;
}

function parseTest(value: Expression, reader: TokenReader): Expression {
  const isNegated = reader.skip('name', 'not');
  const name = parseDottedName(reader);
  let given = NO_ARGUMENTS;
  if (reader.is('operator', '(')) given = parseArguments(reader);
  else if (beginsArgument(reader)) {
    if (reader.is('name', 'is')) reader.fail('you cannot chain tests with "is"');
    given = { positional: [parsePostfix(parsePrimary(reader), reader)], named: [] };
  }
  const test: Expression = { kind: 'test', value, name, arguments: given };
  return isNegated ? { kind: 'not', value: test } : test;
}

function beginsArgument(reader: TokenReader): boolean {
  const { type } = reader.current;
  if (reader.is('name', 'else', 'or', 'and')) return false;
  return (
    type === 'name' || type === 'text' || type === 'int' || type === 'float' || reader.is('operator', '(', '[', '{')
  );
}

/** Arguments in brackets. */
export function parseArguments(reader: TokenReader): Arguments {
  const given: Arguments = { positional: [], named: [] };
  reader.expect('operator', '(');
  while (!reader.is('operator', ')')) {
    if (reader.skip('operator', '*')) given.rest = parseExpression(reader);
    else if (reader.skip('operator', '**')) given.namedRest = parseExpression(reader);
    else if (reader.current.type === 'name' && reader.following.type === 'operator' && reader.following.value === '=') {
      const name = reader.name();
      reader.advance();
      given.named.push([name, parseExpression(reader)]);
    } else {
      if (given.named.length > 0 || given.rest || given.namedRest)
        reader.fail('expected named arguments after named ones');
      given.positional.push(parseExpression(reader));
    }
    if (!reader.skip('operator', ',')) break;
  }
  reader.expect('operator', ')');
  return given;
}
