import type { Batch, RowOrigin } from '@lethe/data-pipeline';
import { baselm, initializeLlama, type Llama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import { heldOf, type MicroBatch, withHeldLast } from './micro-batch.js';
import { accumulateGradients, countTargets, type StepContext } from './step.js';

const [V, T] = [50, 8];
const SIZES = { hiddenSize: 16, intermediateSize: 16, numLayers: 1, numHeads: 2, numKeyValueHeads: 2, headDim: 8 };
const config = baselm({ ...SIZES, vocabSize: V, maxPositions: T, initializerRange: 0.4, tieEmbeddings: true });

const originIn = (folder: string, row: number): RowOrigin => ({
  set: { folder, packing: 'concat', rowLength: T, seed: 1, digest: folder, numRows: 10 },
  row,
});

/** Rows of one document each, with more targets from row to row. */
function rowsOf(folders: readonly string[]): Batch {
  const numRows = folders.length;
  const numbers = (f: (n: number) => number): Int32Array => Int32Array.from({ length: numRows * T }, (_, n) => f(n));
  const ids = numbers((n) => (7 * n * n + 3 * n) % V);
  const targets = numbers((n) => (n % T > Math.floor(n / T) ? -1 : ids[n + 1]));
  return {
    ids,
    targets,
    positions: numbers((n) => n % T),
    first: numbers(() => 0),
    last: numbers((n) => n % T),
    numRows,
    rowLength: T,
    numTargets: targets.filter((id) => id >= 0).length,
    documents: [],
    origins: folders.map((name, row) => originIn(name, row)),
  };
}

const isFree = ({ set }: RowOrigin): boolean => set.digest === 'free';
const gradientsOf = ({ model }: { model: Llama }): number[] =>
  model.parameters.flatMap(({ grad }) => [...grad.dataSync()]);
const contextOf = (mitigation: number): StepContext => ({
  model: initializeLlama(config, 3),
  original: initializeLlama(config, 4),
  objective: { method: 'complement', weights: { forgetting: 0, replay: 1, mitigation }, reduction: 'mean' },
  recompute: false,
});

describe('replay rows that are not held', () => {
  const mixed: MicroBatch = { replay: rowsOf(['held', 'free', 'held', 'free', 'free']) };
  const sorted = withHeldLast(mixed, isFree);

  it('come first, each with all that belongs to it', () => {
    expect(sorted.numFree).toBe(3);
    expect(sorted.replay!.origins!.map(({ row }) => row)).toEqual([1, 3, 4, 0, 2]);
    for (const name of ['ids', 'targets', 'positions', 'first', 'last'] as const)
      for (const [i, row] of [1, 3, 4, 0, 2].entries())
        expect(sorted.replay![name].slice(i * T, (i + 1) * T)).toEqual(
          mixed.replay![name].slice(row * T, (row + 1) * T),
        );
    expect(sorted.replay!.numTargets).toBe(mixed.replay!.numTargets);
    expect(heldOf(sorted)!.origins!.map(({ row }) => row)).toEqual([0, 2]);
    expect(countTargets([sorted], 'complement')).toEqual({ forget: 0, replay: 15, held: 4 });
  });

  it('leave rows alone where all are held, or none is', () => {
    expect(heldOf(mixed)).toBe(mixed.replay);
    expect(heldOf(withHeldLast({ replay: rowsOf(['free', 'free']) }, isFree))).toBeUndefined();
  });

  it('are learned from and not held, to the gradient', async () => {
    await useDevice('lethe-cpu');
    const [together, apart] = [contextOf(2), contextOf(2)];
    const sums = accumulateGradients(together, [sorted]);
    const counts = { forget: 0, replay: 15, held: 4 };
    // The same rows in two passes, of which one has a mitigation term.
    const cut = (free: boolean): MicroBatch => {
      const names = mixed.replay!.origins!.map((origin) => isFree(origin) === free);
      const rows = names.flatMap((isMine, r) => (isMine ? [r] : []));
      const made = withHeldLast(mixed, ({ row }) => !rows.includes(row));
      return { replay: heldOf(made) };
    };
    const held = accumulateGradients(apart, [cut(false)], { counts });
    accumulateGradients({ ...apart, original: undefined }, [cut(true)], { counts });
    expect(sums.mitigation).toBeCloseTo(held.mitigation, 4);
    expect([sums.heldTargets, sums.replayTargets]).toEqual([4, 15]);
    expect(sums.mitigation).toBeGreaterThan(0.1);
    const [a, b] = [gradientsOf(together), gradientsOf(apart)];
    expect(Math.hypot(...a.map((x, i) => x - b[i])) / Math.hypot(...b)).toBeLessThan(1e-5);
    const all = contextOf(2);
    accumulateGradients(all, [mixed]);
    const c = gradientsOf(all);
    expect(Math.hypot(...a.map((x, i) => x - c[i])) / Math.hypot(...c)).toBeGreaterThan(0.05);
  });
});
