// Speed of each filter alone: node benchmarks/data/filters.mjs [file.jsonl]
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDocuments } from '../../packages/data-pipeline/dist/index.js';
import { Filters } from '../../packages/data-pipeline/dist/filters/filter-documents.js';
import { recordResult } from './record-result.mjs';

const data = process.env.LETHE_DATA ?? '../shared';
const [file = join(data, 'corpora/NonSynth/web-openwebtext/openwebtext-1000.jsonl')] = process.argv.slice(2);
const FILTERS = {
  none: {},
  length: { length: { minWords: 5 } },
  characters: { characters: true },
  language: { language: { keep: ['en'] } },
  repetition: { repetition: true },
  exactDuplicates: { exactDuplicates: true },
  nearDuplicates: { nearDuplicates: true },
  overlap: { overlap: { sets: [join(data, 'corpora/U33B/gsm8k-train/train_use.jsonl')] } },
};
const folder = mkdtempSync(join(tmpdir(), 'lethe-bench-'));
try {
  for (const [name, options] of Object.entries(FILTERS)) {
    const filters = await Filters.open(options, folder);
    const start = performance.now();
    let numKept = 0;
    for await (const document of readDocuments([file])) if (filters.objection(document) === undefined) numKept++;
    const seconds = (performance.now() - start) / 1000;
    await filters.close();
    recordResult({
      what: `filter ${name} (${numKept} kept)`,
      value: statSync(file).size / 1e6 / seconds,
      unit: 'MB/s',
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
