import { SPACE, WORD } from '../python-text.js';

/** Closing and opening marks, and sentence ends but the period: what no word holds. Insides of a class. */
export const NOT_IN_WORDS = String.raw`)";}\]*:@'\({\[‘’“”«»?!`;
const RUN = String.raw`(?:-{2,}|\.{2,}|(?:\.[${SPACE}]){2,}\.)`;
const END = String.raw`(?:[${SPACE}]|$|[${NOT_IN_WORDS}]|${RUN})`;
const TOKEN = new RegExp(
  String.raw`${RUN}|(?![\("\x60{\[:;&#*@)}\]\-,])[^${SPACE}]+?(?=${END}|,${END})|[^${SPACE}]`,
  'gu',
);

const NUMBER = /^-?[.,]?\p{Nd}[\p{Nd},.-]*\.?$/u;
const INITIAL = new RegExp(String.raw`^(?!\p{Nd})[${WORD}]\.$`, 'u');

/** A token of Punkt's: a word with its period, or a punctuation mark. */
export interface PunktToken {
  text: string;
  /** In lower case; numbers are all one type. */
  type: string;
  endsInPeriod: boolean;
  isInitial: boolean;
  isEllipsis: boolean;
  isAbbreviation: boolean;
  /** Whether a sentence ends with it. */
  isBreak: boolean;
}

/** The tokens of a text, with nothing decided yet. */
export function punktTokens(text: string): PunktToken[] {
  return text.split('\n').flatMap((line) =>
    (line.match(TOKEN) ?? []).map((token) => ({
      text: token,
      type: token.toLowerCase().replace(NUMBER, '##number##'),
      endsInPeriod: token.endsWith('.'),
      isInitial: INITIAL.test(token),
      isEllipsis: /^\.{2,}$/.test(token),
      isAbbreviation: false,
      isBreak: false,
    })),
  );
}

/** A type without the period at its end. */
export const withoutPeriod = (type: string): string =>
  type.length > 1 && type.endsWith('.') ? type.slice(0, -1) : type;
