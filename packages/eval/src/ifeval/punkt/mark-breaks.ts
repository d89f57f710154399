import { isLower, isUpper } from '../python-text.js';
import { type PunktParameters, SEEN } from './punkt-parameters.js';
import { type PunktToken, withoutPeriod } from './punkt-token.js';

/** First, a token by itself: known abbreviations and ellipses end no sentence, other periods, `?` and `!` do. */
function markByType(token: PunktToken, { abbreviations }: PunktParameters): void {
  const { text, endsInPeriod } = token;
  if (['.', '?', '!'].includes(text)) token.isBreak = true;
  if (token.isBreak || token.isEllipsis || !endsInPeriod || text.endsWith('..')) return;
  const word = text.slice(0, -1).toLowerCase();
  token.isAbbreviation = abbreviations.has(word) || abbreviations.has(word.slice(word.lastIndexOf('-') + 1));
  token.isBreak = !token.isAbbreviation;
}

const typeAfter = ({ type, isBreak }: PunktToken): string => (isBreak ? withoutPeriod(type) : type);
const firstOf = ({ text }: PunktToken): string => String.fromCodePoint(text.codePointAt(0)!);

/** Whether a sentence begins with a token, by how its word is written elsewhere; undefined where that does not tell. */
function beginsSentence(token: PunktToken, { orthography }: PunktParameters): boolean | undefined {
  if ([';', ':', ',', '.', '!', '?'].includes(token.text)) return false;
  const seen = orthography.get(typeAfter(token)) ?? 0;
  const first = firstOf(token);
  if (isUpper(first) && seen & SEEN.lower && !(seen & SEEN.upperWithin)) return true;
  if (isLower(first) && (seen & SEEN.upper || !(seen & SEEN.lowerAtBeginning))) return false;
  return undefined;
}

/** Then, a token that ends in a period by the one after it (Kiss and Strunk 2006, sections 4.1 to 4.3). */
function markByNext(token: PunktToken, next: PunktToken, parameters: PunktParameters): void {
  if (!token.endsInPeriod) return;
  const { collocations, sentenceStarters, orthography } = parameters;
  const [type, nextType] = [withoutPeriod(token.type), typeAfter(next)];
  const setAbbreviation = (): void => {
    token.isAbbreviation = true;
    token.isBreak = false;
  };
  if (collocations.has(`${type}\t${nextType}`)) return setAbbreviation();
  const begins = beginsSentence(next, parameters);
  const isNextUpper = isUpper(firstOf(next));
  if ((token.isAbbreviation || token.isEllipsis) && !token.isInitial) {
    token.isBreak = begins === true || (isNextUpper && sentenceStarters.has(nextType));
    if (token.isBreak) return;
  }
  if (!token.isInitial && type !== '##number##') return;
  const isNeverLower = !((orthography.get(nextType) ?? 0) & SEEN.lower);
  const isName = begins === undefined && token.isInitial && isNextUpper && isNeverLower;
  if (begins === false || isName) setAbbreviation();
}

/** Decides with which tokens sentences end. */
export function markBreaks(tokens: readonly PunktToken[], parameters: PunktParameters): void {
  for (const token of tokens) markByType(token, parameters);
  for (const [i, token] of tokens.slice(0, -1).entries()) markByNext(token, tokens[i + 1], parameters);
}
