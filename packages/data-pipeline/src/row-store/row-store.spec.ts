import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { RowFormat, type RowShape, type RowValues } from './row-format.js';
import { RowStore } from './row-store.js';
import { RowWriter } from './row-writer.js';

const folder = temporaryFolder();
const shape = (type: RowShape['type']): RowShape => ({ rowLength: 5, width: 3, type });
/** Files of three rows. */
const FILE_BYTES = 3 * new RowFormat(shape('float32')).messageBytes;

const valuesOf = (row: number): Float32Array => Float32Array.from({ length: 15 }, (_, i) => row + i / 16);
const storeOf = (name: string): RowStore => new RowStore(path.join(folder.path, name), shape('float32'), FILE_BYTES);

function write(store: RowStore, rows: number[], writer = '0'): void {
  const rowWriter = new RowWriter(store, writer);
  for (const row of rows) rowWriter.add(row, valuesOf(row));
  rowWriter.close();
  store.refresh();
}

it.each([
  ['float32', valuesOf(7)],
  ['bfloat16', Uint16Array.from({ length: 15 }, (_, i) => 0x3f80 + i)],
] as [RowShape['type'], RowValues][])('a row of %s is read back bit by bit', (type, values) => {
  const store = new RowStore(path.join(folder.path, `one-${type}`), shape(type));
  const writer = new RowWriter(store, '0');
  writer.add(7, values);
  writer.close();
  store.refresh();
  expect(store.read(7)).toEqual(values);
  expect([store.has(7), store.has(0)]).toEqual([true, false]);
  const other = type === 'float32' ? new Uint16Array(15) : new Float32Array(15);
  expect(() => store.format.encode(0, other)).toThrow(`expected 5 x 3 of ${type}, received`);
  expect(() => store.format.encode(0, values.subarray(1))).toThrow('of 14');
});

it('many rows in any order lie in files that Arrow reads', () => {
  const store = storeOf('many');
  const rows = [9, 4, 11, 0, 3, 8, 1];
  write(store, rows);
  for (const row of rows) expect(store.read(row)).toEqual(valuesOf(row));
  const files = readdirSync(store.folder).filter((name) => name.endsWith('.arrow'));
  expect(files).toEqual(['hidden-0-00000.arrow', 'hidden-0-00001.arrow', 'hidden-0-00002.arrow']);
  const tables = files.map((file) => tableFromIPC(readFileSync(path.join(store.folder, file))));
  expect(tables.flatMap((table) => [...(table.getChild('row')!.toArray() as Uint32Array)])).toEqual(rows);
  const first = tables[0]!.getChild('hidden')!.get(0) as { get(t: number): { toArray(): Float32Array } };
  expect(first.get(2).toArray()).toEqual(valuesOf(9).subarray(6, 9));
});

it('a later writer of the same name goes on, another beside it', () => {
  const store = storeOf('later');
  write(store, [0, 1, 2, 3]);
  write(store, [4, 5]);
  write(store, [6], '1');
  write(store, [7, 8]);
  for (let row = 0; row < 9; row++) expect(store.read(row)).toEqual(valuesOf(row));
});

it('what a killed writer left half done is written again', () => {
  const store = storeOf('killed');
  write(store, [0, 1, 2, 3]);
  const [log, last] = [path.join(store.folder, 'rows-0.bin'), path.join(store.folder, 'hidden-0-00001.arrow')];
  appendFileSync(log, 'half');
  appendFileSync(last, 'half a row');
  writeFileSync(path.join(store.folder, 'hidden-0-00002.arrow'), 'a row that no log has');
  store.refresh();
  expect(store.has(3)).toBe(true);
  write(store, [4]);
  for (let row = 0; row < 5; row++) expect(store.read(row)).toEqual(valuesOf(row));
  expect(statSync(log).size).toBe(5 * 12);
  expect(readdirSync(store.folder)).toEqual(['hidden-0-00000.arrow', 'hidden-0-00001.arrow', 'rows-0.bin']);
  expect(tableFromIPC(readFileSync(last)).numRows).toBe(2);
});

it('damage is named', () => {
  const store = storeOf('damaged');
  write(store, [0, 1, 2, 3]);
  const file = path.join(store.folder, 'hidden-0-00001.arrow');
  const bytes = readFileSync(file);
  bytes[bytes.length - 30]! ^= 1;
  writeFileSync(file, bytes);
  expect(() => store.read(3)).toThrow(/hidden-0-00001\.arrow: row 3 is damaged \(CRC-32 differs\); remove the folder/);
  truncateSync(file, 500);
  expect(() => store.read(3)).toThrow('row 3 is damaged');
  expect(() => store.read(4)).toThrow('row 4 is not there');
  expect(store.read(2)).toEqual(valuesOf(2));
});
