import { UserError } from '@lethe/run';
import { alone, type Collectives } from '@lethe/tensor';
import { stopOfAny } from './over-ranks.js';
import { requireSame, requireSameClock } from './same-job.js';
import { firstAlone, isTogether, together, ToldError } from './together.js';

/** Ranks that are promises of one process: sums and texts, no tensors. */
function ranksOfOneProcess(size: number): (Collectives & { ended: string[] })[] {
  const calls: { given: unknown[]; left: number; done: () => void; all: Promise<void> }[] = [];
  const exchange = async <T>(rank: number, call: number, value: T): Promise<T[]> => {
    calls[call] ??= open(size);
    const one = calls[call];
    one.given[rank] = value;
    if (--one.left === 0) one.done();
    await one.all;
    return one.given as T[];
  };
  return Array.from({ length: size }, (_, rank) => {
    let call = 0;
    const ended: string[] = [];
    return {
      ...alone,
      rank,
      size,
      places: Array.from({ length: size }, (_place, i) => ({ host: `host-${i}`, pid: 100 + i })),
      sum: async (values) => {
        const all = await exchange(rank, call++, values);
        return values.map((_value, i) => all.reduce((sum, one) => sum + one[i], 0));
      },
      gather: (text) => exchange(rank, call++, text),
      barrier: async () => void (await exchange(rank, call++, 0)),
      failedTogether: () => void ended.push('together'),
      ended,
    };
  });
}

function open(size: number): { given: unknown[]; left: number; done: () => void; all: Promise<void> } {
  let done = (): void => {};
  const all = new Promise<void>((resolve) => (done = resolve));
  return { given: [], left: size, done, all };
}

const outcome = (work: Promise<unknown>): Promise<unknown> => work.then(String, (error: unknown) => error);
const errors = (all: unknown[]): string[] =>
  all.map((one) => `${(one as Error).constructor.name} ${(one as Error).message}`);

describe('work that ranks do together', () => {
  it('gives each its result', async () => {
    const ranks = ranksOfOneProcess(3);
    expect(await Promise.all(ranks.map((one) => together(one, () => one.rank * 2)))).toEqual([0, 2, 4]);
  });

  it('fails on all where it fails on one, which says why', async () => {
    const work = (rank: number): void => {
      if (rank === 1) throw new UserError('the disk is full');
    };
    const all = await Promise.all(ranksOfOneProcess(3).map((one) => outcome(together(one, () => work(one.rank)))));
    expect(errors(all)).toEqual([
      'ToldError rank 1 on host-1: the disk is full',
      'UserError rank 1 on host-1: the disk is full',
      'ToldError rank 1 on host-1: the disk is full',
    ]);
    expect(all.every(isTogether)).toBe(true);
  });

  it('one says what all say, and each what it alone says', async () => {
    const reasons = ['no file', 'no file', 'no memory'];
    const fail = (rank: number): never => {
      throw new RangeError(reasons[rank]);
    };
    const all = await Promise.all(ranksOfOneProcess(3).map((one) => outcome(together(one, () => fail(one.rank)))));
    expect(errors(all)).toEqual([
      'RangeError no file',
      'ToldError rank 0 on host-0: no file',
      'RangeError rank 2 on host-2: no memory',
    ]);
  });

  it('is only the work where a process is alone', async () => {
    const error = new Error('mine');
    await expect(
      together(alone, () => {
        throw error;
      }),
    ).rejects.toBe(error);
    expect(isTogether(error)).toBe(false);
  });

  it('the first does alone comes before that of the others', async () => {
    const order: number[] = [];
    const work = async (rank: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, rank === 0 ? 20 : 0));
      order.push(rank);
      return rank;
    };
    const all = await Promise.all(ranksOfOneProcess(3).map((one) => firstAlone(one, () => work(one.rank))));
    expect(all).toEqual([0, 1, 2]);
    expect(order[0]).toBe(0);
  });
});

describe('what must be the same on all ranks', () => {
  const facts = (value: string) => [
    { name: 'recipe', value: 'a', remedy: 'x' },
    { name: 'data', value, remedy: 'give every rank the same shards' },
  ];

  it('passes where it is', async () => {
    await Promise.all(ranksOfOneProcess(2).map((one) => requireSame(facts('b'), one)));
  });

  it('is refused by name, said by the first rank', async () => {
    const all = await Promise.all(
      ranksOfOneProcess(3).map((one) => outcome(requireSame(facts(one.rank === 2 ? 'c' : 'b'), one))),
    );
    expect((all[0] as Error).message).toBe(
      'rank 2 on host-2 has another data than rank 0: c, not b; give every rank the same shards',
    );
    expect(all.map((one) => one instanceof ToldError)).toEqual([false, true, true]);
  });

  it('a clock that is far off is refused', async () => {
    const at = (offset: number) =>
      Promise.all(ranksOfOneProcess(2).map((one) => outcome(requireSameClock(one, () => 1e12 + one.rank * offset))));
    expect(await at(5000)).toEqual(['undefined', 'undefined']);
    expect((await at(-95_000)).map((one) => (one as Error).message)[0]).toBe(
      'the clock of rank 1 on host-1 differs from that of rank 0 by -95 s; set it by NTP',
    );
  });
});

it('a signal to one rank stops all', async () => {
  const stop = { requested: 'SIGINT', dispose: () => {} } as const;
  const asked = (rank: number) =>
    Promise.all(ranksOfOneProcess(3).map((one) => stopOfAny(one.rank === rank ? stop : undefined, one)));
  expect(await asked(1)).toEqual(['SIGINT', 'SIGINT', 'SIGINT']);
  expect(await asked(7)).toEqual([undefined, undefined, undefined]);
});
