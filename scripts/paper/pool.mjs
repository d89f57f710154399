// Claims of seeds that were made in several folders, apart and together: node scripts/paper/pool.mjs FOLDER ... > claims.json
// A table for people goes to standard error. The folders must be of one regime and precision.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimsOf } from '../../packages/cli/dist/paper/studies/claims.js';

const folders = process.argv.slice(2);
if (folders.length === 0) {
  process.stderr.write('usage: node scripts/paper/pool.mjs FOLDER ... > claims.json\n');
  process.exit(2);
}
const read = (folder) => JSON.parse(readFileSync(join(folder, 'paper.json'), 'utf8'));
const parts = folders.map(read);
const [{ regime, precision }] = parts;
for (const [i, part] of parts.entries())
  if (JSON.stringify([part.regime, part.precision]) !== JSON.stringify([regime, precision])) {
    process.stderr.write(`${folders[i]}: of another regime or precision than ${folders[0]}; pool folders of one\n`);
    process.exit(1);
  }
const groups = [
  ...parts.map(({ lineages }) => lineages),
  ...(parts.length > 1 ? [parts.flatMap((p) => p.lineages)] : []),
];
const seedsOf = (lineages) => lineages.map(({ seed }) => seed);
const twice = seedsOf(groups.at(-1)).find((seed, i, all) => all.indexOf(seed) !== i);
if (twice !== undefined) {
  process.stderr.write(`seed ${twice} is in two folders: its lineage would count twice\n`);
  process.exit(1);
}
const results = groups.map((lineages) => ({ seeds: seedsOf(lineages), claims: claimsOf(lineages, regime) }));

const signed = (x) => `${x > 0 ? '+' : ''}${Math.abs(x) < 1 ? x.toFixed(3) : x.toFixed(1)}`;
const told = ({ outcome, effect, low, high }) =>
  `${outcome.replaceAll('-', ' ')}, ${signed(effect)} [${signed(low)}, ${signed(high)}]`;
const row = (cells) => `| ${cells.join(' | ')} |\n`;
const header = [
  'claim',
  'forgets',
  '',
  ...results.map(({ seeds }) => `${seeds.length} seeds from ${seeds[0]}`),
  'unit',
];
process.stderr.write(row(header) + row(header.map(() => '---')));
for (const [i, { id, span = '', claim, unit }] of results[0].claims.entries())
  process.stderr.write(row([id, span, claim, ...results.map(({ claims }) => told(claims[i])), unit]));
process.stdout.write(`${JSON.stringify({ precision, groups: results }, null, 1)}\n`);
