// One rank of the tests of collectives, started by mpirun: `collectives-ranks.mjs lethe.node CASE [DEADLINE]`.
import { createRequire } from 'node:module';

const [path, which, deadline = '60'] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(path);
const ALL_REDUCE = 0;
const REDUCE_SCATTER = 1;
const ALL_GATHER = 2;
const BROADCAST = 3;
const BARRIER = 4;
const CPU = 1;
const { rank, size, library, places } = addon.openCollectives('mpi', Number(deadline), 3);
const ranks = Array.from({ length: size }, (_, i) => i);
const total = (f) => ranks.reduce((sum, r) => sum + f(r), 0);
const tell = (text) => process.stdout.write(`${text}\n`);
const fail = (text) => {
  tell(`rank ${rank}: ${text}`);
  addon.abortCollectives();
};
const same = (what, found, expected) => {
  const at = [...expected].findIndex((value, i) => !Object.is(found[i], value));
  if (at >= 0 || found.length !== expected.length)
    fail(`${what}[${at}]: expected ${expected[at]}, received ${found[at]}`);
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The bits of small whole numbers in bf16: all sums below are exact.
const bf16 = (values) => Uint16Array.from(values, (x) => new Uint32Array(Float32Array.of(x).buffer)[0] >>> 16);
const kinds = { f32: (v) => Float32Array.from(v), f64: (v) => Float64Array.from(v), bf16 };

// The longest is carried in several pieces.
async function sums() {
  for (const [name, make] of Object.entries(kinds)) {
    for (const n of [0, 1, 3, 40_000, ...(name === 'f32' ? [1_500_001] : [])]) {
      const value = (r, i) => (r + 1) * ((i % 7) - 3);
      const list = (f) => make(Array.from({ length: n }, (_, i) => f(i)));
      const x = list((i) => value(rank, i));
      await addon.collectiveOnArray(ALL_REDUCE, x, n, 0);
      same(
        `all_reduce ${name}`,
        x,
        list((i) => total((r) => value(r, i))),
      );
      const whole = make(ranks.flatMap((part) => Array.from({ length: n }, (_, i) => value(rank, i) + part)));
      await addon.collectiveOnArray(REDUCE_SCATTER, whole, n, 0);
      const mine = whole.subarray(rank * n, rank * n + n);
      same(
        `reduce_scatter ${name}`,
        mine,
        list((i) => total((r) => value(r, i) + rank)),
      );
      await addon.collectiveOnArray(ALL_GATHER, whole, n, 0);
      same(
        `all_gather ${name}`,
        whole,
        make(ranks.flatMap((part) => Array.from({ length: n }, (_, i) => total((r) => value(r, i) + part)))),
      );
      const root = size - 1;
      const sent = list((i) => value(rank, i));
      await addon.collectiveOnArray(BROADCAST, sent, n, root);
      same(
        `broadcast ${name}`,
        sent,
        list((i) => value(root, i)),
      );
    }
  }
}

async function buffers() {
  for (const isBf16 of [false, true]) {
    const make = isBf16 ? bf16 : (v) => Float32Array.from(v);
    const x = make([9, rank, 2 * rank, 9]);
    const buffer = addon.alloc(CPU, x.byteLength, isBf16);
    addon.write(buffer, 0, x);
    await addon.collectiveOnBuffer(ALL_REDUCE, CPU, buffer, 1, 2, 0);
    addon.read(buffer, 0, x);
    same('buffer', x, make([9, total((r) => r), total((r) => 2 * r), 9]));
    addon.release(buffer);
  }
}

// Floats that round: every rank must hold the same bits, and the same in every run.
async function bits() {
  const x = Float32Array.from({ length: 100_000 }, (_, i) => Math.sin(i + 17 * rank) * 10 ** ((i % 9) - 4));
  await addon.collectiveOnArray(ALL_REDUCE, x, x.length, 0);
  let hash = 0;
  for (const word of new Uint32Array(x.buffer)) hash = (Math.imul(hash, 31) + word) >>> 0;
  const found = Float64Array.from(ranks, (r) => (r === rank ? hash : 0));
  await addon.collectiveOnArray(ALL_REDUCE, found, size, 0);
  same(
    'bits',
    found,
    ranks.map(() => hash),
  );
  if (rank === 0) tell(`bits ${hash}`);
}

// In the order in which they were given, whatever is awaited first.
async function order() {
  const all = Array.from({ length: 50 }, (_, i) => Float32Array.of(i * (rank + 1)));
  const done = [];
  await Promise.all(
    all.map((x, i) => addon.collectiveOnArray(i % 2 ? ALL_REDUCE : BROADCAST, x, 1, 0).then(() => done.push(i))),
  );
  same(
    'order',
    done,
    all.map((_, i) => i),
  );
}

const cases = {
  async works() {
    if (places.length !== size || places[rank].pid !== process.pid) fail(`places ${JSON.stringify(places)}`);
    for (const part of [sums, buffers, bits, order]) await part();
    await addon.collectiveOnArray(BARRIER, new Uint8Array(0), 0, 0);
    if (rank === 0) tell(`${size} ranks over ${library}`);
  },
  async killed() {
    addon.collectivesAt('step 7');
    if (rank === 1) process.kill(process.pid, 'SIGKILL');
    await addon.collectiveOnArray(ALL_REDUCE, new Float32Array(1), 1, 0);
  },
  async stopped() {
    addon.collectivesAt('step 8');
    if (rank === 1) process.kill(process.pid, 'SIGSTOP');
    await addon.collectiveOnArray(ALL_REDUCE, new Float32Array(1), 1, 0);
  },
  async late() {
    addon.collectivesAt(rank === 1 ? 'loading' : 'step 9');
    if (rank === 1) await pause(60_000);
    await addon.collectiveOnArray(ALL_REDUCE, new Float32Array(1), 1, 0);
  },
  async aborted() {
    if (rank === 1) addon.abortCollectives();
    await addon.collectiveOnArray(ALL_REDUCE, new Float32Array(1), 1, 0);
  },
};
await cases[which]();
addon.closeCollectives();
