import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text made safe for HTML. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character]);

/** A table of cells that are HTML already; the first column is a row's name. */
export function htmlTable(header: string[], rows: string[][]): string {
  const head = header.map((cell) => `<th scope="col">${cell}</th>`).join('');
  const body = rows.map(
    ([name, ...cells]) => `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

const STYLE = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  p, li { max-width: 60rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  .table { overflow-x: auto; } table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .7rem; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }
  th[scope=row], th:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
  th[scope=row] { white-space: normal; min-width: 8rem; }
  td .text { display: inline-block; width: 20rem; white-space: normal; text-align: left; }
  svg { width: 100%; max-width: 44rem; min-width: 36rem; height: auto; fill: currentColor; font: 11px system-ui, sans-serif; }
  svg line { stroke: #8889; } .figure { overflow-x: auto; } .figures > div { min-width: 0; } li { overflow-wrap: anywhere; }
  .legend span { display: inline-block; margin-right: 1rem; } .legend i { display: inline-block; width: 1.6em; vertical-align: middle; margin-right: .35em; }
  .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 0 2rem; }
  .holds { color: light-dark(#00795a, #3fc79a); } .not { color: light-dark(#b34700, #ff9a5c); } .unclear, .note { color: light-dark(#595959, #a9a9a9); }
  pre { overflow-x: auto; background: #8881; padding: .6rem; }
  .tools { margin: -.4rem 0 1rem; } .tools button { font: inherit; font-size: .8rem; margin-right: .4rem; } svg[tabindex] { cursor: crosshair; touch-action: pan-y; user-select: none; }
  .tip { position: absolute; z-index: 1; background: Canvas; border: 1px solid #8888; padding: .3rem .6rem; font-size: .85rem; max-width: 20rem; pointer-events: none; overflow-wrap: anywhere; }
  .legend [role=button] { cursor: pointer; } .legend [aria-pressed=false] { text-decoration: line-through; opacity: .7; } .tools [aria-pressed=true] { font-weight: bold; }
  @media print { .tools, .tip { display: none; } }
`;

/** What the figures do where scripts run (docs/decisions/2026-11-29-figures-with-a-small-script.md). */
export const pageScript = (): string =>
  readFileSync(fileURLToPath(new URL('../../page/interact.js', import.meta.url)), 'utf8');

/** A page that needs no other file and no network. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>\n<body>\n<h1>${escapeHtml(title)}</h1>\n${body}\n<script>${pageScript()}</script>\n</body></html>\n`;
}
