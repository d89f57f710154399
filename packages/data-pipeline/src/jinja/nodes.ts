import type { Float } from './values.js';

/** An expression of the template language. */
export type Expression =
  | { kind: 'constant'; value: string | number | boolean | null | Float }
  | { kind: 'name'; name: string }
  | { kind: 'list' | 'tuple' | 'concat'; items: Expression[] }
  | { kind: 'dict'; entries: [Expression, Expression][] }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'item'; object: Expression; key: Expression }
  | { kind: 'slice'; object: Expression; start?: Expression; stop?: Expression; step?: Expression }
  | Call
  | { kind: 'filter'; value: Expression; name: string; arguments: Arguments }
  | { kind: 'test'; value: Expression; name: string; arguments: Arguments }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; value: Expression }
  | { kind: 'sign'; operator: '-' | '+'; value: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'compare'; first: Expression; rest: { operator: string; value: Expression }[] }
  | { kind: 'condition'; test: Expression; value: Expression; otherwise?: Expression };

/** A call. */
export interface Call {
  kind: 'call';
  callee: Expression;
  arguments: Arguments;
}

/** Arguments of a call, filter or test. */
export interface Arguments {
  positional: Expression[];
  named: [string, Expression][];
  /** `*args` and `**kwargs`. */
  rest?: Expression;
  namedRest?: Expression;
}

/** What a value is assigned to. */
export type Target =
  | { kind: 'name'; name: string }
  | { kind: 'attribute'; object: string; name: string }
  | { kind: 'tuple'; items: Target[] };

/** A parameter of a macro, with its default. */
export interface Parameter {
  name: string;
  fallback?: Expression;
}

/** A filter without the value it is applied to, as in `{% filter upper %}`. */
export interface BlockFilter {
  name: string;
  arguments: Arguments;
}

/** A statement, or text and values to print. */
export type Statement =
  | { kind: 'text'; text: string }
  | { kind: 'print'; values: Expression[] }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | ForStatement
  | { kind: 'set'; target: Target; value: Expression }
  | { kind: 'set-block'; target: Target; filters: BlockFilter[]; body: Statement[] }
  | { kind: 'with'; targets: Target[]; values: Expression[]; body: Statement[] }
  | { kind: 'macro'; name: string; parameters: Parameter[]; body: Statement[] }
  | { kind: 'call-block'; call: Call; parameters: Parameter[]; body: Statement[] }
  | { kind: 'filter-block'; filters: BlockFilter[]; body: Statement[] }
  | { kind: 'generation'; body: Statement[] }
  | { kind: 'break' | 'continue' };

/** `{% for target in items if test %}`. */
export interface ForStatement {
  kind: 'for';
  target: Target;
  items: Expression;
  test?: Expression;
  isRecursive: boolean;
  body: Statement[];
  otherwise: Statement[];
}
