import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentText, loadTokenizer, readDocuments } from '@lethe/data-pipeline';
import { type Finding, ok, problem, reasonOf, warning } from './finding.js';

const REINSTALL = 'install the npm packages anew for this machine: npm ci';

/** A whole Parquet file: one row, `readable`, in the column `text`. */
const PARQUET = Buffer.from(
  'UEFSMRUAFSQVJCwVAhUAFQYVBgAAAgAAAAIBCAAAAHJlYWRhYmxlFQIZLDUAGA1kdWNrZGJfc2NoZW1hFQIAFQwlAhgEdGV4dCUAABYCGRwZHCYA' +
    'HBUMGRUAGRgEdGV4dBUAFgIWRhZGJgg8GAhyZWFkYWJsZRgIcmVhZGFibGUWACgIcmVhZGFibGUYCHJlYWRhYmxlEREAAAAWRhYCJggWRgAoKER1' +
    'Y2tEQiB2ZXJzaW9uIHYxLjUuNSAoYnVpbGQgZDhjZGFhMzNmZCkZHBwAAACtAAAAUEFSMQ==',
  'base64',
);

/** The smallest tokenizer.json: three words. */
const TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '?': 0, ready: 1, to: 2, read: 3 }, unk_token: '?' },
};

async function withFile<T>(name: string, content: string | Buffer, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-doctor-'));
  try {
    writeFileSync(join(folder, name), content);
    return await use(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A tokenizer that is loaded and encodes: by the Rust core, or by the JavaScript one. */
export async function checkTokenizer(load = loadTokenizer): Promise<Finding> {
  let fallback: string | undefined;
  try {
    return await withFile('tokenizer.json', JSON.stringify(TOKENIZER), async (file) => {
      const tokenizer = await load(file, { onFallback: (reason) => (fallback = reason) });
      const ids = [...(await tokenizer.encode('ready to read'))].join();
      if (ids !== '1,2,3') return problem('tokenizer', `expected the ids 1,2,3, received ${ids}`, REINSTALL);
      if (fallback !== undefined) return warning('tokenizer', reasonOf(fallback), `slower; ${REINSTALL}`);
      return ok('tokenizer', tokenizer.core === 'rust' ? 'the Rust core' : 'the JavaScript core (LETHE_TOKENIZER)');
    });
  } catch (error) {
    return problem('tokenizer', reasonOf(error), process.env.LETHE_TOKENIZER ? 'unset LETHE_TOKENIZER' : REINSTALL);
  }
}

/** A Parquet file that is read as `lethe prepare` reads it. */
export async function checkParquet(read = (file: string) => readDocuments([file])): Promise<Finding> {
  try {
    return await withFile('one-row.parquet', PARQUET, async (file) => {
      const texts: string[] = [];
      for await (const document of read(file)) texts.push(documentText(document));
      if (texts.join() === 'readable') return ok('parquet', 'DuckDB reads it');
      return problem('parquet', `expected the text "readable", received ${JSON.stringify(texts)}`, REINSTALL);
    });
  } catch (error) {
    return warning(
      'parquet',
      `cannot be read: ${reasonOf(error)}`,
      `${REINSTALL}; JSONL, CSV, Arrow and text are read without`,
    );
  }
}
