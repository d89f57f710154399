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
  bail: 1,
  silent: true,
  ci: true,
  watchman: false,
  passWithNoTests: true,
  testTimeout: 180000,
  reporters: [],
  testSequencer: join(folder, 'scripts', 'mutate', 'nearest-first.cjs'),
  projects,
};
try {
  const { results } = await runCLI(options, projects);
  const failing = results.testResults.find((one) => one.numFailingTests > 0 || one.testExecError);
  const test = failing?.testResults.find(({ status }) => status === 'failed');
  const failed = failing && `${failing.testFilePath.slice(folder.length + 1)}: ${test?.fullName ?? 'does not load'}`;
  process.send({ passed: !failing, numTests: results.numTotalTests, failed });
} catch (error) {
  process.send({ error: String(error?.stack ?? error) });
}
