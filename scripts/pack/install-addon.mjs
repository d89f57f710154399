// Runs when npm has installed @lethe/native: nothing where the prebuilt addon can be loaded; else builds one from the
// sources here, where a compiler, CMake, Ninja and oneDNN are. A failure does not end the installation: every command
// that needs the addon then says what is missing, and `npm rebuild --foreground-scripts @lethe/native` tries again.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, runPhase } from './phase.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const build = join(here, 'build');

/** Whether an addon can be opened, tried in a child: what was built for another machine may end the process. */
const loads = (addon) => spawnSync(process.execPath, ['-e', 'require(process.argv[1])', addon]).status === 0;

async function buildFromSource() {
  const lacking = ['c++', 'cmake', 'ninja'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
  if (lacking.length > 0)
    throw new BuildError(`no prebuilt addon runs here, and to build one ${lacking.join(', ')} is missing`);
  const { include_dir: headers } = require('node-api-headers');
  const defines = [
    `-DCMAKE_JS_INC=${headers}`,
    '-DCMAKE_BUILD_TYPE=Release',
    `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(build, 'Release')}`,
  ];
  const phase = (what, args, log) => ({
    what,
    command: 'cmake',
    args,
    cwd: here,
    log: join(here, log),
    remedy: 'Needed: g++ 12 or clang 14, and oneDNN (Debian: libdnnl-dev).',
  });
  mkdirSync(build, { recursive: true });
  await runPhase(
    phase('configuring the native addon', ['-G', 'Ninja', '-S', here, '-B', build, ...defines], 'configure.log'),
  );
  await runPhase(phase('compiling the native addon', ['--build', build], 'build.log'));
}

let prebuilt;
try {
  prebuilt = require.resolve(`@lethe/native-${process.platform}-${process.arch}/lethe.node`);
} catch {
  // None for this platform.
}
if (!(prebuilt && loads(prebuilt)) && !loads(join(build, 'Release', 'lethe.node')))
  try {
    rmSync(build, { recursive: true, force: true });
    await buildFromSource();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    rmSync(build, { recursive: true, force: true });
    process.stderr.write(`lethe: ${error.message}\n`);
  }
