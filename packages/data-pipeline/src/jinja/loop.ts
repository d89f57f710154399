import { equal } from './comparing.js';
import { TemplateError } from './template-error.js';
import { Callable, Opaque, Undefined, type Value } from './values.js';

/** The `loop` of a `for`, moved along by `at`. */
export class Loop {
  at = 0;
  private changed: Value[] | undefined;
  readonly value: Opaque;

  constructor(
    private readonly items: Value[],
    private readonly depth: number,
    recurse?: (items: Value) => Value,
  ) {
    const callable = recurse && new Callable('loop', ([inner]) => recurse(inner));
    this.value = new Opaque('LoopContext', (name) => this.attribute(name), callable);
  }

  private attribute(name: string): Value | undefined {
    const { at, items, depth } = this;
    switch (name) {
      case 'index':
        return at + 1;
      case 'index0':
        return at;
      case 'revindex':
        return items.length - at;
      case 'revindex0':
        return items.length - at - 1;
      case 'first':
        return at === 0;
      case 'last':
        return at === items.length - 1;
      case 'length':
        return items.length;
      case 'depth':
        return depth + 1;
      case 'depth0':
        return depth;
      case 'previtem':
        return at > 0 ? items[at - 1] : new Undefined('there is no previous item');
      case 'nextitem':
        return at + 1 < items.length ? items[at + 1] : new Undefined('there is no next item');
      case 'cycle':
        return new Callable('cycle', (values) => this.cycled(values));
      case 'changed':
        return new Callable('changed', (values) => this.isChanged(values));
      default:
        return undefined;
    }
  }

  private cycled(values: Value[]): Value {
    if (values.length === 0) throw new TemplateError('no items for cycling given');
    return values[this.at % values.length];
  }

  private isChanged(values: Value[]): boolean {
    const before = this.changed;
    this.changed = values;
    return before === undefined || !equal(before, values);
  }
}
