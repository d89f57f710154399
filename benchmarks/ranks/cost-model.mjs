// What a step over ranks takes, by compute, bytes and latency: node benchmarks/ranks/cost-model.mjs [RESULTS]
// Constants are of what overlap.mjs has measured (results/step-over-ranks.jsonl): when in a step's processor time each
// gradient and weight is ready, what a call and a byte take, what carrying takes of a processor. First the model is held
// against those measurements, then it predicts 1 to 64 ranks, each with as many rows as were measured.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = process.argv[2] ?? fileURLToPath(new URL('../results/step-over-ranks.jsonl', import.meta.url));
const measured = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const least = (all) => Math.min(...all);
const sum = (all) => all.reduce((total, x) => total + x, 0);
const CALLS_BEFORE = 2; // on values, that a step waits for: rows, targets; all other than the last are after its passes
const CALLS = 8;

/** Seconds of a processor in a step of a mode: to compute, to carry on a rank, to be the link. */
const costOf = ({ costs }, mode) => [0, 1, 2].map((i) => least(costs[mode].map((cost) => cost[i])));

/** Bytes a second of a rank each way, by the largest calls, and seconds of a call on values. */
function networkOf({ ranks, network: { reduceScatter, allGather, values } }) {
  const speed = (calls) => (calls.at(-1)[0] * (ranks - 1)) / ranks / calls.at(-1)[1];
  return { speed: (speed(reduceScatter) + speed(allGather)) / 2, latency: values };
}

/** Calls one after another, each as soon as it is ready and the one before is through. @returns when each is. */
function carry(calls, speed) {
  let free = -Infinity;
  return calls.map(({ ready, bytes }) => (free = Math.max(free, ready) + bytes / speed));
}

/**
 * A step of `ranks` ranks whose computing is `faster` times that of the timeline.
 * @returns seconds with what travels beside it, in turn, and with nothing that travels.
 */
export function predict({ timeline, elements }, { ranks, speed, latency, faster = 1 }) {
  const took = timeline.took / faster;
  const [begin, end] = timeline.forward.map((at) => at / faster);
  const share = (ranks - 1) / ranks;
  const calls = (kind, from) =>
    timeline.marks
      .filter(([name]) => name === kind)
      .map(([, count, at]) => ({ ready: at / faster - from, count, bytes: count * 4 * share }));
  const [gathers, scatters] = [calls('allGather', took), calls('reduceScatter', 0)];
  const ofValues = latency * Math.ceil(Math.log2(ranks));
  // Weights of the step before come while this one begins; the forward pass uses them in their order.
  let [used, late] = [0, 0];
  carry(gathers, speed).forEach((arrives, i) => {
    const uses = begin + ((end - begin) * used) / sum(elements);
    late = Math.max(late, arrives - uses - CALLS_BEFORE * ofValues);
    used += gathers[i].count;
  });
  const sent = carry(
    scatters.map(({ ready, bytes }) => ({ ready: ready + late, bytes })),
    speed,
  );
  const waits = scatters.length > 0 ? Math.max(0, sent.at(-1) - scatters.at(-1).ready - late) : 0;
  const none = took + CALLS * ofValues;
  const all = [...gathers, ...scatters];
  return { beside: none + late + waits, inTurn: none + sum(all.map(({ bytes }) => bytes / speed + ofValues)), none };
}

const s = (x) => x.toFixed(2);
const percent = (x) => `${(100 * x).toFixed(0)}%`;
const row = (cells) => say(`| ${cells.join(' | ')} |`);
const say = (text) => process.stdout.write(`${text}\n`);
const timed = measured.filter(({ timeline: { marks } }) => marks.length > 0);
if (timed.length === 0) throw new Error(`${file}: no step of two ranks or more; run benchmarks/ranks/overlap.mjs`);

say('Seconds of a step, measured (least of the rounds) and by the model, which is given those of "without":\n');
row(['ranks, network, rows', 'load', 'without', 'beside', 'model', 'in turn', 'model', 'hidden', 'model']);
row(Array(9).fill('---'));
for (const one of timed) {
  const without = least(one.times.none);
  const [computing] = costOf(one, 'none');
  const network = networkOf(one);
  const ofValues = CALLS * network.latency;
  const model = predict(one, { ranks: one.ranks, ...network, faster: one.timeline.took / (without - ofValues) });
  // No step is shorter than the processors that "without" has had need for all ranks and the link.
  const bound = (mode) => {
    const [compute, carrying, link] = costOf(one, mode);
    return ((compute + carrying + link / one.ranks) / computing) * without;
  };
  for (const mode of ['beside', 'inTurn']) model[mode] = Math.max(model[mode], bound(mode));
  const found = { beside: least(one.times.beside), inTurn: least(one.times.inTurn), none: without };
  const hidden = ({ beside, inTurn, none }) => (one.link ? percent(1 - (beside - none) / (inTurn - none)) : '');
  const where = one.link ? `${one.link[0]} Mbit/s, ${one.link[1]} ms` : 'this machine';
  const both = ['beside', 'inTurn'].flatMap((mode) => [s(found[mode]), s(model[mode])]);
  const what = `${one.ranks}, ${where}, ${one.rows} x ${one.length}`;
  row([what, one.load.toFixed(1), s(without), ...both, hidden(found), hidden(model)]);
}

// The step with most rows, and the network without a process that is the link.
const base = timed.toSorted((a, b) => a.rows * a.length - b.rows * b.length).at(-1);
const wire = timed.find(({ link }) => link?.[1] === 0) ?? base;
const { latency, speed: reached } = networkOf(wire);
const share = wire.link ? reached / (wire.link[0] * 125_000) : 1;
const bytes = sum(base.timeline.marks.map(([, count]) => count * 4)) / 2;
const carrying = bytes / costOf(wire, 'beside')[1];
say('');
say(
  `A rank computes ${base.timeline.took.toFixed(2)} s and sends ${(bytes / 1e6).toFixed(0)} MB between two, half of them gradients. ` +
    `The network gave ${percent(share)} of its rate and ${(latency * 1e3).toFixed(2)} ms a call on values; ` +
    `the thread carried ${(carrying / 1e9).toFixed(2)} GB a second of a processor, each way, over TCP.\n`,
);
say(
  'Share of a step that is computing, by how fast a processor computes, that share of the rate, and 0.05 ms a call:\n',
);
const RANKS = [1, 2, 4, 8, 16, 32, 64];
row(['computing', 'network', ...RANKS]);
row(Array(2 + RANKS.length).fill('---'));
for (const faster of [1, 10, 100])
  for (const network of ['TCP', 10, 100, 400]) {
    // TCP: no faster than the thread that carries; otherwise as if a network card did.
    const speed = network === 'TCP' ? carrying : network * 125e6 * share;
    const cells = RANKS.map((ranks) => {
      const { beside } = predict(base, { ranks, speed, latency: 5e-5, faster });
      return percent(base.timeline.took / faster / beside);
    });
    const name = network === 'TCP' ? 'TCP, 10 Gbit/s or more' : `RDMA, ${network} Gbit/s`;
    row([faster === 1 ? 'as here' : `x ${faster}`, name, ...cells]);
  }
