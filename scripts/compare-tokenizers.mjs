// Do the Rust core, the JavaScript core and remembered pieces give equal ids? Over every document of LETHE_DATA/corpora
// (default ../shared), for every tokenizer of LETHE_DATA/tokenizers and LETHE_DATA/models, with special tokens read as
// text and as themselves. Takes an hour or more; `npm test` does the same for a sample (tokenizer.spec.ts).
//   node scripts/compare-tokenizers.mjs [tokenizer folder ...]
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { documentText, findFiles, loadTokenizer, readDocuments } from '../packages/data-pipeline/dist/index.js';

const data = process.env.LETHE_DATA ?? '../shared';
const SHOWN = 5;

/** Every folder with a tokenizer.json below `tokenizers` and `models`. */
function tokenizerFolders() {
  const folders = ['tokenizers', 'models'].flatMap((name) =>
    readdirSync(join(data, name)).map((one) => join(data, name, one)),
  );
  return folders.filter((folder) => existsSync(join(folder, 'tokenizer.json')));
}

/** Every document; files that hold none (archives) are named and left out. */
async function* documents() {
  for (const { file } of await findFiles(join(data, 'corpora'))) {
    try {
      yield* readDocuments([file]);
    } catch (error) {
      process.stdout.write(`left out: ${error.message}\n`);
    }
  }
}

async function compare(folder) {
  const rust = await loadTokenizer(folder, { core: 'rust', pieces: false });
  const others = [
    await loadTokenizer(folder, { core: 'js', pieces: false }),
    await loadTokenizer(folder, { core: 'rust', pieces: true }),
  ];
  const count = { documents: 0, characters: 0, tokens: 0, differing: 0 };
  for await (const document of documents()) {
    const text = documentText(document);
    for (const options of [{}, { parseSpecialTokens: true }]) {
      const expected = Buffer.from((await rust.encode(text, options)).buffer);
      const isEqual = [];
      for (const other of others)
        isEqual.push(expected.equals(Buffer.from((await other.encode(text, options)).buffer)));
      count.tokens += expected.length / 4;
      if (isEqual.every(Boolean)) continue;
      const { file, line } = document.place;
      if (count.differing++ < SHOWN)
        process.stdout.write(`${file}:${line}: equal js, pieces: ${isEqual} ${JSON.stringify(options)}\n`);
    }
    count.documents++;
    count.characters += text.length;
  }
  process.stdout.write(`${folder}: ${JSON.stringify(count)}\n`);
  return count.differing;
}

const given = process.argv.slice(2);
let numDiffering = 0;
for (const folder of given.length > 0 ? given : tokenizerFolders()) numDiffering += await compare(folder);
process.exitCode = numDiffering === 0 ? 0 : 1;
