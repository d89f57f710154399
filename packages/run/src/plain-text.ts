/** Control characters but for tab and line feed, and signs that reorder what a terminal shows. */
const UNSEEN = /(?![\t\n])[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A text as it may be shown on a terminal: what would move the cursor, recolour or reorder is written as an escape. */
export const plainText = (text: string): string =>
  text.replace(UNSEEN, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);

/** The same in one line, so that text of others cannot pass for a line of ours; its middle is left out where it is long. */
export const plainLine = (text: string, most = 300): string =>
  shortened(plainText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t'), most);

/** A text of at most about so many characters: of longer ones the beginning and the end, which often holds the remedy. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.ceil((2 * most) / 3);
  const tail = most - head;
  return `${text.slice(0, head)} [${text.length - most} characters left out] ${text.slice(text.length - tail)}`;
}

/** Lines of an error, characters of each, and of a word of it (a path, a value) that are shown. */
const MOST_LINES = 40;
const MOST_IN_LINE = 1000;
const LONG_WORD = /\S{160,}/g;

/** A message as an error of a program: bounded, whatever it quotes. */
export function boundedMessage(message: string): string {
  const lines = plainText(message).split('\n');
  const kept = lines.slice(0, MOST_LINES).map((line) =>
    shortened(
      line.replace(LONG_WORD, (word) => shortened(word, 120)),
      MOST_IN_LINE,
    ),
  );
  return [...kept, ...(lines.length > MOST_LINES ? [`[${lines.length - MOST_LINES} lines left out]`] : [])].join('\n');
}
