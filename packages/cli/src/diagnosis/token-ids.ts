import type { TokenDiagnosis } from '@lethe/analysis';
import { legend } from '../charts/axes.js';
import { curvesSvg } from '../charts/density-svg.js';
import { escapeHtml, htmlTable } from '../charts/html.js';

/** The header of {@link tokenRows}. */
export const TOKEN_HEADER = ['token', 'id', '% of synthetic', '% of natural', 'excess, nats'];

const percent = (share: number): string => (100 * share).toFixed(3);

/** A row for each peak. */
export function tokenRows({ peaks }: TokenDiagnosis): string[][] {
  return peaks.map(({ text, id, share, referenceShare, excess }) => [
    JSON.stringify(text.replaceAll(' ', '␣')),
    String(id),
    percent(share),
    percent(referenceShare),
    excess.toFixed(4),
  ]);
}

/** What the two texts have apart, in a sentence. */
export function tokenSummary(diagnosis: TokenDiagnosis): string {
  const { synthetic, natural, numTokens, numReferenceTokens, jensenShannon, totalVariation } = diagnosis;
  return (
    `token ids of ${synthetic} (${numTokens} tokens) beside ${natural} (${numReferenceTokens}): ` +
    `Jensen-Shannon divergence ${jensenShannon.toFixed(3)} bits, total variation ${totalVariation.toFixed(3)}`
  );
}

/** Densities and the peaks' tokens as HTML. */
export function tokenSection(diagnosis: TokenDiagnosis): string {
  const { synthetic, natural, curves } = diagnosis;
  const named = [
    { name: synthetic, curve: curves.synthetic },
    { name: natural, curve: curves.natural },
  ];
  const to = curves.synthetic.x.at(-1)!;
  const table = htmlTable(
    TOKEN_HEADER,
    tokenRows(diagnosis).map((row) => row.map(escapeHtml)),
  );
  return (
    `<h2>Token ids</h2><p>${escapeHtml(tokenSummary(diagnosis))}.</p>` +
    legend(named.map(({ name }) => name)) +
    curvesSvg(named, { from: 0, to, label: 'token id' }) +
    `<h3>Tokens that the synthetic text uses most beyond its natural share</h3>${table}`
  );
}
