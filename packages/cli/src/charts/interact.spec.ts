// The script of a page in a real browser, where there is one (Debian's chromium): a driver acts, and writes down what it sees.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inBrowser, seenBy } from '../../testing/browser.js';
import { legend } from './axes.js';
import { densitySvg } from './density-svg.js';
import { htmlPage } from './html.js';
import { lineSvg } from './line-svg.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-interact-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DRIVER = `
  const seen = { errors };
  const [line, density] = document.querySelectorAll('svg');
  const point = (svg, type, share, buttons = 0) => {
    const { left, top, width, height } = svg.getBoundingClientRect();
    const at = (56 + share * 572) / 640;
    svg.dispatchEvent(new PointerEvent(type, { clientX: left + at * width, clientY: top + height / 2, buttons, bubbles: true }));
  };
  const tip = () => [...document.querySelector('.tip').children].map((one) => one.textContent);
  const labels = (svg, axis) => [...svg.querySelectorAll('[data-axis=' + axis + '] text')].map((one) => one.textContent);
  const button = (svg, name) => [...svg.nextElementSibling.children].find((one) => one.textContent === name);
  const look = (name) => { seen[name] = { tip: tip(), x: labels(line, 'x'), y: labels(line, 'y') }; };
  point(line, 'pointermove', 0.52); look('hover');
  button(line, 'log axis').click(); look('log');
  button(line, 'log axis').click();
  point(line, 'pointerdown', 0.5, 1); point(line, 'pointermove', 1, 1); point(line, 'pointerup', 1); look('zoomed');
  button(line, 'whole').click(); look('whole');
  document.querySelectorAll('.legend [role=button]')[1].click();
  point(line, 'pointermove', 0.52); look('toggled');
  line.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' })); look('key');
  point(density, 'pointermove', 0.5); seen.density = tip().length;
  seen.noLog = button(density, 'log axis') === undefined;
  point(density, 'pointerleave', 0.5); seen.hidden = document.querySelector('.tip').hidden;
  const out = document.createElement('pre');
  out.id = 'seen';
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
`;

interface Look {
  tip: string[];
  x: string[];
  y: string[];
}
type Seen = Record<'hover' | 'log' | 'zoomed' | 'whole' | 'toggled' | 'key', Look> & {
  errors: string[];
  density: number;
  noLog: boolean;
  hidden: boolean;
};

/** What the driver saw on a page of two figures. */
function drive(): Seen {
  const steps = Array.from({ length: 11 }, (_, i) => 10 * i);
  const series = [
    { name: 'halved', steps, values: steps.map((_, i) => 1 / 2 ** i) },
    { name: 'a <b>', steps, values: steps.map((step) => 0.2 + step / 1000) },
  ];
  const figures = [lineSvg(series, 'probability'), densitySvg([{ name: 'one', values: [1, 2, 4] }], 'nats')];
  const page = htmlPage('Figures', legend(series.map(({ name }) => name)) + figures.join(''));
  const file = join(folder, 'page.html');
  const watch = '<script>const errors = []; onerror = (message) => errors.push(String(message));</script>';
  writeFileSync(file, page.replace('<body>', `<body>${watch}`).replace('</body>', `<script>${DRIVER}</script></body>`));
  return seenBy(file) as Seen;
}

inBrowser(
  'figures tell their values, zoom, change an axis and lose a series, by pointer and by key',
  () => {
    const { errors, hover, log, zoomed, whole, toggled, key, density, noLog, hidden } = drive();
    expect(errors).toEqual([]);
    expect(hover.tip).toEqual(['step 50', 'halved: 0.03125', 'a <b>: 0.25']);
    expect(hover.x).toContain('0');
    expect(log.y).toEqual(expect.arrayContaining(['0.001', '0.01', '0.1', '1']));
    expect(zoomed.x).toEqual(expect.arrayContaining(['60', '100']));
    expect(zoomed.x).not.toContain('20');
    expect(Math.max(...zoomed.y.map(Number))).toBeLessThan(0.5);
    expect(whole.x).toEqual(hover.x);
    expect(whole.y).toEqual(hover.y);
    expect(toggled.tip).toEqual(['step 50', 'halved: 0.03125']);
    expect(key.tip).toEqual(['step 10', 'halved: 0.5']);
    expect([density, noLog, hidden]).toEqual([2, true, true]);
  },
  120_000,
);

it('a page holds one script of its own, asks for nothing, and shows its figures without it', () => {
  const page = htmlPage('Figures', lineSvg([{ name: 'a', steps: [1, 2], values: [3, 4] }], 'loss'));
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(
    /<script[^>]* src|<link|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)|fetch\(|XMLHttpRequest|import\(/,
  );
  expect(page.slice(0, page.indexOf('<script'))).toMatch(/<polyline points="[^"]+"/);
});
