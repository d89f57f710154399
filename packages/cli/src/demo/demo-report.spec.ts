import { demoMeasures, score } from '../../testing/demo-measures.js';
import { shiftsAgainst } from './measure.js';
import type { DemoResults } from './demo-results.js';
import { FULL, QUICK } from './settings.js';
import { verdicts } from './verdict.js';
import { demoReport, demoTable } from './demo-report.js';

const NAMES = ['base', 'synth', 'unlearn', 'ga', 'refine', 'base-chat', 'synth-chat', 'refine-chat', 'unlearn-chat'];

function results(changes: Partial<DemoResults> = {}): DemoResults {
  const judged = Array.from({ length: 7 }, (_, i) => ({
    prompt: `prompt <${i}>`,
    response: `response ${i}`,
    satisfied: [true, i > 2],
    level: 2,
  }));
  const hsr = score(40, 50);
  const measures = demoMeasures({
    synth: { logPerplexities: { natural: [0, 2], synthetic: [0, 2], instructions: [0.25, 1.75] } },
    'base-chat': { instructions: { hsr, ssr: score(60, 70), byLevel: [], judged } },
  });
  const models = Object.fromEntries(
    Object.entries(measures).map(([name, of]) => [name, { ...of, shiftAgainstBase: shiftsAgainst(of, measures.base) }]),
  ) as DemoResults['models'];
  return {
    settings: FULL,
    machine: { cpu: 'CPU <1>', cores: 2 },
    git: { commit: '0123456789abcdef', isDirty: false },
    versions: { lethe: '0.1.0' },
    seconds: 599.6,
    numDocuments: { natural: 200, synthetic: 150 },
    templateTokens: [{ id: 1, text: '<b>' }],
    models,
    verdicts: verdicts(measures),
    ...changes,
  };
}

describe('demoTable', () => {
  const [table, found] = demoTable(results()).split('\n\n');
  const rows = new Map(table.split('\n').map((line) => [line.split(/\s+/)[0], line]));

  it('has a row per model, in the order in which they are made', () => {
    const names = table.split('\n').map((line) => line.split(/\s+/)[0]);
    expect(names.slice(2)).toEqual(NAMES);
  });

  it('shows shifts against base for every other model, and instruction scores of -chat models', () => {
    expect(rows.get('base')).toMatch(/^base +100\.00 +10\.00 +20\.00 +0\.250 +25\.0 \[20\.0, 30\.0\]$/);
    expect(rows.get('synth')).toMatch(
      /^synth +100\.00 +10\.00 +20\.00 +0\.250 +0\.56 +0\.250 +25\.0 \[20\.0, 30\.0\]$/,
    );
    expect(rows.get('base-chat')).toMatch(/\[20\.0, 30\.0\] +45\.0 \[40\.0, 50\.0\] +65\.0 \[60\.0, 70\.0\]$/);
  });

  it('says of every claim how it came out here', () => {
    const { verdicts: all } = results();
    expect(found.split('\n')).toHaveLength(2 * all.length);
    expect(found).toMatch(/^holds here: C3: synthetic data shifts/m);
    expect(found).toMatch(/^unclear here: C6/m);
    expect(found).toMatch(/^does not hold here: C7/m);
  });
});

describe('demoReport', () => {
  it('is one page that needs nothing from elsewhere, with every number finite', () => {
    const page = demoReport(results());
    expect(page).not.toMatch(/https?:|src=|<link|@import|url\(|NaN|undefined|Infinity/);
    expect(page.match(/<svg/g)).toHaveLength(3);
    expect(page).toContain('600 s on CPU &lt;1&gt;, 2 cores; lethe 0.1.0, commit 0123456789ab.');
    expect(page).toContain('(200 natural, 150 synthetic)');
    expect(page).toContain('<pre>&quot;&lt;b&gt;&quot;</pre>');
  });

  it('marks each verdict by its outcome', () => {
    const page = demoReport(results());
    expect(page).toContain('<b class="holds">holds here</b>: C3: synthetic');
    expect(page).toContain('<b class="not">does not hold here</b>: C7');
    expect(page).toContain('<b class="unclear">unclear here</b>: C6');
  });

  it('shows five responses of a model, escaped, with the constraints they meet', () => {
    const page = demoReport(results());
    expect(page.match(/prompt &lt;\d&gt;/g)).toHaveLength(5);
    expect(page).toContain('prompt &lt;2&gt;\n  &gt; response 2\n  constraints met: 1 of 2');
    expect(page).toContain('prompt &lt;3&gt;\n  &gt; response 3\n  constraints met: 2 of 2');
  });

  it.each([
    [
      'a changed checkout',
      { git: { commit: '0123456789abcdef', isDirty: true } },
      ', commit 0123456789ab with changes.',
    ],
    ['no checkout', { git: null }, 'lethe 0.1.0.'],
    ['the full demo', {}, '<title>Lethe demo</title>'],
    ['the quick demo', { settings: QUICK }, '<title>Lethe demo: demo-quick</title>'],
  ])('says so of %s', (_case, changes, text) => {
    expect(demoReport(results(changes))).toContain(text);
  });
});
