// How often the 95% intervals of packages/eval hold the truth, by simulation: node scripts/coverage.mjs [ROUNDS]
// A line for each kind of score and number of items: the mean over the populations named beside it, and the least.
import { seededRandom } from '@lethe/run';
import { build } from './build.mjs';

await build();
const dist = new URL('../packages/eval/dist/', import.meta.url);
const load = (name) => import(new URL(name, dist));
const { macroInterval, meanInterval, shareInterval, wilson } = await load('interval.js');
const { binaryDifference, clusteredDifference, macroDifference } = await load('compare/difference-interval.js');

const rounds = Number(process.argv[2] ?? 2000);
const random = seededRandom(1, 'coverage');
const SIZES = [8, 20, 50, 164];
const RATES = [0.1, 0.3, 0.5, 0.8, 0.95];
const flip = (p) => (random.next() < p ? 1 : 0);
const sum = (values) => values.reduce((total, x) => total + x, 0);
const times = (n, f) => Array.from({ length: n }, (_, i) => f(i));

/** A value in [0, 1] of mean p: the mean of k trials. */
const fraction = (p, k) => sum(times(k, () => flip(p))) / k;
/** A rate of one cluster, of mean p, so that members of a cluster are alike. */
const clusterRate = (p) => (flip(0.5) ? Math.min(1, p + 0.3 * Math.min(p, 1 - p)) : p - 0.3 * Math.min(p, 1 - p));

/** Each gives, for n items and a population, the truth and an interval of one sample. */
const kinds = {
  'right or wrong (Wilson)': { populations: RATES, draw: (n, p) => [p, wilson(sum(times(n, () => flip(p))), n)] },
  'fractions of 4': { populations: RATES, draw: (n, p) => [p, meanInterval(times(n, () => fraction(p, 4)))] },
  'mean of 4 groups': {
    populations: RATES,
    draw: (n, p) => [p, macroInterval(times(4, (g) => times(Math.ceil((n - g) / 4), () => flip(p))))],
  },
  'share of parts in clusters': {
    populations: RATES,
    draw: (n, p) => {
      const cluster = () => {
        const [rate, whole] = [clusterRate(p), 1 + random.int(3)];
        return { part: sum(times(whole, () => flip(rate))), whole };
      };
      return [p, shareInterval(times(n, cluster))];
    },
  },
  'difference, right or wrong': {
    populations: [
      [0.1, 0.1],
      [0.2, 0.1],
      [0.3, 0.05],
      [0.05, 0.05],
      [0.4, 0.2],
    ],
    draw: (n, [up, down]) => {
      const changes = times(n, () => random.next()).map((u) => (u < up ? 1 : u < up + down ? -1 : 0));
      const count = (sign) => changes.filter((x) => x === sign).length;
      return [up - down, binaryDifference(count(-1), count(1), n).difference];
    },
  },
  'difference, mean of 4 groups': {
    populations: [
      [0.1, 0.1],
      [0.2, 0.1],
      [0.3, 0.05],
      [0.4, 0.2],
    ],
    draw: (n, [up, down]) => {
      const change = () => {
        const u = random.next();
        return u < up ? 1 : u < up + down ? -1 : 0;
      };
      return [up - down, macroDifference(times(4, (g) => times(Math.ceil((n - g) / 4), change))).difference];
    },
  },
  'difference in clusters': {
    populations: [0, 0.1, 0.3],
    rounds: Math.ceil(rounds / 10),
    draw: (n, shift) => {
      const change = () => (fraction(0.5 + shift / 2, 5) - fraction(0.5 - shift / 2, 5)) / n;
      const changes = times(n, () => ({ change: change(), weight: 1 / n }));
      return [shift, clusteredDifference(changes, seededRandom(random.int(2 ** 31), 'signs').next).difference];
    },
  },
};

for (const [name, { populations, draw, rounds: own = rounds }] of Object.entries(kinds))
  for (const n of SIZES) {
    const shares = populations.map((population) => {
      const held = times(own, () => draw(n, population)).filter(
        ([truth, { low, high }]) => low <= truth + 1e-12 && truth <= high + 1e-12,
      );
      return held.length / own;
    });
    const mean = sum(shares) / shares.length;
    process.stdout.write(
      `${name.padEnd(32)} n ${String(n).padStart(3)}  mean ${mean.toFixed(3)}  least ${Math.min(...shares).toFixed(3)}\n`,
    );
  }
