// What a new user does, each form in a bare root of its own. A step runs a shell line in the clone of HEAD, and fails
// where its exit status or its output is not what it must be.
import { readFileSync } from 'node:fs';

const QUICK_DEMO = 'npm run demo -- --quick';

/** The README's first command, as root. */
async function demo(machine) {
  await machine.step(QUICK_DEMO, { prints: /report\.html/ });
  await machine.step('npx lethe doctor', { prints: /built from these sources/ });
}

/** The README's second command. */
async function test(machine) {
  await machine.step('npm test', { prints: /^\d+ passed, 0 failed, \d+ skipped$/m });
}

/** A user who may install nothing gets one exact line for an administrator, and after it everything works. */
async function user(machine) {
  const refusal = /^setup: system packages are missing.*: sudo sh -c '(.+)'$/m;
  const text = await machine.step(QUICK_DEMO, { user: 'lethe', status: 1, prints: refusal });
  await machine.step(refusal.exec(text)[1]);
  await machine.step(QUICK_DEMO, { user: 'lethe', prints: /report\.html/ });
}

/** Ctrl-C while npm installs, while CMake configures and while the compiler runs; a compiler that is killed. */
async function interrupted(machine) {
  const setUp = 'bash scripts/setup.sh';
  for (const during of [/installing npm packages/, /configuring the native addon/, /addon, 25%/])
    await machine.step(setUp, { interruptAfter: during, status: 130 });
  const killer = '(until pkill -KILL cc1plus; do sleep 1; done)';
  await machine.step(`${killer} & ${setUp}`, { status: 1, prints: /compiling the native addon failed/ });
  await machine.step(QUICK_DEMO, { prints: /report\.html/ });
}

/** The commands of the README, in its order, without their comments; the two long ones have forms of their own. */
function readmeCommands() {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const lines = [...readme.matchAll(/^ {4}((?:npm|npx) .+?)(?: +#.*)?$/gm)].map(([, line]) => line);
  return lines.filter((line) => line !== 'npm run demo' && line !== 'npm test');
}

/** Every command of the README as it is printed, on a small model of the user's. */
async function readme(machine) {
  await machine.step('bash scripts/setup.sh');
  await machine.step('node scripts/fresh-machine/readme-project.mjs');
  for (const command of readmeCommands()) await machine.step(command);
}

/** The packages, made on a machine with compilers, installed into an empty folder of one without. */
async function pack(machine) {
  await machine.step('bash scripts/setup.sh && node scripts/pack.mjs packed', { prints: /lethe-\d.*\.tgz/ });
  const bare = machine.another();
  bare.take(machine, 'packed');
  await bare.step('for tool in cc g++ clang cmake ninja; do ! command -v $tool || exit 1; done');
  await bare.step('npm init -y >/dev/null && npm install --no-audit --no-fund ./packed/*.tgz', {
    prints: /added \d+ packages/,
  });
  await bare.step('npx lethe doctor', { prints: /addon/ });
  await bare.step('npx lethe demo --quick', { prints: /report\.html/ });
  await bare.step('cp node_modules/lethe/example.mjs . && node example.mjs', { prints: /repaired: the template/ });
}

/** The same where there is no compiled addon for the platform, on a machine with compilers: npm builds it from the sources. */
async function source(machine) {
  await machine.step('bash scripts/setup.sh && node scripts/pack.mjs packed');
  const from = '$(ls ../lethe/packed/*.tgz | grep -v native-linux)';
  const install = `npm init -y >/dev/null && npm install --omit=optional --no-audit --no-fund ${from}`;
  await machine.step(`mkdir ../user && cd ../user && ${install}`, { prints: /added \d+ packages/ });
  await machine.step('! ls -d ../user/node_modules/@lethe/native-linux*');
  await machine.step('cd ../user && npx lethe doctor', { prints: /addon/ });
  await machine.step('cd ../user && cp node_modules/lethe/example.mjs . && node example.mjs', {
    prints: /repaired: the template/,
  });
}

export const forms = { demo, readme, test, user, interrupted, pack, source };
