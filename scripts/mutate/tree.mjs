// A copy of the commit that is checked out, in which files may be spoilt: the built addon is copied, installed packages are borrowed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes the copy into an empty folder. */
export function copyTree(root, folder) {
  const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@lethe'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@lethe') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of ['native', ...readdirSync(join(folder, 'packages'))]) {
    const target = name === 'native' ? name : join('packages', name);
    symlinkSync(join(folder, target), join(modules, '@lethe', name));
    const own = join(root, target, 'node_modules'); // versions that differ from the workspace's
    if (existsSync(own)) symlinkSync(own, join(folder, target, 'node_modules'));
  }
  // Copied, so that a build in the checkout changes nothing here.
  const addon = join('native', 'build', 'Release', 'lethe.node');
  mkdirSync(dirname(join(folder, addon)), { recursive: true });
  copyFileSync(join(root, addon), join(folder, addon));
  // Tests of the sources alone are run, so nothing is to be built.
  writeFileSync(join(folder, 'tests', 'build-once.mjs'), 'export default () => {};\n');
}
