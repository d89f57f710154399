import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inBrowser, seenBy } from '../../packages/cli/testing/browser.js';

const WIDTHS = [400, 800, 1280];
const WATCH = '<script>var errors = []; onerror = (message) => void errors.push(String(message));</script>';
const look = readFileSync(join(__dirname, 'look-at-page.js'), 'utf8');

/**
 * What a reader could not read of a page, or should not meet there: errors of its script, requests, text that is cut, lies over other
 * text, is too small or too faint; on a telephone, a tablet and a screen, light and dark.
 */
function unreadable(file: string): string[] {
  const page = readFileSync(file, 'utf8').replace('<head>', `<head>${WATCH}`);
  const quoted = page.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const frames = WIDTHS.map((width) => `<iframe width="${width}" height="900" srcdoc="${quoted}"></iframe>`);
  const outer = `${file}.frames.html`;
  writeFileSync(
    outer,
    `<!doctype html><meta charset="utf-8">${frames.join('')}<script>addEventListener('load', () => {${look}});</script>`,
  );
  try {
    return [false, true].flatMap((isDark) => seenBy(outer, { width: 2800, isDark }) as string[]);
  } finally {
    rmSync(outer);
  }
}

/** A test that a page can be read: by what is drawn of it in a real browser, skipped where there is none. */
export const itCanBeRead = (name: string, file: () => string): void =>
  inBrowser(`${name} can be read on any screen`, () => expect(unreadable(file())).toEqual([]), 120_000);
