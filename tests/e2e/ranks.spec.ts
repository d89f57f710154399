import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@lethe/model';
import { readRunManifest } from '@lethe/run';
import { filesIn, jsonl, PROGRAM, succeed, temporaryFolder } from './lethe.js';
import { ENVIRONMENT, hasMpi, onRanks, startRanks, succeedOnRanks } from './ranks.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
type Records = Record<string, number>[];
const records = (run: string): Records => jsonl<Record<string, number>>(at(run, 'metrics.jsonl'));

/** A stage of ten steps in a folder of runs of its own; checkpoints after the first step and the last. */
const command = (stage: string, runs: string, ...changes: string[]): string[] => {
  const file = stage === 'unlearn' ? 'unlearn.yaml' : 'pretrain.yaml';
  const init = stage === 'refine' || stage === 'finetune' ? ['model={ init: runs/base/model }', `stage=${stage}`] : [];
  const all = [`runs=${runs}`, 'steps=10', 'checkpoint.every=1', 'checkpoint.keep=10', 'name=run', ...init, ...changes];
  return [stage, '--recipe', file, ...all.flatMap((change) => ['--set', change])];
};

/** The first step's gradients, which the first moment is a tenth of. */
const firstGradients = (run: string): Float32Array[] =>
  tensors(`${run}/checkpoints/step-00000001/optimizer.safetensors`, (name) => name.endsWith('.m'));

function tensors(file: string, isWanted: (name: string) => boolean = () => true): Float32Array[] {
  const reader = openSafetensors(at(file));
  try {
    return [...reader.tensors.keys()].filter(isWanted).map((name) => reader.readFloat32(name));
  } finally {
    reader.close();
  }
}

/** The largest difference of two lists of tensors, as a share of the largest value. */
function difference(a: Float32Array[], b: Float32Array[]): number {
  let [most, largest] = [0, 0];
  a.forEach((x, i) =>
    x.forEach((value, j) => {
      most = Math.max(most, Math.abs(value - b[i][j]));
      largest = Math.max(largest, Math.abs(value));
    }),
  );
  return most / largest;
}

const weights = (run: string): Buffer => readFileSync(at(run, 'model/model.safetensors'));

(hasMpi ? describe : describe.skip)('training on several ranks', () => {
  beforeAll(() => pretrainProject(folder), 600_000);

  it.each<[stage: string, precision: string, ranks: number, ...changes: string[]]>([
    ['unlearn', 'fp32', 2],
    ['unlearn', 'fp32', 4],
    ['unlearn', 'bf16', 2],
    ['pretrain', 'fp32', 2],
    ['refine', 'fp32', 4],
    ['finetune', 'fp32', 2],
    ['unlearn', 'fp32', 3, 'model.lora={ rank: 4 }'],
    ['unlearn', 'fp32', 3, 'data.replay=[{ shards: natural/train, held: false }, { shards: natural/heldout }]'],
  ])('%s in %s on %d ranks is what one process does', async (stage, precision, ranks, ...more) => {
    const kind = [stage, precision, ...more.map((change) => change.split(/[.=]/)[1])].join('-');
    const [one, many] = [`one-${kind}`, `${kind}-${ranks}`];
    const changes = [`precision=${precision}`, ...more];
    if (!existsSync(at(one))) await succeed(folder, ...command(stage, one, ...changes));
    await succeedOnRanks({ folder, ranks }, ...command(stage, many, ...changes));
    const [expected, found] = [records(`${one}/run`), records(`${many}/run`)];
    expect(found).toHaveLength(10);
    found.forEach((record, i) => {
      expect(Math.abs(record['loss'] / expected[i]['loss'] - 1)).toBeLessThan(1e-4);
      expect(record['tokens']).toBe(expected[i]['tokens']);
    });
    expect(difference(firstGradients(`${one}/run`), firstGradients(`${many}/run`))).toBeLessThan(1e-5);
  });

  it('gives the same bits in every run, and when it goes on; other numbers of ranks go on too', async () => {
    await succeedOnRanks({ folder, ranks: 2 }, ...command('unlearn', 'whole'));
    await succeedOnRanks({ folder, ranks: 2 }, ...command('unlearn', 'again'));
    expect(weights('again/run').equals(weights('whole/run'))).toBe(true);
    for (const ranks of [1, 2, 4]) {
      const runs = `on-${ranks}`;
      cpSync(at('whole'), at(runs), { recursive: true });
      rmSync(at(runs, 'run/model'), { recursive: true });
      for (const step of ['06', '07', '08', '09', '10'])
        rmSync(at(runs, `run/checkpoints/step-000000${step}`), { recursive: true });
      await succeedOnRanks({ folder, ranks }, ...command('unlearn', runs));
      expect(weights(`${runs}/run`).equals(weights('whole/run'))).toBe(ranks === 2);
      const [expected, found] = [records('whole/run'), records(`${runs}/run`)];
      found.forEach(({ step, loss }, i) => {
        expect(step).toBe(i + 1);
        expect(Math.abs(loss / expected[i]['loss'] - 1)).toBeLessThan(1e-4);
      });
    }
  });

  it('divides the optimizer among ranks: a part of the memory, the same weights; goes on from any, to any', async () => {
    const sizes = 'hiddenSize: 256, intermediateSize: 1024, numLayers: 4, numHeads: 4, maxPositions: 128';
    const model = `model={ tokenizer: natural/tokenizer, config: { ${sizes} } }`;
    const changes = [model, 'steps=3', 'data.rowLength=16', 'optimizer.lr=1e-4', 'metrics.termGradientsEvery=0'];
    const wide = (runs: string, shard = 'optimizer'): string[] =>
      command('pretrain', runs, ...changes, `ranks.shard=${shard}`);
    await succeedOnRanks({ folder, ranks: 3 }, ...wide('wide-whole', 'none'));
    await succeedOnRanks({ folder, ranks: 3 }, ...wide('wide'));
    const [whole, divided] = [records('wide-whole/run'), records('wide/run')];
    divided.forEach(({ loss }, i) => expect(Math.abs(loss / whole[i]['loss'] - 1)).toBeLessThan(1e-6));
    const moments = (runs: string): Float32Array[] =>
      tensors(`${runs}/run/checkpoints/step-00000003/optimizer.safetensors`);
    expect(difference(moments('wide-whole'), moments('wide'))).toBeLessThan(1e-6);
    const parameters = moments('wide').reduce((sum, { length }) => sum + length / 2, 0);
    const bound = 1.15 * parameters * (8 + 8 / 3);
    const measured = divided[2]['memoryBytes'];
    expect(measured).toBeLessThan(bound);
    expect(whole[2]['memoryBytes']).toBeGreaterThan(bound);
    const { stdout } = await succeedOnRanks({ folder, ranks: 3 }, ...wide('wide'), '--dry-run');
    const [, planned] = /^memory of each of 3 ranks \(fp32, estimated\): (.+) MiB$/m.exec(stdout)!;
    expect(stdout.match(/^memory/gm)).toHaveLength(1);
    expect(Math.abs((Number(planned) * 2 ** 20) / measured - 1)).toBeLessThan(0.15);

    const goOn = async (from: string, runs: string, ranks: number, shard?: string): Promise<void> => {
      cpSync(at(from), at(runs), { recursive: true });
      for (const gone of ['model', 'checkpoints/step-00000002', 'checkpoints/step-00000003'])
        rmSync(at(runs, 'run', gone), { recursive: true });
      await succeedOnRanks({ folder, ranks }, ...wide(runs, shard));
    };
    await goOn('wide', 'wide-on-3', 3);
    expect(weights('wide-on-3/run').equals(weights('wide/run'))).toBe(true);
    await goOn('wide', 'wide-on-1', 1);
    await goOn('wide-whole', 'wide-on-2', 2);
    for (const runs of ['wide-on-1', 'wide-on-2'])
      expect(difference(moments('wide'), moments(runs))).toBeLessThan(1e-5);
  });

  it('a manifest says who took part, and only the first rank writes', async () => {
    await succeedOnRanks({ folder, ranks: 3 }, ...command('unlearn', 'three'));
    await succeed(folder, ...command('unlearn', 'alone'));
    const { ranks, processes } = readRunManifest(at('three/run')).launches[0];
    expect(ranks).toBe(3);
    expect(processes).toMatchObject([0, 1, 2].map((rank) => ({ rank, threads: 1, device: 'lethe-cpu' })));
    expect(new Set(processes!.map(({ pid }) => pid)).size).toBe(3);
    expect(readRunManifest(at('alone/run')).launches[0]).toMatchObject({ ranks: 1, processes: [{ rank: 0 }] });
    const names = (run: string): string[] => filesIn(at(run)).map((name) => name.replace(/tfevents\..*/, 'tfevents'));
    expect(names('three/run')).toEqual(names('alone/run'));
    expect(records('three/run').map((record) => record['step'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('validates on shares of the held-out rows', async () => {
    const validation =
      'validation={ every: 5, rows: 12, replay: [{ shards: natural/heldout }], forget: [{ shards: synthetic/heldout }] }';
    await succeed(folder, ...command('unlearn', 'measured', validation));
    await succeedOnRanks({ folder, ranks: 3 }, ...command('unlearn', 'measured-3', validation));
    const measures = (runs: string): unknown[] =>
      records(`${runs}/run`).flatMap(({ validation: found }) => (found === undefined ? [] : [found]));
    const [expected, found] = [measures('measured'), measures('measured-3')] as Record<string, number>[][];
    expect(found).toHaveLength(3);
    found.forEach((one, i) => {
      for (const name of ['replay', 'forgetP', 'mitigation']) expect(one[name]).toBeCloseTo(expected[i][name], 5);
    });
  });

  it('a cached original is computed by all ranks, and read by any number of them', async () => {
    const cached = 'model.original=cached';
    await succeedOnRanks({ folder, ranks: 2 }, ...command('unlearn', 'cached-2', cached));
    const [store] = readdirSync(at('natural/train')).filter((name) => name.startsWith('.original-'));
    const files = readdirSync(at('natural/train', store)).filter((name) => name.startsWith('rows-'));
    expect(files).toEqual(['rows-0.bin', 'rows-1.bin']);
    const { stderr } = await succeed(folder, ...command('unlearn', 'cached-1', cached));
    expect(stderr).not.toContain('computing the hidden states');
    await succeed(folder, ...command('unlearn', 'live-1'));
    const losses = (runs: string): number[] => records(`${runs}/run`).map(({ loss }) => loss);
    losses('live-1').forEach((loss, i) => {
      for (const runs of ['cached-1', 'cached-2']) expect(Math.abs(losses(runs)[i] / loss - 1)).toBeLessThan(1e-4);
    });
  });

  it('refuses more ranks than rows, once and by name', async () => {
    const { code, stderr } = await onRanks({ folder, ranks: 5 }, ...command('pretrain', 'many'));
    expect(code).toBe(1);
    expect(stderr.match(/lethe: .*/g)).toEqual([
      'lethe: a step has 4 rows, and there are 5 ranks; start 4 ranks or fewer, or raise batch.replayRows, batch.forgetRows or batch.accumulate',
    ]);
    expect(existsSync(at('many/run'))).toBe(false);
  });

  it('refuses commands that are the work of one process', async () => {
    const { code, stderr } = await onRanks({ folder, ranks: 2 }, 'inspect', 'natural/train');
    expect(code).not.toBe(0);
    expect(stderr).toContain('lethe inspect is the work of one process, and mpirun (Open MPI) has started 2');
  });

  it('SIGTERM saves on all ranks, and another number of ranks goes on', async () => {
    const long = command('unlearn', 'stopped', 'steps=400', 'checkpoint.every=1000');
    const { process: job, ended } = startRanks({ folder, ranks: 2 }, ...long);
    while (!existsSync(at('stopped/run/metrics.jsonl')) || records('stopped/run').length < 3)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const [{ pid }] = readRunManifest(at('stopped/run')).launches[0].processes!;
    process.kill(pid, 'SIGTERM'); // as Slurm does, to one or all of the ranks
    const { code, stderr } = await ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/stopped after step \d+ of 400; run the same command to go on/);
    expect(job.exitCode).toBe(143);
    const [saved] = readdirSync(at('stopped/run/checkpoints'));
    const step = Number(saved.slice('step-'.length));
    const some = command('unlearn', 'stopped', 'steps=400', 'checkpoint.every=1000');
    const next = startRanks({ folder, ranks: 3 }, ...some);
    while (records('stopped/run').length < step + 2) await new Promise((resolve) => setTimeout(resolve, 50));
    const rank2 = readRunManifest(at('stopped/run')).launches[1].processes![2];
    process.kill(rank2.pid, 'SIGTERM');
    expect((await next.ended).code).toBe(143);
    expect(records('stopped/run').map((record) => record['step'])).toEqual(records('stopped/run').map((_, i) => i + 1));
  });

  it('a rank that is killed ends the job and is named; the same command goes on from the last checkpoint', async () => {
    const args = command('unlearn', 'killed', 'steps=60', 'checkpoint.every=2', 'checkpoint.keep=2');
    const { ended } = startRanks({ folder, ranks: 3 }, ...args);
    while (!existsSync(at('killed/run/metrics.jsonl')) || records('killed/run').length < 6)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const { pid } = readRunManifest(at('killed/run')).launches[0].processes![1];
    const killed = performance.now();
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await ended;
    expect(performance.now() - killed).toBeLessThan(30_000);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      new RegExp(`step \\d+: rank 1 \\(process ${pid} on .+\\) has ended; the job ends on all ranks`),
    );
    await succeedOnRanks({ folder, ranks: 2 }, ...args);
    await succeed(folder, ...command('unlearn', 'unharmed', 'steps=60', 'checkpoint.every=30'));
    const [expected, found] = [records('unharmed/run'), records('killed/run')];
    expect(found.map(({ step }) => step)).toEqual(expected.map(({ step }) => step));
    expect(Math.abs(found.at(-1)!['loss'] / expected.at(-1)!['loss'] - 1)).toBeLessThan(1e-4);
  });

  it('a rank with another recipe is refused by name, once', async () => {
    const other = ['-c', `[ "$OMPI_COMM_WORLD_RANK" = 1 ] && more="$OTHER"; exec "$@" $more`, 'sh'];
    const refusal = (runs: string, more: string): string => {
      const all = [
        '--oversubscribe',
        '-np',
        '2',
        'sh',
        ...other,
        process.execPath,
        PROGRAM,
        ...command('unlearn', runs),
      ];
      const { stderr } = spawnSync('mpirun', all, {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, ...ENVIRONMENT, OTHER: more },
      });
      expect(existsSync(at(runs, 'run/metrics.jsonl'))).toBe(false);
      return (stderr.match(/^lethe: .*/gm) ?? []).join('\n');
    };
    expect(refusal('other-recipe', '--set seed=7')).toMatch(
      /^lethe: rank 1 on .+ has another recipe than rank 0: \w+, not \w+; give every rank the same command$/,
    );
  });
});
