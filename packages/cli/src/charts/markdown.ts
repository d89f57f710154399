/** A cell or a sentence as Markdown shows it: what it would read as a sign of its own is text. */
export const escapeMarkdown = (text: string): string =>
  text.replaceAll(/[\\`*_[<>|]/g, (sign) => `\\${sign}`).replaceAll(/\s*\n\s*/g, ' ');

/** Text in a span of code, whatever backticks it holds. */
export function markdownCode(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${text} ${fence}`;
}

/** A table of cells that are text; nothing where there are no rows. */
export function markdownTable(header: readonly string[], rows: readonly string[][]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(header), `|${header.map((_, i) => (i === 0 ? ' --- |' : ' ---: |')).join('')}`, ...rows.map(line)].join(
    '\n',
  );
}

/** A list; nothing where it is empty. */
export const markdownList = (items: readonly string[]): string =>
  items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');

/** A page of sections; those without a body are left out. */
export function markdownPage(title: string, sections: readonly (readonly [title: string, body: string])[]): string {
  const written = sections.filter(([, body]) => body.trim() !== '');
  const parts = written.map(([name, body]) => (name === '' ? body.trim() : `## ${name}\n\n${body.trim()}`));
  return `${[`# ${escapeMarkdown(title)}`, ...parts].join('\n\n')}\n`;
}
