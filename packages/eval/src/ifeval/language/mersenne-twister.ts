const [N, M] = [624, 397];

/**
 * The generator MT19937 (Matsumoto and Nishimura 1998) with the draws that Python's `random` makes of it: langdetect's
 * verdicts depend on them.
 */
export class MersenneTwister {
  private readonly state = new Uint32Array(N);
  private at = N;
  private spare: number | undefined;

  /** Seeded by the array [seed], as Python seeds by an integer below 2^32. */
  constructor(seed: number) {
    const { state } = this;
    const mixed = (i: number, factor: number): number => Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor) >>> 0;
    state[0] = 19650218;
    for (let i = 1; i < N; i++) state[i] = mixed(i, 1812433253) + i;
    for (let k = 0, i = 1; k < N; k++) {
      state[i] = (state[i] ^ mixed(i, 1664525)) + seed;
      if (++i === N) [state[0], i] = [state[N - 1], 1];
    }
    // The first pass has wrapped once and ends at 2.
    for (let k = 0, i = 2; k < N - 1; k++) {
      state[i] = (state[i] ^ mixed(i, 1566083941)) - i;
      if (++i === N) [state[0], i] = [state[N - 1], 1];
    }
    state[0] = 0x80000000;
  }

  private bits(count: number): number {
    if (this.at === N) this.twist();
    let y = this.state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> (32 - count);
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < N; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
      state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return (this.bits(27) * 2 ** 26 + this.bits(26)) / 2 ** 53;
  }

  /** Of mean 0 and variance 1. */
  normal(): number {
    const spare = this.spare;
    this.spare = undefined;
    if (spare !== undefined) return spare;
    const angle = 2 * Math.PI * this.uniform();
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    this.spare = Math.sin(angle) * radius;
    return Math.cos(angle) * radius;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    const count = 32 - Math.clz32(end);
    for (;;) {
      const drawn = this.bits(count);
      if (drawn < end) return drawn;
    }
  }
}
