import { temporaryFolder } from '../e2e/lethe.js';
import { departure, readGolden, writeGolden } from './curve.js';
import { prepareCorpus, train, trainLineage } from './lineage.js';

// lethe-cpu in fp32 is off by at most 8e-7 after the five runs, whatever the threads.
const TOLERANCE = 1e-5;
const MAKE_ANEW = 'LETHE_WRITE_CURVES=1 npx jest --projects tests --testPathPatterns regression';

const folder = temporaryFolder();
beforeAll(async () => {
  await prepareCorpus(folder);
  if (!process.env['LETHE_WRITE_CURVES']) return;
  for (const [name, curve] of await trainLineage(folder, 'device=lethe-reference')) writeGolden(name, curve);
});

it.each([
  ['lethe-reference', 1],
  ['lethe-cpu', 1],
  ['lethe-cpu', 2],
])('the curves of every stage on %s with %d threads', async (device, threads) => {
  for (const [name, curve] of await trainLineage(folder, `device=${device}`, `threads=${threads}`)) {
    const found = departure(curve, readGolden(name), TOLERANCE);
    if (found === undefined) continue;
    const advice = `where this is meant, make the curves anew and say in the commit why they moved:\n${MAKE_ANEW}`;
    throw new Error(`${name} leaves golden/${name}.csv at ${found}\n${advice}`);
  }
});

it.each([
  ['a learning rate 0.1% higher', 'refine', 'optimizer.lr=1.001e-3'],
  ['a tenth less weight decay', 'refine', 'optimizer.weightDecay=0.09'],
  ['a tenth more weight on forgetting', 'unlearn', 'objective.weights.forgetting=0.011'],
] as const)('%s is noticed', async (what, name, change) => {
  const changed = await train(folder, name, what.replaceAll(/\W/g, '-'), 'threads=1', change);
  expect(departure({ ...changed, lr: readGolden(name).lr }, readGolden(name), TOLERANCE)).toMatch(
    /^step \d+: expected/,
  );
});
