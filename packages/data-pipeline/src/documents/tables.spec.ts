import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  Field,
  Float32,
  Float64,
  Int64,
  List,
  makeData,
  Null,
  Struct,
  Table,
  tableToIPC,
  TimestampMillisecond,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describeWith, realData } from '../../testing/real-data.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { writeParquet } from '../../testing/write-parquet.js';
import { ChatProgram } from '../jinja/chat-program.js';
import { documentContent, documentText, type Document, type TurnsDocument, type WrongRow } from './document.js';
import { splitCsvRecords } from './split-csv-records.js';
import { readDocuments, type FileReport, type Source } from './read-documents.js';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder.path, name);

async function read(source: string | Source) {
  const documents: Document[] = [];
  const wrong: WrongRow[] = [];
  const files: FileReport[] = [];
  let numBytes = 0;
  const sinks = {
    onWrongRow: (row: WrongRow) => wrong.push(row),
    onFile: (report: FileReport) => files.push(report),
    onBytes: (bytes: number) => (numBytes += bytes),
  };
  for await (const document of readDocuments([source], sinks)) documents.push(document);
  return { documents, wrong, files, numBytes, texts: documents.map((document) => documentText(document)) };
}

describe('Parquet', () => {
  it('reads known shapes, nested lists included', async () => {
    const file = at('chat.parquet');
    await writeParquet(
      file,
      `SELECT [{'role': 'user', 'content': 'q' || i}, {'role': 'assistant', 'content': 'a' || i}] AS messages
       FROM range(3000) t(i)`,
    );
    const { texts, files, numBytes } = await read(file);
    expect(texts).toEqual(Array.from({ length: 3000 }, (_, i) => `q${i}\na${i}`));
    expect(files[0]).toMatchObject({ format: 'parquet', documents: 3000, shapes: { messages: 3000 } });
    expect(numBytes).toBe(statSync(file).size);
  });

  it('reads texts in binary columns, and says what binary data is none', async () => {
    const file = at('binary.parquet');
    await writeParquet(file, `SELECT * FROM (VALUES ('gr\\xC3\\xBCn'::BLOB), ('\\xFF'::BLOB)) t(text)`);
    const { texts, wrong } = await read(file);
    expect(texts).toEqual(['grün']);
    expect(wrong[0]?.reason).toBe('column "text" must be a string, received binary data');
  });

  it('counts wrong rows and types with their row', async () => {
    const file = at("o'dd.parquet");
    await writeParquet(file, `SELECT * FROM (VALUES ('one', 1), (NULL, 2), ('', 3), ('four', 4)) t(body, number)`);
    const named = await read({ path: file, columns: { text: 'body' } });
    expect(named.texts).toEqual(['one', 'four']);
    expect(named.wrong.map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'column "body" must be a string, received null'],
      [3, 'column "body" is empty'],
    ]);
    expect((await read({ path: file, columns: { text: 'number' } })).wrong[0]?.reason).toBe(
      'column "number" must be a string, received a number',
    );
    expect((await read(file)).wrong[0]?.reason).toMatch(/no known row shape has the columns \{body, number\}/);
  });

  it('names a file that is cut off or compressed once more', async () => {
    await writeParquet(at('whole.parquet'), `SELECT 'x' AS text`);
    const bytes = readFileSync(at('whole.parquet'));
    writeFileSync(at('cut.parquet'), bytes.subarray(0, bytes.length - 9));
    await expect(read(at('cut.parquet'))).rejects.toThrow(/cut\.parquet: cannot be decoded/);
    writeFileSync(at('twice.parquet.gz'), gzipSync(bytes));
    await expect(read(at('twice.parquet.gz'))).rejects.toThrow(/cannot be read from gzip/);
  });
});

describe('Arrow', () => {
  it.each(['lz4', 'zstd'])('opens record batches that %s has compressed', async (codec) => {
    const { texts, wrong } = await read(path.resolve(__dirname, `../../testing/goldens/${codec}.arrow`));
    expect(texts).toEqual(['grün 🐋 '.repeat(20), 'b', 'c'.repeat(300)]);
    expect(wrong.map(({ line }) => line)).toEqual([3]);
  });

  it('refuses damaged metadata before it makes lists of it', async () => {
    const file = path.resolve(__dirname, '../../../../tests/cases/one-byte-changed.arrow');
    const before = process.memoryUsage().rss;
    await expect(read(file)).rejects.toThrow(
      /cannot be decoded: damaged metadata: a list of \d+ elements in \d+ bytes/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });
});

describe('an Arrow file that claims more than it holds', () => {
  it('rows', async () => {
    const file = path.resolve(__dirname, '../../../../tests/cases/rows-without-end.arrow');
    await expect(read(file)).rejects.toThrow(
      /cannot be decoded: damaged metadata: 130841883705348 values in \d+ bytes/,
    );
  });

  it('but for nulls, which take no bytes beside what does', async () => {
    const length = 70_000;
    const nothing = new Vector([makeData({ type: new Null(), length })]);
    const text = vectorFromArray(
      Array.from({ length }, () => 'a'),
      new Utf8(),
    );
    writeFileSync(at('nulls.arrow'), tableToIPC(new Table({ text, nothing }), 'stream'));
    expect((await read(at('nulls.arrow'))).texts).toHaveLength(length);
  });

  it.each([
    ['elements of a list', 3, 2 ** 31 - 1],
    ['elements before its first', 3, -5],
  ])('%s', async (_, right, wrong) => {
    const lists = vectorFromArray([[1.5, 2.5, 3.5]], new List(Field.new('item', new Float64())));
    const bytes = Buffer.from(tableToIPC(new Table({ lists }), 'stream'));
    const offsets = bytes.lastIndexOf(Buffer.from(Int32Array.of(0, right).buffer));
    bytes.writeInt32LE(wrong, offsets + 4);
    await expect(read(folder.file('lists.arrow', bytes))).rejects.toThrow(`damaged lists: element ${wrong} of 3`);
  });
});

describe('keys of messages in a table', () => {
  const called = { whole: 2, half: 0.5, small: 1e-7, list: [1, 2.5], count: 3n, when: Date.UTC(2024, 0, 2) };
  const template =
    '{% for m in messages %}{% set c = m.call %}{{ c.whole }} {{ c.half }} {{ c.small }} {{ c.list }} {{ c.count }}{% endfor %}';

  async function writeArrow(file: string): Promise<void> {
    const call = new Struct([
      Field.new('whole', new Float64()),
      Field.new('half', new Float32()),
      Field.new('small', new Float64()),
      Field.new('list', new List(Field.new('item', new Float64()))),
      Field.new('count', new Int64()),
      Field.new('when', new TimestampMillisecond()),
    ]);
    const message = new Struct([
      Field.new('role', new Utf8()),
      Field.new('content', new Utf8()),
      Field.new('call', call),
    ]);
    const messages = vectorFromArray(
      [[{ role: 'assistant', content: 'a', call: called }]],
      new List(Field.new('item', message)),
    );
    writeFileSync(file, tableToIPC(new Table({ messages }), 'stream'));
  }

  const sql =
    "SELECT [{'role': 'assistant', 'content': 'a', 'call': {'whole': 2::DOUBLE, 'half': 0.5::FLOAT, 'small': 1e-7::DOUBLE, " +
    "'list': [1::DOUBLE, 2.5::DOUBLE], 'count': 3::BIGINT, 'when': TIMESTAMP '2024-01-02', 'price': 1.50::DECIMAL(4, 2)}}] AS messages";

  it.each([
    ['Arrow', 'keys.arrow', writeArrow],
    ['Parquet', 'keys.parquet', (file: string) => writeParquet(file, sql)],
  ])('of %s are what Python has: floats stay floats, dates are no numbers', async (_name, name, write) => {
    await write(at(name));
    const [document] = (await read(at(name))).documents as TurnsDocument[];
    const messages = document!.turns.map(({ keys }) => ({ ...keys }));
    const render = (text: string): string => new ChatProgram(text).render({ messages }).text;
    // As jinja2 prints the same table, read by pyarrow.
    expect(render(template)).toBe('2.0 0.5 1e-07 [1.0, 2.5] 3');
    expect(render('{{ messages | length }}')).toBe('1');
    expect(() => render('{{ messages[0].call.when }}')).toThrow(
      /printing a datetime cannot be rendered here as jinja2/,
    );
    expect(() => render('{{ messages[0].call.when.year }}')).toThrow(/an attribute of a datetime cannot be rendered/);
    expect(() => render('{{ messages | tojson }}')).toThrow('Object of type datetime is not JSON serializable');
    // Held out by their content, in which a BigInt has no JSON.
    expect(documentContent(document!)).toContain('"count":"3"');
  });

  it('are refused by their type where a text is expected', async () => {
    await writeParquet(at('types.parquet'), "SELECT DATE '2024-01-02' AS a, 1.5::DECIMAL(4, 2) AS b, 3::BIGINT AS c");
    const reason = async (text: string) =>
      (await read({ path: at('types.parquet'), columns: { text } })).wrong[0]?.reason;
    expect(await reason('a')).toBe('column "a" must be a string, received a datetime');
    expect(await reason('b')).toBe('column "b" must be a string, received a Decimal');
    expect(await reason('c')).toBe('column "c" must be a string, received a number');
  });
});

describe('CSV', () => {
  const table = '\ufeffquestion,answer\r\n"one, ""1""","a\r\nb"\r\n\r\ntwo\r\nthree,c\r\n"four"x,d\r\nfive,e\r\n';

  it('reads quotes, line ends inside fields and marks; wrong rows have their line', async () => {
    const { texts, wrong, files } = await read(folder.file('a.csv', table));
    // A field that goes on after its closing quote is read as pandas reads it.
    expect(texts).toEqual(['one, "1"\na\r\nb', 'three\nc', 'fourx\nd', 'five\ne']);
    expect(wrong.map(({ line, reason }) => [line, reason])).toEqual([[5, 'expected 2 fields, received 1']]);
    expect(files[0]).toMatchObject({ format: 'csv', documents: 4, wrongRows: 1 });
  });

  it.each([
    ['t.tsv', 'question\tanswer\nq, r\ta\n', ['q, r\na']],
    ['s.csv', 'question;answer\nq;a, b\n', ['q\na, b']],
    ['only.csv', 'text\nfirst\nsecond\n', ['first', 'second']],
  ])('finds the separator of %s', async (name, content, expected) => {
    expect((await read(folder.file(name, content))).texts).toEqual(expected);
  });

  it('splits the same whatever the chunks', async () => {
    const bytes = Buffer.from(table.repeat(3).replaceAll('\ufeff', ''));
    const split = async (size: number) => {
      async function* chunks() {
        for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
      }
      const records: unknown[] = [];
      for await (const record of splitCsvRecords(chunks(), ','))
        records.push('fields' in record ? [record.line, ...record.fields.map(String)] : record);
      return records;
    };
    const whole = await split(1000);
    expect(whole).toHaveLength(18);
    for (const size of [1, 2, 3, 7]) expect(await split(size)).toEqual(whole);
  });

  it('reads gzip, tables without header, and names given by the recipe', async () => {
    const bare = folder.file('bare.csv.gz', gzipSync('q1,x,a1\nq2,y,a2\n'));
    const source = { path: bare, header: false, columns: { prompt: '0', response: '2' } };
    expect((await read(source)).texts).toEqual(['q1\na1', 'q2\na2']);
    const text = folder.file('table.dat', 'text\nhello\n');
    expect((await read({ path: text, format: 'csv' })).texts).toEqual(['hello']);
  });

  it.each([
    ['"He said "hi" to me",x', 'He said hi" to me"\nx'],
    ['"a""b" c,x', 'a"b c\nx'],
    ['a "b" c,x', 'a "b" c\nx'],
    ['"a"b"c,d",x', 'ab"c\nd"'],
  ])('reads unescaped quotes as pandas does: %s', async (line, text) => {
    const { texts, wrong } = await read(folder.file('quotes.csv', `question,answer\n${line}\n`));
    const isWrong = line.split(',').length > 2;
    expect([texts, wrong.length]).toEqual(isWrong ? [[], 1] : [[text], 0]);
  });

  it("calls pandas' index column as pandas does, and refuses a name given twice", async () => {
    expect((await read(folder.file('index.csv', ',question,answer\n0,q,a\n'))).texts).toEqual(['q\na']);
    const named = { path: folder.file('index2.csv', ',x\n7,y\n'), columns: { text: 'Unnamed: 0' } };
    expect((await read(named)).texts).toEqual(['7']);
    await expect(read(folder.file('twice.csv', 'a,a\n1,2\n'))).rejects.toThrow(/received "a" twice; rename one/);
  });

  it('reports bytes that are not UTF-8 and quotes that never close', async () => {
    const latin = Buffer.concat([Buffer.from('text\ngood\n'), Buffer.from([0x62, 0xe9, 0x0a]), Buffer.from('end\n')]);
    expect((await read(folder.file('latin.csv', latin))).wrong).toEqual([
      expect.objectContaining({ line: 3, reason: 'not valid UTF-8' }),
    ]);
    const open = await read(folder.file('open.csv', 'text\ngood\n"never closed\nnext\n'));
    expect(open.texts).toEqual(['good']);
    expect(open.wrong).toEqual([
      expect.objectContaining({ reason: 'the quote that opens here never closes, up to line 5' }),
    ]);
  });
});

describeWith('corpora/SynthQA/caia-code/python-epic.parquet')('python-epic.parquet', () => {
  it('reads every row', async () => {
    const { documents, wrong } = await read(realData('corpora/SynthQA/caia-code/python-epic.parquet'));
    expect([documents.length, wrong.length]).toEqual([598, 0]);
    expect(documents.every((document) => 'turns' in document && document.turns.length === 2)).toBe(true);
  });
});
