#!/usr/bin/env node
// Does what a new user does, on machines that have nothing: node scripts/fresh-machine/main.mjs [FORM ...]
// Needs root, and mmdebstrap; takes minutes. Ends with one line: N passed, N failed, N skipped.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeRootArchive, must, unpackRoot } from './bare-root.mjs';
import { enter } from './enter.mjs';
import { forms } from './forms.mjs';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const USAGE = `usage: node scripts/fresh-machine/main.mjs [--release bookworm|trixie] [--shared FOLDER] [--keep] [FORM ...]
forms: ${Object.keys(forms).join(', ')} (default: all, each in a root of its own; demo+pack: one after the other in one root)
--shared FOLDER  the data that LETHE_DATA names, for npm test
--keep           leave the roots, and print where they are`;

/** A root, and what is done in it. */
class Machine {
  constructor(archive, scratch, options) {
    this.root = mkdtempSync(join(scratch, 'root-'));
    Object.assign(this, { archive, scratch, options });
    unpackRoot(archive, this.root);
    this.folder = '/home/lethe/lethe';
    mkdirSync(join(this.root, this.folder), { recursive: true });
  }

  /** The checkout of HEAD. */
  clone() {
    writeFileSync(join(this.root, 'etc/gitconfig'), '[safe]\n\tdirectory = *\n'); // root works in the user's clone
    must('git', ['clone', '--quiet', '--no-hardlinks', repository, join(this.root, this.folder)]);
    must('chroot', [this.root, 'chown', '-R', 'lethe:lethe', '/home/lethe']);
    return this;
  }

  /** One more bare root, with an empty folder instead of a checkout. */
  another() {
    return new Machine(this.archive, this.scratch, this.options);
  }

  /** Copies a folder of another machine's checkout into this one's. */
  take(other, path) {
    cpSync(join(other.root, other.folder, path), join(this.root, this.folder, path), { recursive: true });
  }

  /** Runs a line; gives what it printed. @throws where it ends otherwise than with `status`, or does not print `prints`. */
  async step(line, { status = 0, prints, user = 'root', interruptAfter } = {}) {
    process.stdout.write(`  ${user}: ${line}\n`);
    const { root, folder } = this;
    const began = Date.now();
    const onText = (text) => this.options.verbose && process.stdout.write(text);
    const result = await enter({ root, user, folder, line, interruptAfter, shared: this.options.shared, onText });
    process.stdout.write(`    ${Math.round((Date.now() - began) / 1000)} s\n`);
    if (result.status !== status || (prints && !prints.test(result.text)))
      throw new Error(
        `expected exit status ${status}${prints ? ` and ${prints}` : ''}, received ${result.status}:\n${result.text.slice(-6000)}`,
      );
    return result.text;
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      release: { type: 'string', default: 'bookworm' },
      shared: { type: 'string' },
      keep: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.flatMap((names) => names.split('+')).filter((name) => !forms[name]);
  if (values.help || unknown.length > 0) {
    console.log(unknown.length > 0 ? `no form is called ${unknown.join(', ')}\n${USAGE}` : USAGE);
    process.exit(values.help ? 0 : 2);
  }
  if (process.getuid() !== 0) throw new Error('a bare root is made and entered by root: run this as root');
  const scratch = mkdtempSync(join(tmpdir(), 'lethe-fresh-'));
  const total = { passed: 0, failed: 0 };
  try {
    console.log(`a bare Debian ${values.release}`);
    const archive = join(scratch, 'root.tar');
    makeRootArchive(values.release, archive);
    for (const names of positionals.length > 0 ? positionals : Object.keys(forms)) await tryForms(names);
    async function tryForms(names) {
      console.log(names);
      try {
        const machine = new Machine(archive, scratch, values).clone();
        for (const name of names.split('+')) await forms[name](machine);
        total.passed++;
        console.log(`ok: ${names} (${values.release})`);
      } catch (error) {
        total.failed++;
        console.log(`FAILED: ${names} (${values.release}): ${error.message}`);
      }
    }
  } finally {
    if (values.keep) console.log(`kept: ${scratch}`);
    else rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`${total.passed} passed, ${total.failed} failed, 0 skipped`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(`fresh-machine: ${error.message}`);
  process.exitCode = 1;
}
