import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { describeWith, realData } from '../../testing/real-data.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { documentText, type Document, type WrongRow } from './document.js';
import { readDocuments, type FileReport, type ReadDocumentsOptions, type Source } from './read-documents.js';

const folder = temporaryFolder();

async function read(source: string | Source, options: ReadDocumentsOptions = {}) {
  const documents: Document[] = [];
  const wrong: WrongRow[] = [];
  const files: FileReport[] = [];
  const sinks = { onWrongRow: (row: WrongRow) => wrong.push(row), onFile: (report: FileReport) => files.push(report) };
  for await (const document of readDocuments([source], { ...sinks, ...options })) documents.push(document);
  return { documents, wrong, files, texts: documents.map((document) => documentText(document)) };
}

describe('plain text', () => {
  const content = '\ufeffone\r\ntwo\n\nthree\n---\nfour\n';

  it('is one document per file by default, without mark and carriage returns', async () => {
    const { texts, files } = await read(folder.file('a.txt', content));
    expect(texts).toEqual(['one\ntwo\n\nthree\n---\nfour']);
    expect(files[0]).toMatchObject({ format: 'text', documents: 1 });
  });

  it('splits by line, separator and paragraphs', async () => {
    const file = folder.file('b.txt', content);
    expect((await read({ path: file, split: 'line' })).texts).toEqual(['one', 'two', 'three', '---', 'four']);
    const { texts, documents } = await read({ path: file, split: 'separator' });
    expect(texts).toEqual(['one\ntwo\n\nthree', 'four']);
    expect(documents.map(({ place }) => place.line)).toEqual([1, 6]);
    expect((await read({ path: file, split: { by: 'paragraphs', maxCharacters: 9 } })).texts).toEqual([
      'one\ntwo',
      'three\n---',
      'four',
    ]);
  });

  it('loses no character when long text is cut', async () => {
    const long = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat(i % 90)}🙂`).join('\n');
    const { texts } = await read({ path: folder.file('long.txt', long), split: { by: 'file', maxCharacters: 61 } });
    expect(texts.join('').replaceAll('\n', '')).toBe(long.replaceAll('\n', ''));
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(61);
    expect(texts.every((text) => text.isWellFormed())).toBe(true);
  });

  it('reports lines that are not UTF-8', async () => {
    const { wrong, texts } = await read(
      folder.file(
        'latin.txt',
        Buffer.concat([Buffer.from('good\n'), Buffer.from([0x62, 0xe9, 0x0a]), Buffer.from('end\n')]),
      ),
      {
        strict: false,
      },
    ).catch((error: Error) => ({ wrong: [{ line: 0, reason: error.message }], texts: [] as string[] }));
    expect(wrong).toEqual([expect.objectContaining({ line: 2, reason: 'not valid UTF-8' })]);
    expect(texts).toEqual(['good\nend']);
  });
});

describe('JSON', () => {
  const lines = '{"text": "one"}\n{"text": \n\n{"text": 3}\n{"other": "x"}\n{"text": "two"}\n';

  it('counts wrong rows with file, line and reason', async () => {
    const file = folder.file('a.jsonl', lines);
    const { texts, wrong, files } = await read(file);
    expect(texts).toEqual(['one', 'two']);
    expect(wrong.map(({ line }) => line)).toEqual([2, 4, 5]);
    expect(wrong[0]).toEqual({ file, line: 2, reason: expect.stringContaining('not valid JSON') });
    expect(files[0]).toMatchObject({ format: 'jsonl', documents: 2, wrongRows: 3, shapes: { text: 2 } });
  });

  it('stops at the first wrong row in strict mode', async () => {
    await expect(read(folder.file('b.jsonl', lines), { strict: true })).rejects.toThrow(/b\.jsonl:2: not valid JSON/);
  });

  it('reads arrays, gzip, and data without a telling name', async () => {
    const rows = [
      { question: 'q', answer: 'a' },
      { question: 'r', answer: 'b' },
    ];
    for (const [name, bytes, format] of [
      ['a.json', Buffer.from(JSON.stringify(rows)), 'json'],
      ['a.json.gz', gzipSync(JSON.stringify(rows, null, 1)), 'json+gzip'],
      ['b.jsonl.gz', gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')), 'jsonl+gzip'],
      ['noname', Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')), 'jsonl'],
      ['noname2', Buffer.from(JSON.stringify(rows)), 'json'],
    ] as const) {
      const { texts, files } = await read(folder.file(name, bytes));
      expect([name, files[0]?.format, texts]).toEqual([name, format, ['q\na', 'r\nb']]);
    }
  });

  it('reads Arrow streams and files', async () => {
    const table = tableFromArrays({ text: ['one', 'two'] });
    for (const kind of ['stream', 'file'] as const) {
      const { texts, files } = await read(folder.file(`${kind}.arrow`, tableToIPC(table, kind)));
      expect([texts, files[0]?.format]).toEqual([['one', 'two'], 'arrow']);
    }
  });
});

describe('sources', () => {
  it('reads directories and globs in order, reporting what is skipped', async () => {
    const root = path.join(folder.path, 'tree');
    mkdirSync(path.join(root, 'deep'), { recursive: true });
    folder.file('tree/b.txt', 'b');
    folder.file('tree/a.jsonl', '{"text": "a"}');
    folder.file('tree/deep/c.txt', 'c');
    folder.file('tree/deep/empty.txt', '');
    folder.file('tree/.hidden.txt', 'h');
    const { texts, files } = await read(root);
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(files.filter((file) => file.skipped !== undefined)).toEqual([
      expect.objectContaining({ skipped: expect.stringContaining('empty file') }),
    ]);
    expect((await read(path.join(root, '**/*.txt'))).texts).toEqual(['b', 'c']);
    expect((await read(path.join(root, '*.{txt,jsonl}'))).texts).toEqual(['a', 'b']);
    expect((await read(path.join(root, '?.txt'))).texts).toEqual(['b']);
  });

  it('a file that several links lead to is read once, under its own name', async () => {
    const root = path.join(folder.path, 'linked');
    mkdirSync(path.join(root, 'z', 'deep'), { recursive: true });
    const own = folder.file('linked/z/own.txt', 'own');
    const elsewhere = folder.file('elsewhere.txt', 'elsewhere');
    symlinkSync(own, path.join(root, 'a.txt'));
    symlinkSync(path.join(root, 'z'), path.join(root, 'b'));
    for (const name of ['c.txt', 'd.txt']) symlinkSync(elsewhere, path.join(root, name));
    symlinkSync('nowhere', path.join(root, 'e.txt'));
    const { texts, files } = await read(root);
    expect(texts).toEqual(['elsewhere', 'own']);
    expect(files.map(({ file, skipped }) => [path.relative(root, file), skipped])).toEqual([
      ['a.txt', `the same file as ${own}, which is read`],
      ['b/own.txt', `the same file as ${own}, which is read`],
      ['c.txt', undefined],
      ['d.txt', `the same file as ${path.join(root, 'c.txt')}, which is read`],
      ['e.txt', 'a link that leads nowhere'],
      ['z/own.txt', undefined],
    ]);
  });

  it('a link to a directory in which it lies is refused', async () => {
    const root = path.join(folder.path, 'circle');
    mkdirSync(path.join(root, 'deep'), { recursive: true });
    folder.file('circle/a.txt', 'a');
    symlinkSync('..', path.join(root, 'deep', 'up'));
    for (const source of [root, path.join(root, '**/*.txt')])
      await expect(read(source)).rejects.toThrow(
        /circle\/deep\/up: this link leads back to .*circle.*; remove the link/,
      );
  });

  it('pipes and devices are refused where they are named, and told where they are not', async () => {
    const root = path.join(folder.path, 'special');
    mkdirSync(root);
    folder.file('special/a.txt', 'a');
    const pipe = path.join(root, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    symlinkSync('/dev/zero', path.join(root, 'zero.txt'));
    const { texts, files } = await read(root);
    expect(texts).toEqual(['a']);
    expect(files.map(({ skipped }) => skipped)).toEqual([undefined, 'a pipe, not a file', 'a device, not a file']);
    for (const [source, kind] of [
      [pipe, 'a pipe'],
      ['/dev/zero', 'a device'],
    ])
      await expect(read(source)).rejects.toThrow(`${source}: expected a file or directory, found ${kind}`);
  });

  it('a file of two sources is read for both, and the second report says so', async () => {
    const file = folder.file('twice.txt', 'twice');
    const reports: FileReport[] = [];
    const documents: Document[] = [];
    for await (const document of readDocuments([file, file], { onFile: (report) => reports.push(report) }))
      documents.push(document);
    expect(documents).toHaveLength(2);
    expect(reports.map(({ repeats }) => repeats)).toEqual([undefined, file]);
  });

  it.each([
    ['missing.txt', undefined, /missing\.txt: no such file/],
    ['*.nothing', undefined, /no file matches/],
    ['empty.jsonl', '', /empty\.jsonl: expected data, received an empty file/],
    ['empty.gz', gzipSync(''), /received an empty gzip file/],
    ['cut.gz', gzipSync('{"text": "abc"}'.repeat(2000)).subarray(0, 60), /cut\.gz: reading failed/],
    ['x.parquet', 'PAR1....', /x\.parquet: cannot be decoded/],
    ['x.zip', 'PK\x03\x04', /unpack it first/],
    ['x.csv', 'a,a\n', /x\.csv:1: expected a header of distinct names, received "a" twice/],
    ['x.bin', Buffer.from([1, 0, 2]), /binary data/],
    ['utf16.txt', Buffer.from([0xff, 0xfe, 0x61, 0x00]), /UTF-16/],
  ])('names the path of %s and what is wrong', async (name, content, message) => {
    if (content !== undefined) folder.file(name, content);
    await expect(read(path.join(folder.path, name))).rejects.toThrow(message);
  });

  it('refuses an unknown format name', async () => {
    await expect(read({ path: folder.file('f.txt', 'x'), format: 'xml' })).rejects.toThrow(
      /expected a format of parquet, arrow, csv, jsonl, json, text; received "xml"/,
    );
  });
});

describeWith('corpora')('the shared corpora', () => {
  const pair = { prompt: 'instruction', input: 'instances.0.input', response: 'instances.0.output' };
  const expected: [string, number, Partial<Source>?][] = [
    ['NonSynth/web-openwebtext', 1000],
    ['NonSynth/web-c4', 300],
    ['NonSynth/web-dolma-cc', 20],
    ['NonSynth/books', 4],
    ['NonSynth/papers-stacks-latex', 6],
    ['NonSynth/wiki', 1],
    ['NonSynth/zh-shiji.txt', 1],
    ['SynthQA/alpaca_eval-gpt4', 805],
    ['SynthQA/caia-math', 131],
    ['SynthQA/caia-qa', 1242],
    ['SynthQA/gpteacher-codegen', 4535],
    ['SynthQA/caia-code', 696],
    [
      'SynthQA/caia-reasoning',
      250,
      { columns: { prompt: 'reasoning_example.input.problem', response: 'reasoning_example.final.explanation' } },
    ],
    ['SynthQA/arena-hard-1k-gpt-4/gpt-4.jsonl', 478, { columns: { text: 'choices.0.turns.0' } }],
    [
      'SynthQA/arena-hard-1k-gpt-4/question.jsonl',
      478,
      { columns: { prompt: 'turns.0', response: 'claude-2.0.turns.0' } },
    ],
    ['MixedIns/alpaca_gpt4_en_1k', 999],
    ['MixedIns/oasst_zh', 766],
    ['MixedIns/self-instruct', 427, { columns: pair }],
    ['OpenHermes-2.5/glaive', 300],
    ['OpenHermes-2.5/gpteacher-roleplay', 5069],
    ['U33B/gsm8k-train', 7473],
    [
      'U33B/rft-phi35-0.5lev-withtext-0.5leneq',
      681,
      { columns: { prompt: 'question', response: 'favored_solutions' } },
    ],
  ];

  it.each(expected)('reads %s: %i rows', async (name, rows, how = {}) => {
    const { documents, wrong, files } = await read({ path: realData('corpora', name), ...how });
    expect(files.filter((file) => file.skipped !== undefined)).toEqual([]);
    expect(documents.length + wrong.length).toBe(rows);
    expect(wrong.length).toBeLessThanOrEqual(0.02 * rows);
    expect(documents.every((document) => documentText(document).trim() !== '')).toBe(true);
  });
});
