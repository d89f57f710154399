/** What may be shown of the text so far, and whether a stop sequence has come. */
export interface Matched {
  text: string;
  isStopped: boolean;
}

/**
 * Finds stop sequences in a text that arrives in pieces. Text that may be the beginning of a stop sequence is held
 * back until it is known not to be; a stop sequence and all after it are never shown.
 */
export class StopMatcher {
  private held = '';

  constructor(private readonly stops: readonly string[]) {}

  /** Adds a piece. After a stop nothing more is to be added. */
  push(piece: string): Matched {
    const text = this.held + piece;
    const found = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.held = '';
      return { text: text.slice(0, Math.min(...found)), isStopped: true };
    }
    const shown = text.length - this.longestBeginning(text);
    this.held = text.slice(shown);
    return { text: text.slice(0, shown), isStopped: false };
  }

  /** The text held back, when no more will come. */
  flush(): string {
    const text = this.held;
    this.held = '';
    return text;
  }

  /** Length of the longest end of the text that begins a stop sequence. */
  private longestBeginning(text: string): number {
    let longest = 0;
    for (const stop of this.stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
