const WIDTH = 80;

/** Breaks lines that are longer than the terminal, or 80 characters, at blanks; what follows is indented by two more. */
export function wrapLines(text: string, width = process.stdout.columns || WIDTH): string {
  return text
    .split('\n')
    .map((line) => (line.length > width ? wrapLine(line, width) : line))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
  const [indent] = /^ */.exec(line)!;
  const isCommand = line.startsWith(`${indent}lethe `) && indent !== '';
  const end = isCommand ? ' \\' : ''; // So that it can be copied.
  const next = indent === '' ? '' : `${indent}  `;
  const lines: string[] = [];
  let current = '';
  for (const word of line.trimStart().split(/ +/)) {
    const begun = current === '' ? `${lines.length === 0 ? indent : next}${word}` : `${current} ${word}`;
    if (begun.length + end.length <= width || current === '') current = begun;
    else {
      lines.push(`${current}${end}`);
      current = `${next}${word}`;
    }
  }
  return [...lines, current].join('\n');
}
