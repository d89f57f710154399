import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Int32, List, Field, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { writeParquet } from '../../testing/write-parquet.js';
import { ShardReader } from '../shards/shard-reader.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { inspectShards } from './inspect-shards.js';
import { prepare } from './prepare.js';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder.path, name);
let tokenizer: Tokenizer;

beforeAll(async () => {
  tokenizer = await smallTokenizer(at('tokenizer'));
});

async function prepareIds(name: string) {
  const options = { sources: [at(name)], out: at(`${name}-shards`), tokenizer, heldOut: { fraction: 0 } };
  const { report } = await prepare({ ...options, as: 'ids' });
  const reader = await ShardReader.open(at(`${name}-shards/train`));
  const documents = [];
  for (let i = 0; i < reader.index.documents; i++) {
    const { ids, mask } = await reader.document(i);
    documents.push(mask ? [[...ids], [...mask]] : [...ids]);
  }
  return { report, documents };
}

describe('prepared ids', () => {
  const eos = () => tokenizer.special.eos!;

  it('come from Parquet, as Spark and Ray write it', async () => {
    await writeParquet(
      at('part.parquet'),
      'SELECT [i, i + 1, i + 2]::BIGINT[] AS input_ids, i AS doc FROM range(5, 105) t(i)',
    );
    const { documents, report } = await prepareIds('part.parquet');
    expect(documents).toEqual(Array.from({ length: 100 }, (_, i) => [i + 5, i + 6, i + 7, eos()]));
    expect(report).toMatchObject({ as: 'ids', splits: { train: { documents: 100, tokens: 400, targets: 300 } } });
    expect((await inspectShards(at('part.parquet-shards/train'), { tokenizer })).problems).toEqual([]);
  });

  it('come from Arrow', async () => {
    const type = new List(new Field('item', new Int32()));
    const table = new Table({ input_ids: vectorFromArray([[5, 6], [7]], type) });
    writeFileSync(at('part.arrow'), tableToIPC(table, 'stream'));
    expect((await prepareIds('part.arrow')).documents).toEqual([
      [5, 6, eos()],
      [7, eos()],
    ]);
  });

  it('lose their padding and keep their targets', async () => {
    const rows = [
      { input_ids: [5, 6, 7, 0, 0], labels: [-100, 6, 7, -100, -100], attention_mask: [1, 1, 1, 0, 0] },
      { input_ids: [8, 9], labels: [-100, 9] },
      { input_ids: [8, 9] },
    ];
    folder.file('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const { documents, report } = await prepareIds('rows.jsonl');
    expect(documents).toEqual([
      [
        [5, 6, 7, eos()],
        [0, 1, 1, 1],
      ],
      [
        [8, 9, eos()],
        [0, 1, 1],
      ],
    ]);
    expect(report.wrongRows.examples).toEqual([`${at('rows.jsonl')}:3: expected a target mask, as in the first row`]);
  });

  it('are refused outside the vocabulary, with file and row', async () => {
    await writeParquet(
      at('foreign.parquet'),
      'SELECT [5, CASE WHEN i = 41 THEN 320 ELSE 6 END] AS input_ids FROM range(60) t(i)',
    );
    await expect(prepareIds('foreign.parquet')).rejects.toThrow(
      /foreign\.parquet:42: token 1: expected an id in 0\.\.319, received 320; give the tokenizer/,
    );
  });

  it.each([
    ['{"input_ids": []}', 'column "input_ids" is empty'],
    ['{"input_ids": [1.5]}', 'element 0 of "input_ids" must be a whole number below 2^31, received 1.5'],
    ['{"input_ids": [-1]}', 'column "input_ids" holds a negative id'],
    ['{"text": "a"}', 'column "input_ids" must be a list of whole numbers, received nothing'],
    ['{"input_ids": [1, 2], "targets_mask": [1]}', 'column "targets_mask" must be as long as the ids, 2, received 1'],
  ])('of %s are a wrong row', async (row, reason) => {
    folder.file('wrong.jsonl', `{"input_ids": [5]}\n${row}\n`);
    expect((await prepareIds('wrong.jsonl')).report.wrongRows.examples).toEqual([`${at('wrong.jsonl')}:2: ${reason}`]);
  });
});
