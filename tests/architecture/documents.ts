import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesUnder, ROOT } from './import-graph.js';

/** Files of the repository whose words are read, as paths relative to the root. */
export const textFiles = (): string[] =>
  filesUnder('.').filter((path) => /\.(md|ts|mjs|cjs|py|cpp|h|cu|cuh|sh|yaml)$|^scripts\/gpu\/verify$/.test(path));

export const markdownFiles = (): string[] => textFiles().filter((path) => path.endsWith('.md'));

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** GitHub's name of a heading: lower case, letters, digits, hyphens and underscores; blanks become hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const anchorsIn = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));

/** Relative links of a Markdown file that lead nowhere: no such file, or no such heading in it. */
export function brokenLinks(file: string, text = read(file)): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path, anchor] = target.split('#');
    const found = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(join(ROOT, found))) return true;
    return anchor !== undefined && !anchorsIn(read(found)).includes(anchor);
  });
}

const FOLDERS = ['packages', 'native', 'scripts', 'tests', 'docs', 'benchmarks'];
const CITED = new RegExp(String.raw`(?<![\w./@$-])(?:${FOLDERS.join('|')})/[\w.*{},/<>-]*[\w*}>]`, 'g');

/** `a/{b,c}.ts` as `a/b.ts` and `a/c.ts`. */
function alternatives(path: string): string[] {
  const [, before, list, after] = /^(.*?)\{([^}]*)\}(.*)$/.exec(path) ?? [];
  return list === undefined ? [path] : list.split(',').flatMap((one) => alternatives(before + one + after));
}

// What a build makes, and scripts/gpu/verify.
const IS_MADE = /(^|\/)(build(-\w+)?|dist|node_modules)(\/|$)|^benchmarks\/results\/gpu/;

/** Paths of the repository that a Markdown file cites and that are not there. Stars and `<stem>` stand for any name. */
export function missingPaths(file: string, text = read(file)): string[] {
  const cited = [...text.matchAll(CITED)].flatMap(([path]) => alternatives(path));
  return cited.filter((path) => {
    if (IS_MADE.test(path) || existsSync(join(ROOT, path))) return false;
    if (!/[*<]/.test(path)) return true;
    const pattern = path.replaceAll(/[.]/g, String.raw`\.`).replaceAll(/\*|<\w+>/g, '[^/]*');
    const folder = path.slice(0, path.search(/[*<]/)).replace(/[^/]*$/, '');
    if (!existsSync(join(ROOT, folder))) return true;
    return !filesUnder(folder).some((one) => new RegExp(`^${pattern}(/|$)`).test(one));
  });
}

/** Names of Markdown files that a source or document mentions and that no file of the repository has. */
export function unknownDocuments(file: string, known: ReadonlySet<string>, text = read(file)): string[] {
  const named = [...text.matchAll(/(?<![\w*.{}-])[\w-]+\.md\b/g)].map(([name]) => name);
  return named.filter((name) => !known.has(name));
}
