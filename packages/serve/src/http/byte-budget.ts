import { ApiError } from './api-error.js';

/** Bodies up to here do not count: their number is bounded by the number of connections. */
const SMALL = 1 << 16;

/** The bytes of one body. */
export interface HeldBytes {
  /** Its size is now this. @throws ApiError 429 when the budget has no room for it. */
  grow(size: number): void;
  release(): void;
}

/** How many bytes of large bodies the server holds at once, whoever sends them. */
export class ByteBudget {
  private used = 0;

  constructor(private readonly most: number) {}

  /** A body that begins. */
  hold(): HeldBytes {
    let mine = 0;
    return {
      grow: (size) => {
        if (size <= SMALL) return;
        if (this.used - mine + size > this.most) {
          throw new ApiError(
            429,
            `the server is reading ${this.used} bytes of requests and takes ${this.most} at once; try again later`,
            { code: 'too_many_bytes', headers: { 'retry-after': '1', connection: 'close' } },
          );
        }
        this.used += size - mine;
        mine = size;
      },
      release: () => {
        this.used -= mine;
        mine = 0;
      },
    };
  }
}
