import { escapeMarkdown, markdownCode, markdownList, markdownPage, markdownTable } from '../charts/markdown.js';
import { mixtureText } from './mixture.js';
import {
  ANSWER_HEADER,
  answerRows,
  benchmarkTables,
  candidateHeader,
  candidateRows,
  EVIDENCE_HEADER,
  evidenceRows,
  factLines,
  HELD_OUT_HEADER,
  heldOutRows,
  MIXTURE_HEADER,
  mixtureRows,
  phaseRows,
  pieceText,
} from './page-tables.js';
import type { RepairResults } from './results.js';
import { headline, relapseText, sentence } from './verdict-text.js';

/** The page of a repair as Markdown, for a pull request or a log: everything but the figures, which are in `report.html`. */
export function repairMarkdown(results: RepairResults, more = ''): string {
  const { before, after, choice } = results;
  const { pieces, documents } = before.pattern;
  const next = after.verdict === 'not-run' ? '' : `\n\nNext: ${escapeMarkdown(after.advice)}.`;
  const mixed = before.verdict === 'not-advised' ? undefined : mixtureText(before.mixture);
  const chosen = choice ? `Chosen: **${escapeMarkdown(choice.chosen)}**; it ${escapeMarkdown(choice.why)}.` : '';
  const failed = (choice?.failed ?? []).map(({ name, why }) => `${name} failed: ${why}`);
  return markdownPage(headline(results), [
    ['', `**${escapeMarkdown(sentence(results))}**${next}`],
    ['', markdownTable(HELD_OUT_HEADER, heldOutRows(results))],
    ['', more],
    [
      'The pattern',
      [
        pieces
          .map((piece) => `- ${markdownCode(pieceText(piece))} in ${piece.documents} of ${documents} documents`)
          .join('\n'),
        mixed ? `**${escapeMarkdown(mixed)}.**` : '',
        markdownTable(MIXTURE_HEADER, mixtureRows(before.mixture)),
      ].join('\n\n'),
    ],
    ['Answers side by side', markdownTable(ANSWER_HEADER, answerRows(results))],
    ['Before: is a repair due?', markdownTable(EVIDENCE_HEADER, evidenceRows(before.evidence))],
    ['After: did it work?', markdownTable(EVIDENCE_HEADER, evidenceRows(after.evidence))],
    ['If it is trained on', results.relapse ? escapeMarkdown(relapseText(results.relapse)) : ''],
    [
      'Settings that were tried',
      choice
        ? [chosen, markdownTable(candidateHeader(choice), candidateRows(choice)), markdownList(failed)].join('\n\n')
        : '',
    ],
    [
      'Benchmarks',
      benchmarkTables(results)
        .map(({ text, header, rows }) => `${escapeMarkdown(text)}\n\n${markdownTable(header, rows)}`)
        .join('\n\n'),
    ],
    [
      'How it was made',
      `${markdownList(factLines(results))}\n\n${markdownTable(['phase', 'seconds'], phaseRows(results))}`,
    ],
  ]);
}
