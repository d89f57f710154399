// One run of jest: node runner.mjs FOLDER '{ "projects": [...], "related": [...], "pattern": "..." }'. Tells the process
// that started it { passed, numTests, failed }.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const { projects, related, pattern } = JSON.parse(process.argv[3]);
process.chdir(folder);
const { runCLI } = createRequire(join(folder, 'package.json'))('jest');

const options = {
  $0: 'jest',
  _: related ?? [],
  findRelatedTests: related !== undefined,
  testPathPatterns: pattern ? [pattern] : undefined,
  runInBand: true,
  silent: true,
  ci: true,
  watchman: false,
  passWithNoTests: true,
  testTimeout: 180000,
  reporters: [join(folder, 'scripts', 'mutate', 'first-failure.cjs')],
  testSequencer: join(folder, 'scripts', 'mutate', 'nearest-first.cjs'),
  projects,
};
try {
  const { results } = await runCLI(options, projects);
  process.send({ passed: results.success, numTests: results.numTotalTests });
} catch (error) {
  process.send({ error: String(error?.stack ?? error) });
}
