import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { SourceError } from './document.js';
import type { Format, RawRow, ReadContext, ReadOptions } from './format.js';
import type { Columns } from './columns.js';
import { parquetValues } from './parquet-values.js';

/** DuckDB works in this much memory, besides the rows of one vector (2,048). */
const MEMORY_LIMIT = '256MB';

/** Parquet, read by DuckDB from the file itself, row group by row group. Rows are numbered from 1. */
export const parquet: Format = {
  name: 'parquet',
  detect: (head) => head.subarray(0, 4).toString('latin1') === 'PAR1',
  read: readParquet,
};

async function* readParquet(
  _chunks: AsyncIterable<Buffer>,
  options: ReadOptions,
  { file, isGzip, advance }: ReadContext,
): AsyncGenerator<RawRow> {
  if (file === '-' || isGzip) {
    const where = file === '-' ? 'standard input' : 'gzip';
    throw new SourceError(
      `${file}: Parquet cannot be read from ${where}, since its directory is at the end; name a file`,
    );
  }
  // Loaded here, so that a machine without its binary reads everything else.
  const { DuckDBInstance, JSDuckDBValueConverter } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY_LIMIT });
  const connection = await instance.connect();
  try {
    const from = `read_parquet(${quoteText(file)}, hive_partitioning = false)`;
    const columns = await columnsOf(connection, from);
    const wanted = selectColumns(columns, options.columns);
    const { numBytes, numRows } = await sizeOf(connection, file);
    const result = await connection.stream(`SELECT ${wanted.map(quoteName).join(', ')} FROM ${from}`);
    let line = 0;
    for await (const rows of result.yieldConvertedRowObjects(parquetValues(JSDuckDBValueConverter))) {
      for (const value of rows) {
        yield { line: ++line, value };
        advance(numBytes * (line / numRows));
      }
    }
    advance(numBytes);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function columnsOf(connection: DuckDBConnection, from: string): Promise<string[]> {
  const description = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
  return description.getRowObjects().map((row) => String(row['column_name']));
}

async function sizeOf(connection: DuckDBConnection, file: string): Promise<{ numBytes: number; numRows: number }> {
  const counted = await connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${quoteText(file)})`);
  const numRows = counted.getRows().reduce((total, [rows]) => total + Number(rows), 0);
  return { numBytes: (await stat(file)).size, numRows };
}

/** Only the named columns, so that others are not decoded; all of them where none is named or none is there. */
function selectColumns(columns: string[], named: Columns | undefined): string[] {
  const paths = Object.values(named ?? {}) as string[];
  const found = columns.filter((column) => paths.some((path) => path === column || path.startsWith(`${column}.`)));
  return found.length > 0 ? found : columns;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
