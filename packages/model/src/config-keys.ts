import { ConfigError } from './config.js';
import { showValue } from './show-value.js';

/** Reads typed values from a parsed `config.json`; every error names the file and the key. */
export class ConfigKeys {
  constructor(
    private readonly raw: Readonly<Record<string, unknown>>,
    private readonly where: string,
  ) {}

  /** Whether there are no keys at all. */
  isEmpty(): boolean {
    return Object.keys(this.raw).length === 0;
  }

  /** Keys whose value is a mapping. */
  mappings(): string[] {
    const isMapping = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
    return Object.keys(this.raw).filter((key) => isMapping(this.raw[key]));
  }

  /** Whether the key is written, be it as null. */
  has(key: string): boolean {
    return Object.hasOwn(this.raw, key);
  }

  /** The value of a key; null and absent are the same to Hugging Face, and undefined here. */
  get(key: string): unknown {
    return Object.hasOwn(this.raw, key) && this.raw[key] !== null ? this.raw[key] : undefined;
  }

  /** @throws ConfigError unless the value (or the fallback) is an integer in [minimum, 2^31). */
  integer(key: string, options: { fallback?: number; minimum?: number } = {}): number {
    const { fallback, minimum = 1 } = options;
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value >= 2 ** 31) {
      return this.refuse(key, `an integer of at least ${minimum}`, value);
    }
    return value;
  }

  /** @throws ConfigError unless the value (or the fallback) is a finite number above zero. */
  positive(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      return this.refuse(key, 'a number above 0', value);
    }
    return value;
  }

  /** @throws ConfigError unless the value (or the fallback) is a boolean. */
  flag(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(key, 'true or false', value);
  }

  /** A token id, a list of them, or nothing, as a list. @throws ConfigError for anything else. */
  tokenIds(key: string): number[] {
    const value = this.get(key) ?? [];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.every((id) => typeof id === 'number' && Number.isInteger(id) && id >= 0)) return list as number[];
    return this.refuse(key, 'a token id or a list of them', value);
  }

  /** The keys of a nested mapping, or undefined when there is none. @throws ConfigError when it is not a mapping. */
  nested(key: string): ConfigKeys | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) return this.refuse(key, 'a mapping', value);
    return new ConfigKeys(value as Record<string, unknown>, `${this.where}: ${key}`);
  }

  /** Throws the error for a value that is not what was expected. */
  refuse(key: string, expected: string, received: unknown): never {
    throw new ConfigError(`${this.where}: ${key}: expected ${expected}, received ${showValue(received)}`);
  }
}
