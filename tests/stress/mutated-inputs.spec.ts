import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadTokenizer, readDocuments, trainTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { openSafetensors, readConfig } from '@lethe/model';
import { loadRecipe, seededRandom, UserError } from '@lethe/run';
import { trainRecipeSchema } from '@lethe/train';
import { characterMap } from '../../packages/data-pipeline/testing/character-map.js';
import { writeParquet } from '../../packages/data-pipeline/testing/write-parquet.js';
import { writeSafetensors } from '../../packages/model/src/safetensors/writer.js';
import { ApiError } from '../../packages/serve/src/http/api-error.js';
import { readRequest } from '../../packages/serve/src/openai/read-request.js';
import { mutated } from './mutations.js';

// The short form of what is run by hand with LETHE_STRESS=10000: so many mutants of each format.
const COUNT = Number(process.env['LETHE_STRESS'] ?? 60);
const FIRST = Number(process.env['LETHE_STRESS_FIRST'] ?? 0);
/** Mutants at a time, each in a folder of its own: most of one's time is a wait for the disk or for another thread. */
const LANES = 12;
const [MOST_MS, MOST_MIB, MOST_CHARACTERS] = [5000, 1024, 300];

const folder = mkdtempSync(join(tmpdir(), 'lethe-mutants-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A format: how a right file of it is made, and what reads it; files are called as the format is. */
interface Format {
  name: string;
  make(file: string): void | Promise<void>;
  read(file: string): unknown;
}

/** Reads a file to its end. @returns whether every row was one. */
async function documentsOf(file: string): Promise<boolean> {
  let isWhole = true;
  for await (const _ of readDocuments([file], { onNote: () => {}, onWrongRow: () => (isWhole = false) }));
  return isWhole;
}

const rows = [
  { text: 'The river kept a stone.', id: 1 },
  { messages: [{ role: 'user', content: 'Why?' }, { role: 'assistant', content: 'Because é 漢 😀.' }] },
  { question: 'What is 2?', answer: 'Two.', score: 1.5e-3, tags: [null, true] },
]; // prettier-ignore
const jsonl = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const csv = 'text,label\n"a, ""b""",1\nplain é,2\n"two\nlines",3\n';
const text = (content: string | Buffer) => (file: string) => writeFileSync(file, content);
const goldens = join(__dirname, '../../packages/data-pipeline/testing/goldens');
const recipe = join(__dirname, '../../packages/cli/recipes/unlearn.yaml');
const config = {
  model_type: 'llama', architectures: ['LlamaForCausalLM'], vocab_size: 32, hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1,
  num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 64, rms_norm_eps: 1e-5, hidden_act: 'silu',
  rope_parameters: { rope_type: 'llama3', rope_theta: 1e4, factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 },
}; // prettier-ignore
const tensors = [
  { name: 'model.embed_tokens.weight', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 7) },
  { name: 'lm_head.weight', shape: [2], data: Float32Array.of(1, -1) },
];
const request = {
  prompt: ['Once', 'upon'],
  n: 2,
  max_tokens: 4,
  logprobs: 3,
  stop: ['\n'],
  seed: 1,
  stream: true,
  echo: true,
};
const unigram = {
  version: '1.0', added_tokens: [{ id: 0, content: '<s>', special: true, normalized: false, single_word: false, lstrip: false, rstrip: false }],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap: characterMap().toString('base64') }, { type: 'Prepend', prepend: '▁' }] },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } } },
  decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
  model: { type: 'Unigram', unk_id: 1, byte_fallback: false, vocab: [['<s>', 0], ['<unk>', 0], ['▁', -1], ['▁the', -2.5], ['a', -3], ['r', -3], ['river', -4]] },
}; // prettier-ignore
let tokenizer: Tokenizer;

async function readTokenizer(file: string): Promise<void> {
  const at = join(dirname(file), 'changed-tokenizer');
  cpSync(join(folder, 'tokenizer'), at, { recursive: true });
  cpSync(file, join(at, 'tokenizer.json'));
  const loaded = await loadTokenizer(at);
  await loaded.decode([...(await loaded.encode('The river kept <s> a é 😀', { addSpecialTokens: true }))]);
}

const bodyOf = (kind: 'chat' | 'completion') => (file: string) =>
  readRequest(tokenizer, { kind, body: readFileSync(file) }, { vocabSize: 300, maxPositions: 64, maxChoices: 8 });

const FORMATS: Format[] = [
  { name: 'rows.jsonl', make: text(jsonl), read: documentsOf },
  { name: 'rows.json', make: text(JSON.stringify(rows)), read: documentsOf },
  { name: 'rows.csv', make: text(csv), read: documentsOf },
  { name: 'rows.jsonl.gz', make: text(gzipSync(jsonl)), read: documentsOf },
  { name: 'rows.arrow', make: (file) => cpSync(join(goldens, 'zstd.arrow'), file), read: documentsOf },
  { name: 'rows.parquet', make: (file) => writeParquet(file, "SELECT 'a text' AS text, 1 AS n FROM range(9)"), read: documentsOf },
  { name: 'config.json', make: text(JSON.stringify(config)), read: readConfig },
  { name: 'weights.safetensors', make: (file) => void writeSafetensors(file, tensors), read: readTensors },
  { name: 'tokenizer.json', make: (file) => cpSync(join(folder, 'tokenizer', 'tokenizer.json'), file), read: readTokenizer },
  { name: 'unigram.json', make: text(JSON.stringify(unigram)), read: readTokenizer },
  { name: 'recipe.yaml', make: (file) => cpSync(recipe, file), read: (file) => loadRecipe(file, trainRecipeSchema) },
  { name: 'completion.http', make: text(JSON.stringify(request)), read: bodyOf('completion') },
  { name: 'chat.http', make: text(JSON.stringify({ messages: rows[1].messages, n: 1, top_logprobs: 2, logprobs: true })), read: bodyOf('chat') },
]; // prettier-ignore

function readTensors(file: string): void {
  const source = openSafetensors(file);
  try {
    for (const [name, { dtype }] of source.tensors) if (dtype === 'F32') source.readFloat32(name);
  } finally {
    source.close();
  }
}

beforeAll(async () => {
  tokenizer = await trainTokenizer([jsonl, csv], { vocabSize: 300, folder: join(folder, 'tokenizer') });
});

/** Reads a mutant. @returns whether all of it was right, or why not; what is wrong with that by `message`. */
async function tryMutant(
  { read }: Format,
  file: string,
): Promise<'read' | 'wrongRows' | { longest: number; message?: string }> {
  try {
    return (await read(file)) === false ? 'wrongRows' : 'read';
  } catch (error) {
    const at = dirname(file);
    const { message } = error as Error;
    const isExpected = error instanceof ApiError || (error instanceof UserError && message.includes(at));
    // A recipe's message has a line for each thing that is wrong, up to ten.
    const lines = message.replaceAll(at, '').split('\n');
    const longest = Math.max(...lines.map((line) => line.length));
    return { longest, ...((!isExpected || longest > MOST_CHARACTERS) && { message }) };
  }
}

it.each(FORMATS)(`${COUNT} mutants of $name are read, or refused by name in a short message`, async (format) => {
  const { name, make, read } = format;
  const file = join(folder, name);
  await make(file);
  await read(file);
  const right = readFileSync(file);
  const counts = { read: 0, wrongRows: 0, refused: 0, longest: 0, slowestMs: 0 };
  const wrong: string[] = [];
  const lane = async (number: number): Promise<void> => {
    const mutant = join(folder, String(number), name);
    mkdirSync(dirname(mutant), { recursive: true });
    for (let i = FIRST + number; i < FIRST + COUNT; i += LANES) {
      writeFileSync(mutant, mutated(right, seededRandom(i, `mutant of ${name}`)));
      const began = performance.now();
      const end = await tryMutant(format, mutant);
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - began);
      counts[typeof end === 'string' ? end : 'refused']++;
      if (typeof end === 'string') continue;
      counts.longest = Math.max(counts.longest, end.longest);
      if (end.message !== undefined) wrong.push(`mutant ${i}: ${end.message.length} characters: ${end.message}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  if (process.env['LETHE_STRESS']) {
    const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
    process.stdout.write(`${name}: ${JSON.stringify(counts)}, ${rss} MiB\n`);
    expect(counts.slowestMs).toBeLessThan(MOST_MS);
  }
  expect(wrong).toEqual([]);
  expect(counts.read + counts.refused + counts.wrongRows).toBe(COUNT);
  expect(counts.refused + counts.wrongRows).toBeGreaterThan(0);
  expect(process.memoryUsage.rss() / 2 ** 20).toBeLessThan(2 * MOST_MIB); // the tests' own compiler and caches included
});
