import { Undefined, type Value } from './values.js';

/** Names and their values; an inner scope sees the outer ones, and sets its own. */
export class Scope {
  private readonly values = new Map<string, Value>();

  constructor(private readonly outer?: Scope) {}

  get(name: string): Value {
    const value = this.values.get(name);
    if (value !== undefined) return value;
    return this.outer ? this.outer.get(name) : new Undefined(`'${name}' is undefined`);
  }

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }
}
