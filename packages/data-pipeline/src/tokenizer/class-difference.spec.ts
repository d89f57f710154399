import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { classDifference } from './class-difference.js';
import { loadTokenizer } from './load-tokenizer.js';
import type { TokenizerJson } from './tokenizer-core.js';

const folder = temporaryFolder();

/** Held against transformers (scripts/goldens/tokenizer_classes.py). */
const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../testing/goldens/tokenizer-classes.json'), 'utf8'),
) as {
  files: Record<string, { pre_tokenizer: unknown; normalizer: unknown }>;
  built: Record<string, Record<string, string>>;
  differing: Record<string, Record<string, string[] | null>>;
};
const kinds = Object.keys(golden.files);
const CASES = Object.entries(golden.built).flatMap(([type, classes]) =>
  Object.entries(classes).flatMap(([name, built]) => kinds.map((kind) => ({ type, name, built, kind }))),
);
const json = (kind: string) => ({ model: { vocab: {} }, ...golden.files[kind] }) as unknown as TokenizerJson;
const tellOf = (kind: string, name: string | undefined, type?: string) =>
  classDifference(json(kind), name === undefined ? {} : { tokenizer_class: name }, type ? { model_type: type } : {});

describe('classDifference', () => {
  it.each(CASES)('tells what $built changes: a $type model, class $name, a file like $kind', (one) => {
    const [name, type] = [one.name, one.type].map((text) => (text === 'None' ? undefined : text));
    const told = tellOf(one.kind, name, type);
    const differing = golden.differing[one.built][one.kind];
    // This vocabulary joins no digits, so that cutting them apart changes nothing; with another it would.
    if (one.kind === 'digits' && differing?.length === 0 && told !== undefined)
      expect(told).toMatch(/cuts texts into other words/);
    else expect(told !== undefined).toBe(differing?.length !== 0);
    if (told?.includes('normal form NFC')) expect(differing).toEqual(['cafe\u0301']);
    if (told?.includes('begins with a space')) expect(differing).not.toContain('The quick brown fox');
    if (differing && differing.length > 10) expect(told).toContain('on nearly every text');
  });

  it('tells of classes that it does not know, and of those that cannot be built from a BPE', () => {
    for (const name of ['T5Tokenizer', 'XLMRobertaTokenizer', 'BaichuanTokenizer'])
      expect(tellOf('gpt2', name)).toMatch(new RegExp(`^tokenizer_class ${name}: .*which Lethe does not know`));
    expect(tellOf('gpt2', 'PreTrainedTokenizerFast', 'qwen2')).toMatch(
      /^model_type qwen2, read with Qwen2Tokenizer: .*other words/,
    );
    expect(classDifference(json('gpt2'), {}, { tokenizer_class: 'LlamaTokenizer' })).toContain('on nearly every text');
  });

  it('is told as the tokenizer is loaded, with how to compare', async () => {
    const at = path.join(folder.path, 'tokenizer');
    await smallTokenizer(at);
    writeFileSync(path.join(at, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'LlamaTokenizerFast' }));
    const warnings: string[] = [];
    await loadTokenizer(at, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([
      expect.stringMatching(
        /tokenizer_class LlamaTokenizerFast: .*on nearly every text; compare AutoTokenizer\.from_pretrained/,
      ),
    ]);
  });
});
