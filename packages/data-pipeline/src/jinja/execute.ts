import { callValue } from './attributes.js';
import { applyFilter, evaluate, evaluateArguments } from './evaluate.js';
import { isTrue, iterate } from './iteration.js';
import { Loop } from './loop.js';
import type { BlockFilter, ForStatement, Parameter, Statement, Target } from './nodes.js';
import { Scope } from './scope.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { textOf } from './text-of.js';
import { Callable, Dict, type Named, Namespace, Tuple, typeName, Undefined, type Value } from './values.js';

/** Text that is being written; `generations` are the parts that `{% generation %}` marks, as offsets. */
export class Output {
  text = '';
  readonly generations: [start: number, end: number][] = [];
  constructor(readonly isOutermost = false) {}
}

type Ending = 'break' | 'continue' | undefined;

/** Longest text that a template may write. */
const MAX_TEXT = 2 ** 28;

/** Runs statements, writing to `out`; tells how a loop around them goes on. */
export function execute(body: readonly Statement[], scope: Scope, out: Output): Ending {
  for (const statement of body) {
    const ending = run(statement, scope, out);
    if (ending) return ending;
  }
  return undefined;
}

function run(statement: Statement, scope: Scope, out: Output): Ending {
  switch (statement.kind) {
    case 'text':
      write(out, statement.text);
      return undefined;
    case 'print':
      for (const value of statement.values) write(out, textOf(evaluate(value, scope)));
      return undefined;
    case 'if': {
      const branch = statement.branches.find(({ test }) => isTrue(evaluate(test, scope)));
      return execute(branch?.body ?? statement.otherwise, scope, out);
    }
    case 'for':
      return runLoop(statement, { scope, out, items: evaluate(statement.items, scope), depth: 0 });
    case 'set':
      assign(statement.target, evaluate(statement.value, scope), scope);
      return undefined;
    case 'set-block':
      assign(statement.target, filtered(captured(statement.body, new Scope(scope)), statement.filters, scope), scope);
      return undefined;
    case 'with': {
      const inner = new Scope(scope);
      const values = statement.values.map((value) => evaluate(value, scope));
      statement.targets.forEach((target, i) => assign(target, values[i], inner));
      return execute(statement.body, inner, out);
    }
    case 'macro':
      scope.set(statement.name, macro(statement, scope));
      return undefined;
    case 'call-block':
      write(out, textOf(callWithCaller(statement, scope)));
      return undefined;
    case 'filter-block':
      write(out, textOf(filtered(captured(statement.body, new Scope(scope)), statement.filters, scope)));
      return undefined;
    case 'generation':
      return runGeneration(statement.body, scope, out);
    default:
      return statement.kind;
  }
}

function write(out: Output, text: string): void {
  out.text += text;
  if (out.text.length > MAX_TEXT) throw new UnsupportedTemplateError(`a text of more than ${MAX_TEXT} characters`);
}

function captured(body: readonly Statement[], scope: Scope): string {
  const out = new Output();
  execute(body, scope, out);
  return out.text;
}

function filtered(text: string, filters: BlockFilter[], scope: Scope): Value {
  return filters.reduce<Value>((value, filter) => applyFilter(value, filter, scope), text);
}

function runGeneration(body: readonly Statement[], scope: Scope, out: Output): undefined {
  const start = out.text.length;
  write(out, captured(body, new Scope(scope)));
  if (out.isOutermost) out.generations.push([start, out.text.length]);
}

interface LoopRun {
  scope: Scope;
  out: Output;
  items: Value;
  depth: number;
}

function runLoop(statement: ForStatement, { scope, out, items, depth }: LoopRun): undefined {
  const { target, test, body, isRecursive, otherwise } = statement;
  const enter = (item: Value): Scope => {
    const inner = new Scope(scope);
    assign(target, item, inner);
    return inner;
  };
  const all = iterate(items);
  const kept = test ? all.filter((item) => isTrue(evaluate(test, enter(item)))) : all;
  const recurse = (inner: Value): Value => {
    const nested = new Output();
    runLoop(statement, { scope, out: nested, items: inner, depth: depth + 1 });
    return nested.text;
  };
  let isComplete = false;
  const loop = new Loop(kept, depth, isRecursive ? recurse : undefined);
  for (const item of kept) {
    const inner = enter(item);
    inner.set('loop', loop.value);
    const ending = execute(body, inner, out);
    isComplete ||= ending === undefined;
    if (ending === 'break') break;
    loop.at++;
  }
  // Also after a first break, or where every turn of the loop went on early: jinja2 notes a turn at its end.
  if (!isComplete) execute(otherwise, new Scope(scope), out);
}

function assign(target: Target, value: Value, scope: Scope): void {
  if (target.kind === 'name') scope.set(target.name, value);
  else if (target.kind === 'attribute') {
    const object = scope.get(target.object);
    if (!(object instanceof Namespace)) throw new TemplateError('cannot assign attribute on non-namespace object');
    object.attributes.set(target.name, value);
  } else {
    const items = iterate(value);
    if (items.length !== target.items.length) {
      throw new TemplateError(
        `cannot unpack ${items.length} values of a ${typeName(value)} into ${target.items.length} names`,
      );
    }
    target.items.forEach((inner, i) => assign(inner, items[i], scope));
  }
}

interface MacroParts {
  name: string;
  parameters: Parameter[];
  body: Statement[];
}

function macro({ name, parameters, body }: MacroParts, outer: Scope): Callable {
  const used = namesIn(body);
  const call = (positional: Value[], named: Named): Value => {
    const scope = new Scope(outer);
    const rest = new Map(named);
    parameters.forEach((parameter, i) => {
      const isNamed = rest.has(parameter.name);
      if (isNamed && i < positional.length)
        throw new TemplateError(`macro '${name}' got multiple values for '${parameter.name}'`);
      const given = i < positional.length ? positional[i] : rest.get(parameter.name);
      rest.delete(parameter.name);
      const missing = new Undefined(`parameter '${parameter.name}' was not provided`);
      const fallback = (): Value => (parameter.fallback ? evaluate(parameter.fallback, scope) : missing);
      scope.set(parameter.name, given === undefined ? fallback() : given);
    });
    const caller = rest.get('caller');
    if (used.has('caller')) {
      scope.set('caller', caller === undefined ? new Undefined('No caller defined') : caller);
      rest.delete('caller');
    }
    setRest(scope, { name, used, rest, extra: positional.slice(parameters.length) });
    return captured(body, scope);
  };
  const attributes = new Map<string, Value>([
    ['name', name],
    ['arguments', new Tuple(parameters.map((parameter) => parameter.name))],
    ['catch_kwargs', used.has('kwargs')],
    ['catch_varargs', used.has('varargs')],
    ['caller', used.has('caller')],
  ]);
  return new Callable(name, call, attributes);
}

/** Arguments beyond the parameters: allowed where the macro uses `varargs` and `kwargs`. */
function setRest(scope: Scope, given: { name: string; used: Set<string>; rest: Named; extra: Value[] }): void {
  const { name, used, rest, extra } = given;
  if (used.has('kwargs')) scope.set('kwargs', new Dict(rest));
  else if (rest.size > 0) throw new TemplateError(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`);
  if (used.has('varargs')) scope.set('varargs', new Tuple(extra));
  else if (extra.length > 0) throw new TemplateError(`macro '${name}' takes fewer arguments than ${extra.length} more`);
}

/** Names that a body mentions, wherever. */
function namesIn(body: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    const { kind, name } = node as { kind?: unknown; name?: unknown };
    if (kind === 'name' && typeof name === 'string') names.add(name);
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(body);
  return names;
}

function callWithCaller(statement: Extract<Statement, { kind: 'call-block' }>, scope: Scope): Value {
  const { call, parameters, body } = statement;
  const { positional, named } = evaluateArguments(call.arguments, scope);
  named.set('caller', macro({ name: 'caller', parameters, body }, scope));
  return callValue(evaluate(call.callee, scope), positional, named);
}
