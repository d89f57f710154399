/** Least-recently-used values by key, bounded by the sum of their sizes; the newest is always kept. */
export class ByteCache<T> {
  private readonly entries = new Map<string | number, { value: Promise<T>; bytes: number }>();
  private total = 0;

  constructor(private readonly maxBytes: number) {}

  /** The value of a key, loading it if absent; concurrent calls share one load, and a failed load is forgotten. */
  get(key: string | number, bytes: number, load: () => Promise<T>): Promise<T> {
    const known = this.entries.get(key);
    if (known) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.value;
    }
    const value = load();
    const entry = { value, bytes };
    this.entries.set(key, entry);
    this.total += bytes;
    value.catch(() => this.drop(key, entry));
    for (const [oldest, held] of this.entries) {
      if (this.total <= this.maxBytes || oldest === key) break;
      this.drop(oldest, held);
    }
    return value;
  }

  private drop(key: string | number, entry: { bytes: number }): void {
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.total -= entry.bytes;
  }
}
