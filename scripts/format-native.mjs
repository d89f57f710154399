// clang-format over the C++ and CUDA sources: reports what differs, or rewrites it with --write.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const { stdout } = spawnSync('git', ['ls-files', '-z', 'native'], { encoding: 'utf8' });
const files = stdout.split('\0').filter((file) => /\.(cpp|h|cu|cuh)$/.test(file));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const { status } = spawnSync(join('node_modules', '.bin', 'clang-format'), [...mode, ...files], { stdio: 'inherit' });
process.exitCode = status ?? 1;
