import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** A test in a real browser, skipped where there is none (Debian's chromium). */
export const inBrowser = browser ? it : it.skip;

/** What a page's script writes into its element `seen`, as JSON, when the page is opened. */
export function seenBy(file: string, { width = 1000, isDark = false } = {}): unknown {
  const profile = mkdtempSync(join(tmpdir(), 'lethe-browser-'));
  try {
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--window-size=${width},900`,
      `--blink-settings=preferredColorScheme=${isDark ? 0 : 1}`,
      `--user-data-dir=${profile}`,
    ];
    const dom = execFileSync(browser!, [...flags, '--dump-dom', `file://${file}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 28,
    });
    const [, text] = /<pre id="seen">(.*?)<\/pre>/s.exec(dom)!;
    return JSON.parse(text!.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
