// Runs one command of a build: a line when it begins, percents while it goes on, and its cause last where it fails.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** A command failed; the message ends with its cause. */
export class BuildError extends Error {}

// What compilers, linkers, CMake, tsc and the system say of a failure.
const CAUSE = /\berror\b|\bFAILED\b|undefined reference|cannot find|Could NOT find|No space left|Killed|not found/i;
const NOISE = /^-- |^ninja: |^ERR! OMG|ERROR OMG|errors? occurred!|CMakeError\.log|CMakeOutput\.log|-Werror|^info /;

/** The lines of an output that tell its cause: at most `most`, each with what follows it indented. */
export function causeOf(output, most = 12) {
  const lines = output.split(/\r?\n/);
  const cause = [];
  for (let i = 0; i < lines.length && cause.length < most; i++) {
    if (!CAUSE.test(lines[i]) || NOISE.test(lines[i])) continue;
    cause.push(lines[i]);
    while (/^\s+\S/.test(lines[i + 1] ?? '') && cause.length < most) cause.push(lines[++i]);
  }
  return cause.length > 0 ? cause : lines.filter((line) => line.trim() !== '').slice(-most);
}

const say = (text) => process.stderr.write(`build: ${text}\n`);

/** Prints `what` with the percents that ninja's `[done/all]` tell: in place on a terminal, else every 25. */
function progress(what) {
  const inPlace = process.stderr.isTTY;
  let shown = 0;
  return (text) => {
    const steps = [...text.matchAll(/^\[(\d+)\/(\d+)\]/gm)].at(-1);
    if (!steps) return;
    const percent = Math.floor((100 * Number(steps[1])) / Number(steps[2]));
    if (inPlace) process.stderr.write(`\rbuild: ${what}, ${percent}%${percent === 100 ? '\n' : ''}`);
    else if (percent >= shown + 25 && percent < 100) say(`${what}, ${percent}%`);
    if (percent >= shown + 25) shown = percent;
  };
}

/**
 * Runs a command to its end. @throws BuildError where it fails, after writing its whole output to `log`.
 * @param {{ what: string, command: string, args: string[], cwd: string, log: string, remedy: string }} phase
 */
export async function runPhase({ what, command, args, cwd, log, remedy }) {
  say(what);
  const tell = progress(what);
  const chunks = [];
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      chunks.push(text);
      tell(text);
    });
  }
  const ending = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit status ${code}`)));
  });
  if (ending === undefined) return;
  const output = chunks.join('');
  writeFileSync(log, output);
  throw new BuildError(
    [
      `${what} failed (${ending}); all of its output: ${log}. ${remedy ? `${remedy} ` : ''}The cause:`,
      ...causeOf(output),
    ].join('\n'),
  );
}
