// A t-SNE layout here and in scikit-learn, of the same points in one run: node benchmarks/tsne/run.mjs [POINTS] [DIMENSIONS]
// [ROUNDS]. LETHE_PYTHON names a Python that has scikit-learn. Prints seconds of wall clock and of processors, the KL divergence
// of both layouts from the same affinities, and how many of each point's ten nearest neighbours they keep.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { affinities, divergence, nearestNeighbours, tsne } from '@lethe/analysis';
import { seededRandom } from '@lethe/run';
import { setNumThreads, useDevice } from '@lethe/tensor';

const [count = 4000, dimensions = 512, rounds = 1] = process.argv.slice(2).map(Number);
const [THREADS, GROUPS, PERPLEXITY] = [2, 20, 30];
await useDevice('lethe-cpu');
setNumThreads(THREADS);

/** Groups of points, each spread along few directions of its own, as documents of several kinds are. */
function cloud() {
  const random = seededRandom(1, 'benchmark', 'tsne');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const groups = Array.from({ length: GROUPS }, () => ({
    centre: Float64Array.from({ length: dimensions }, () => 2 * normal()),
    axes: Array.from({ length: 8 }, () => Float64Array.from({ length: dimensions }, () => normal())),
  }));
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const { centre, axes } = groups[i % GROUPS];
    const along = axes.map(() => normal());
    for (let d = 0; d < dimensions; d++)
      values[i * dimensions + d] =
        centre[d] + axes.reduce((sum, axis, a) => sum + along[a] * axis[d], 0) + 0.3 * normal();
  }
  return { values, count };
}

const seconds = (since) => (performance.now() - since) / 1000;
const points = cloud();
const near = nearestNeighbours(points, 10);
const P = affinities(nearestNeighbours(points, 3 * PERPLEXITY + 1), PERPLEXITY);

/** The share of each point's ten nearest neighbours that are among its ten nearest in the layout. */
function keptNeighbours(layout) {
  const found = nearestNeighbours({ values: Float32Array.from(layout), count }, 10);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const own = new Set(found.places.subarray(10 * i, 10 * i + 10));
    for (let rank = 0; rank < 10; rank++) kept += own.has(near.places[10 * i + rank]) ? 1 : 0;
  }
  return kept / (10 * count);
}

const show = (name, wall, used, layout) =>
  process.stdout.write(
    `${name}: ${wall.toFixed(1)} s, ${used.toFixed(1)} s of processors, KL ${divergence(P, layout).toFixed(4)}, ` +
      `neighbours kept ${(100 * keptNeighbours(layout)).toFixed(1)}%\n`,
  );

const folder = mkdtempSync(join(tmpdir(), 'lethe-tsne-'));
try {
  const [source, target] = ['points.bin', 'layout.bin'].map((name) => join(folder, name));
  writeFileSync(source, points.values);
  process.stdout.write(`${count} points of ${dimensions}, ${THREADS} threads\n`);
  for (let round = 0; round < rounds; round++) {
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    const own = tsne(points, { perplexity: PERPLEXITY });
    const wall = seconds(began);
    const { user, system } = process.cpuUsage(cpu);
    show('lethe', wall, (user + system) / 1e6, own);
    const script = fileURLToPath(new URL('sklearn_tsne.py', import.meta.url));
    const args = [script, source, String(count), target, String(THREADS)];
    const { stdout, stderr, status } = spawnSync(process.env.LETHE_PYTHON ?? 'python3', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const [theirs, theirUsed, version] = stdout.trim().split(' ');
    const bytes = readFileSync(target);
    const layout = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    show(`scikit-learn ${version}`, Number(theirs), Number(theirUsed), layout);
    process.stdout.write(`ratio ${(wall / Number(theirs)).toFixed(2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
