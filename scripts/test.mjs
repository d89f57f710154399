// Every test, cheapest first: format, lint, types, native tests, CUDA compile, jest. Ends with one line: N passed, N failed, N skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const scratch = mkdtempSync(join(tmpdir(), 'lethe-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options }).status ?? 1;
}

/** Counts a check that passes or fails as a whole. */
function check(name, command, args) {
  const status = run(command, args);
  total[status === 0 ? 'passed' : 'failed']++;
  console.log(`${status === 0 ? 'ok' : 'FAILED'}: ${name}`);
  return status === 0;
}

/** Builds and runs the GoogleTest suites of one CMake preset. */
function nativeTests(preset) {
  const folder = join(root, 'native');
  const isBuilt =
    check(`native configure (${preset})`, 'cmake', [
      '-S',
      folder,
      '-B',
      join(folder, `build-${preset}`),
      '--preset',
      preset,
    ]) && check(`native build (${preset})`, 'cmake', ['--build', join(folder, `build-${preset}`), '-j', '2']);
  if (!isBuilt) return;
  suites('lethe_tests', preset);
  if (preset === 'release') suites('lethe_cuda_tests', preset); // kernels of the GPU, on fibers
}

/** Runs one GoogleTest program of a build and counts its tests. */
function suites(program, preset) {
  const report = join(scratch, `${program}-${preset}.json`);
  const status = run(join(root, 'native', `build-${preset}`, program), [
    '--gtest_brief=1',
    `--gtest_output=json:${report}`,
  ]);
  if (!existsSync(report)) {
    total.failed++;
    console.log(`FAILED: ${program} (${preset}) ended with ${status} and no report`);
    return;
  }
  const { testsuites } = JSON.parse(readFileSync(report, 'utf8'));
  for (const { testsuite } of testsuites) {
    for (const test of testsuite) {
      if (test.failures) total.failed++;
      else if (test.result === 'SKIPPED' || test.status === 'NOTRUN') total.skipped++;
      else total.passed++;
    }
  }
}

/** Compiles the CUDA library where nvcc is. */
function cudaCompile() {
  if (spawnSync('nvcc', ['--version']).status !== 0) {
    total.skipped++;
    console.log('skipped: CUDA compile (no nvcc)');
    return;
  }
  const [folder, build] = [join(root, 'native', 'cuda'), join(root, 'native', 'build-cuda')];
  if (check('CUDA configure', 'cmake', ['-S', folder, '-B', build]))
    check('CUDA compile', 'cmake', ['--build', build, '-j', '2']);
}

function jestTests() {
  const report = join(scratch, 'jest.json');
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
  const projects = ['native', ...packages, 'tests'].filter((folder) =>
    existsSync(join(root, folder, 'jest.config.cjs')),
  );
  const args = [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--projects',
    ...projects,
    '--json',
    `--outputFile=${report}`,
  ];
  run(process.execPath, [...args, '--maxWorkers=2', '--testTimeout=180000']);
  if (!existsSync(report)) {
    total.failed++;
    console.log('FAILED: jest ended without a report');
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  total.skipped += result.numPendingTests + result.numTodoTests;
}

check('format', 'npm', ['run', '--silent', 'format:check']);
check('lint', bin('oxlint'), ['--deny-warnings']);
check('types', bin('tsc'), ['-p', 'tsconfig.test.json']);
nativeTests('release');
nativeTests('asan');
cudaCompile();
jestTests();
rmSync(scratch, { recursive: true });
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
