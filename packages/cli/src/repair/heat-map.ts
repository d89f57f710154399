import { escapeHtml } from '../charts/html.js';
import type { ShownToken } from './examples.js';

/** The faintest and the fullest background of a token of the pattern. */
const [FAINT, FULL] = [0.05, 0.85];

/**
 * A document whose pattern tokens are the darker the more probable the model finds them. The gradient of the forgetting
 * loss -log(1 - p) pushes a token's logit down by p, so this is the push that unlearning gives it too.
 * @param probabilities of each token from the second on.
 */
export function heatMap(tokens: readonly ShownToken[], probabilities: readonly number[]): string {
  const shown = tokens.map(({ text, isPattern }, t) => {
    const safe = escapeHtml(text);
    if (!isPattern || t === 0) return safe;
    const p = probabilities[t - 1];
    const alpha = (FAINT + (FULL - FAINT) * p).toFixed(2);
    return `<mark style="--p:${alpha}" title="${(100 * p).toFixed(1)}%">${safe}</mark>`;
  });
  return `<p class="heat">${shown.join('')}</p>`;
}
