import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findFiles, readShardIndex } from '@lethe/data-pipeline';
import { UserError } from '@lethe/run';

export const isWholeShards = (source: string): boolean => existsSync(join(source, 'index.json'));
export const isSplitShards = (source: string): boolean => existsSync(join(source, 'train', 'index.json'));
/** Whether a source is a folder of shards, not of texts. */
export const isShards = (source: string): boolean => isWholeShards(source) || isSplitShards(source);

/** What a kind of text is before it is read. */
export interface SourceSize {
  /** In words: files and bytes, or documents and tokens of shards. */
  text: string;
  /** Of shards those of the index, of files estimated by their bytes. */
  tokens: number;
}

/** Bytes of text for a token, roughly. */
const BYTES_PER_TOKEN = 4;

/** @throws UserError where a folder of shards is not the only source: shards are taken as they are, files are prepared. */
export function requireOneForm(sources: readonly string[]): void {
  const shards = sources.find(isShards);
  if (shards === undefined || sources.length === 1) return;
  throw new UserError(
    `${sources.join(', ')}: expected files, or one folder of shards (${shards} is one); ` +
      'give the texts that the shards were made from, or prepare all of them into one folder',
  );
}

/** @throws UserError where a source is missing, cannot be read or holds nothing. */
export async function sizeOfSources(sources: readonly string[]): Promise<SourceSize> {
  requireOneForm(sources);
  const [first] = sources;
  const ofShards = isShards(first!);
  const size = ofShards ? await sizeOfShards(first!) : await sizeOfFiles(sources);
  const nothing = ofShards ? 'shards without a token' : 'empty files';
  if (size.tokens === 0) throw new UserError(`${sources.join(', ')}: expected text, received ${nothing}; name others`);
  return size;
}

async function sizeOfShards(folder: string): Promise<SourceSize> {
  const parts = isWholeShards(folder) ? [folder] : ['train', 'heldout'].map((part) => join(folder, part));
  let [documents, tokens] = [0, 0];
  for (const part of parts.filter(isWholeShards)) {
    const index = await readShardIndex(part);
    documents += index.documents;
    tokens += index.tokens;
  }
  return { text: `${count(documents)} documents, ${count(tokens)} tokens in shards`, tokens };
}

async function sizeOfFiles(sources: readonly string[]): Promise<SourceSize> {
  let [files, bytes] = [0, 0];
  for (const source of sources)
    for (const { file, unread } of await findFiles(source)) {
      if (unread !== undefined) continue;
      accessSync(file, constants.R_OK);
      files++;
      bytes += statSync(file).size;
    }
  return { text: `${files} file${files === 1 ? '' : 's'}, ${count(bytes)} bytes`, tokens: bytes / BYTES_PER_TOKEN };
}

const count = (value: number): string => value.toLocaleString('en');
