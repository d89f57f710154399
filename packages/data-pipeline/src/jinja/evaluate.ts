import { calculate, signed } from './arithmetic.js';
import { attributeOf, callValue, itemOf, sliceOf } from './attributes.js';
import { contains, equal, order } from './comparing.js';
import { isTrue, iterate } from './iteration.js';
import type { Arguments, BlockFilter, Expression } from './nodes.js';
import { OPERATIONS } from './operations.js';
import type { Scope } from './scope.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { textOf } from './text-of.js';
import { Dict, Markup, type Named, Tuple, Undefined, type Value } from './values.js';

/** The value of an expression in a scope. @throws TemplateError as jinja2 would. */
export function evaluate(node: Expression, scope: Scope): Value {
  const value = (inner: Expression): Value => evaluate(inner, scope);
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'name':
      return scope.get(node.name);
    case 'list':
      return node.items.map(value);
    case 'tuple':
      return new Tuple(node.items.map(value));
    case 'concat':
      return concatenated(node.items.map(value));
    case 'dict':
      return new Dict(node.entries.map(([key, entry]) => [value(key), value(entry)]));
    case 'attribute':
      return attributeOf(value(node.object), node.name);
    case 'item':
      return itemOf(value(node.object), value(node.key));
    case 'slice':
      return sliced(node, scope);
    case 'call':
      return called(node.callee, node.arguments, scope);
    case 'filter':
      return applyFilter(value(node.value), node, scope);
    case 'test':
      return tested(node, scope);
    case 'and':
    case 'or': {
      const left = value(node.left);
      return isTrue(left) === (node.kind === 'or') ? left : value(node.right);
    }
    case 'not':
      return !isTrue(value(node.value));
    case 'sign':
      return signed(node.operator, value(node.value));
    case 'binary':
      return calculate(node.operator, value(node.left), value(node.right));
    case 'compare':
      return compared(node, scope);
    case 'condition':
      if (isTrue(value(node.test))) return value(node.value);
      return node.otherwise
        ? value(node.otherwise)
        : new Undefined('the inline if-expression evaluated to false and no else section was defined.');
  }
}

function concatenated(values: Value[]): Value {
  if (values.some((value) => value instanceof Markup)) throw new UnsupportedTemplateError('~ of text marked safe');
  return values.map(textOf).join('');
}

function sliced(node: Extract<Expression, { kind: 'slice' }>, scope: Scope): Value {
  const part = (inner: Expression | undefined): Value => (inner ? evaluate(inner, scope) : null);
  const object = evaluate(node.object, scope);
  return sliceOf(object, { start: part(node.start), stop: part(node.stop), step: part(node.step) });
}

function called(callee: Expression, given: Arguments, scope: Scope): Value {
  const target = evaluate(callee, scope);
  const { positional, named } = evaluateArguments(given, scope);
  return callValue(target, positional, named);
}

function tested(node: Extract<Expression, { kind: 'test' }>, scope: Scope): boolean {
  const { positional, named } = evaluateArguments(node.arguments, scope);
  if (named.size > 0) throw new UnsupportedTemplateError(`named arguments of the test "${node.name}"`);
  return OPERATIONS.test(node.name, evaluate(node.value, scope), positional);
}

/** Applies a filter to a value. */
export function applyFilter(value: Value, filter: BlockFilter, scope: Scope): Value {
  const { positional, named } = evaluateArguments(filter.arguments, scope);
  return OPERATIONS.filter(filter.name, value, positional, named);
}

/** Arguments of a call, with `*args` and `**kwargs` spread. */
export function evaluateArguments(given: Arguments, scope: Scope): { positional: Value[]; named: Named } {
  const positional = given.positional.map((node) => evaluate(node, scope));
  if (given.rest) positional.push(...iterate(evaluate(given.rest, scope)));
  const named: Named = new Map(given.named.map(([name, node]) => [name, evaluate(node, scope)]));
  const rest = given.namedRest && evaluate(given.namedRest, scope);
  if (rest === undefined) return { positional, named };
  if (!(rest instanceof Dict)) throw new TemplateError('argument after ** must be a mapping');
  for (const [name, value] of rest.entries()) {
    if (typeof name !== 'string') throw new TemplateError('keywords must be strings');
    if (named.has(name)) throw new TemplateError(`got multiple values for keyword argument '${name}'`);
    named.set(name, value);
  }
  return { positional, named };
}

function compared({ first, rest }: Extract<Expression, { kind: 'compare' }>, scope: Scope): boolean {
  let left = evaluate(first, scope);
  for (const { operator, value } of rest) {
    const right = evaluate(value, scope);
    if (!holds(operator, left, right)) return false;
    left = right;
  }
  return true;
}

function holds(operator: string, left: Value, right: Value): boolean {
  if (operator === '==') return equal(left, right);
  if (operator === '!=') return !equal(left, right);
  if (operator === 'in') return contains(right, left);
  if (operator === 'not in') return !contains(right, left);
  const compared = order(left, right, operator);
  if (operator === '<') return compared < 0;
  if (operator === '<=') return compared <= 0;
  return operator === '>' ? compared > 0 : compared >= 0;
}
