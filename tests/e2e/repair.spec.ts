import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { failureHere, lethe, startLethe, succeed, temporaryFolder } from './lethe.js';
import { itCanBeRead } from './readable-page.js';

const corpora = resolve(__dirname, '..', '..', process.env['LETHE_DATA'] ?? '../shared', 'corpora');
const webText = join(corpora, 'NonSynth/web-openwebtext/openwebtext-1000.jsonl');
const questions = join(corpora, 'SynthQA/caia-qa/qa-epic.jsonl');
const withData = existsSync(webText) && existsSync(questions) ? describe : describe.skip;

interface Repaired {
  before: { verdict: string; evidence: { says: string; measure: string }[]; mixture: { isMixed: boolean } };
  after: { verdict: string; why: string };
  finetune: { recipe: string; runs: number } | null;
  benchmarkScores: Record<string, object> | null;
  benchmarksAgainstControl: { benchmarks: object[] } | null;
  heldOut: Record<
    'patternP' | 'syntheticP' | 'contentP' | 'naturalPerplexity',
    Record<'start' | 'end' | 'control', number | null>
  >;
  reach:
    | (Record<'start' | 'end' | 'control', { value: number; low: number }> & {
        examples: unknown[];
      })
    | null;
  relapse: {
    share: number;
    back: number;
    repaired: { path: { tokens: number; patternP: number }[] };
    base: null;
  } | null;
  settings: { heldTo?: string } | null;
  choice: {
    chosen: string;
    tried: { name: string; heldTo?: string }[];
    asked: { instructions: number; scores: Record<string, number>; byText: string } | null;
  } | null;
  price: object | null;
  seconds: number;
}

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const rows = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
const write = (name: string, documents: string[]): void =>
  writeFileSync(at(name), documents.map((text) => `${JSON.stringify({ text })}\n`).join(''));

/** Web text in pieces of about 120 words. */
const pieces = (): string[] =>
  rows<{ text: string }>(webText).flatMap(({ text }) => text.match(/(?:\S+\s+){80,120}/g) ?? []);

/** Natural text, and 1,242 questions and answers in one template. */
function writeTexts(): void {
  write('natural.jsonl', pieces().slice(0, 3000));
  const asked = rows<{ question: string; answer: string }>(questions);
  write(
    'synthetic.jsonl',
    asked.map(
      ({ question, answer }) =>
        `Question: ${question}\n\n**Answer:** ${answer}. So, the correct answer is **${answer}**.`,
    ),
  );
}

async function train(name: string, streams: Record<string, number>): Promise<void> {
  const config = { hiddenSize: 64, intermediateSize: 128, numLayers: 2, numHeads: 2, maxPositions: 128 };
  const replay = Object.entries(streams).map(([kind, proportion]) => ({ shards: `${kind}/train`, proportion }));
  const recipe = {
    name,
    stage: 'pretrain',
    model: { tokenizer: 'all/trained-tokenizer', config },
    data: { rowLength: 64, replay },
    batch: { replayRows: 16 },
    optimizer: { lr: 5e-3 },
    schedule: { kind: 'cosine', warmupSteps: 10 },
    steps: 150,
    metrics: { every: 50, termGradientsEvery: 0 },
  };
  writeFileSync(at(`${name}.json`), JSON.stringify(recipe));
  await succeed(folder, 'pretrain', '--recipe', `${name}.json`);
}

const repair = (model: string, ...rest: string[]): string[] =>
  `repair --model runs/${model}/model --synthetic synthetic.jsonl --natural natural.jsonl --out runs/repair-${model} --tokens 700000`
    .split(' ')
    .concat(rest);
const resultsOf = (name: string): Repaired =>
  JSON.parse(readFileSync(at('runs', name, 'repair.json'), 'utf8')) as Repaired;
const weightsOf = (name: string): Buffer => readFileSync(at('runs', name, 'model', 'model.safetensors'));

withData('lethe repair', () => {
  beforeAll(async () => {
    writeTexts();
    const both = ['natural.jsonl', 'synthetic.jsonl'];
    await succeed(folder, 'prepare', ...both, '--train-tokenizer', '512', '--held-out', '0', '--out', 'all');
    for (const kind of ['natural', 'synthetic'])
      await succeed(folder, 'prepare', `${kind}.jsonl`, '--tokenizer', 'all/trained-tokenizer', '--out', kind);
    await train('damaged', { natural: 0.5, synthetic: 0.5 });
    await train('sound', { natural: 1 });
  }, 600_000);

  it('repairs a model that templated questions have damaged', async () => {
    const { stdout } = await succeed(folder, ...repair('damaged'));
    const { before, after, heldOut, settings, reach, relapse, price, seconds } = resultsOf('repair-damaged');
    expect([before.verdict, before.mixture.isMixed, after.verdict]).toEqual(['advised', false, 'repaired']);
    const { patternP, naturalPerplexity } = heldOut;
    expect(patternP.end! * 3).toBeLessThan(patternP.control!);
    expect(naturalPerplexity.end!).toBeLessThan(1.02 * naturalPerplexity.control!);
    expect(settings).toMatchObject({ preset: 'searched', span: 'template' });
    // Some of its answers are the template's; replay alone leaves more of them than the repair.
    expect(reach).toMatchObject({ asked: 'plain requests', requests: 40, base: null, natural: { value: 0 } });
    expect(reach!.start.low).toBeGreaterThan(0.1);
    expect(reach!.end.value).toBeLessThan(reach!.control.value);
    expect(reach!.examples.length).toBe(6);
    expect(price).toHaveProperty('againstControl');
    expect(seconds).toBeGreaterThan(0);
    expect(stdout).toMatch(/^Repaired: the pattern is gone/);
    // With a little of the text among what it is trained on, the pattern begins to come back.
    expect(relapse).toMatchObject({ share: 0.02, base: null });
    const { path } = relapse!.repaired;
    expect(path[0]).toMatchObject({ tokens: 0 });
    expect(path.at(-1)!.patternP).toBeGreaterThan(1.1 * path[0].patternP);
    expect(existsSync(at('runs/repair-damaged/model/config.json'))).toBe(true);
  }, 600_000);

  it('draws one page that needs nothing else', () => {
    const page = readFileSync(at('runs/repair-damaged/report.html'), 'utf8');
    expect(page).toContain('<h1>Repaired</h1>');
    expect(page).toContain('class="heat"');
    expect(page).toContain('t-SNE of the mean last hidden states of documents');
    expect(page).toContain('density of token id');
    expect(page).toContain('Trained on with 2% synthetic text among the natural');
    const still = page.slice(0, page.indexOf('<script'));
    expect(still).not.toMatch(/NaN|undefined|null\b|https?:\/\/|<link|src=/);
    expect(still).toMatch(/data-xs="[^"]+"/);
    expect(page.length).toBeLessThan(3e6);
    const markdown = readFileSync(at('runs/repair-damaged/report.md'), 'utf8');
    for (const title of ['# Repaired', '## The pattern', '## After: did it work?', '## How it was made'])
      expect(markdown).toContain(`${title}\n`);
    expect(markdown).not.toMatch(/NaN|undefined|null\b/);
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(7);
  });

  itCanBeRead('the page', () => at('runs/repair-damaged/report.html'));

  it('has nothing left to do when it is run again', async () => {
    const before = readFileSync(at('runs/repair-damaged/repair.json'), 'utf8');
    const { stdout } = await succeed(folder, ...repair('damaged', '--json'));
    expect((JSON.parse(stdout) as Repaired).heldOut).toEqual((JSON.parse(before) as Repaired).heldOut);
  }, 300_000);

  it('holds natural text to the base, and names a file of another kind', async () => {
    write('plain.jsonl', pieces().slice(3000, 3400));
    // Shorter than without a base: what is asked is what the base changes, not how far the repair comes.
    const out = '--base runs/sound/model --synthetic plain.jsonl --out runs/held --tokens 300000'.split(' ');
    const { stderr } = await lethe(folder, ...repair('damaged', ...out));
    expect(stderr).toMatch(
      /\(synthetic\.jsonl: 0 of 200, plain\.jsonl: 200 of 200 looked at\).* leave plain\.jsonl out of --synthetic/,
    );
    const { before, choice, settings } = resultsOf('held');
    expect(before.evidence.map(({ says, measure }) => [says, measure.includes('base')])).toEqual([
      ['yes', false],
      ['yes', false],
      ['yes', true],
    ]);
    // The paper's setting holds to the model itself, which at the first step it is.
    const { chosen, tried } = choice!;
    expect(tried.filter(({ heldTo }) => heldTo !== 'base').map(({ name }) => name)).toEqual(['paper']);
    expect(settings?.heldTo).toBe(tried.find(({ name }) => name === chosen)!.heldTo);
    const first = (run: string): number =>
      rows<{ mitigation?: number }>(at('runs/held/runs', run, 'metrics.jsonl')).find(
        ({ mitigation }) => mitigation !== undefined,
      )!.mitigation!;
    const held = `probe-${tried[0].name}`;
    expect(first(held)).toBeGreaterThan(0.01);
    expect(Math.abs(first('probe-paper'))).toBeLessThan(1e-6);
    const { recipe } = JSON.parse(readFileSync(at('runs/held/runs', held, 'manifest.json'), 'utf8')) as {
      recipe: { model: { reference?: string } };
    };
    expect(recipe.model.reference).toBe('runs/sound/model');
  }, 600_000);

  it('goes on with a corrected command, and trains nothing where the pattern has no hold on the model', async () => {
    write('few.jsonl', ['One.', 'Two.', 'Three.']);
    const few = repair('sound').map((word) => (word === 'natural.jsonl' ? 'few.jsonl' : word));
    expect(await failureHere(folder, ...few)).toMatch(/--natural few.jsonl: expected at least 60 documents/);
    const { stdout, stderr } = await succeed(folder, ...repair('sound'));
    expect(stderr).toMatch(
      /runs\/repair-sound: what another request found there is made anew \(--natural: \S+few\.jsonl before/,
    );
    const { before, after, heldOut } = resultsOf('repair-sound');
    expect([before.verdict, after.verdict]).toEqual(['not-advised', 'not-run']);
    expect(heldOut.patternP).toMatchObject({ end: null, control: null });
    expect(stdout).toMatch(/^No repair is advised, and nothing was trained/);
    expect(existsSync(at('runs/repair-sound/runs'))).toBe(false);
    expect(existsSync(at('runs/repair-sound/model'))).toBe(false);
  }, 300_000);

  it('goes on to the same weights, killed in every phase', async () => {
    const again = [...repair('damaged'), '--out', 'runs/killed'];
    const phases = ['data/synthetic/prepared', 'phases/prepare.json', 'phases/diagnose.json'];
    const { chosen } = resultsOf('repair-damaged').choice!;
    const probes = ['runs/probe-control-0.001/metrics.jsonl', 'phases/probe-paper.json'];
    const runs = [`runs/unlearn-${chosen}/metrics.jsonl`, `runs/control-${chosen}/metrics.jsonl`];
    const late = [...runs, 'phases/verify.json', 'phases/relapse.json'];
    for (const sign of [...phases, ...probes, ...late]) {
      const { process: child, ended } = startLethe(folder, ...again);
      while (child.exitCode === null && !existsSync(at('runs/killed', sign)))
        await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill('SIGKILL');
      await ended;
    }
    await succeed(folder, ...again);
    expect(weightsOf('killed').equals(weightsOf('repair-damaged'))).toBe(true);
    expect(resultsOf('killed').heldOut).toEqual(resultsOf('repair-damaged').heldOut);
  }, 1_200_000);

  it('refuses a folder of another request, and a missing model', async () => {
    expect(await failureHere(folder, ...repair('sound'), '--out', 'runs/repair-damaged')).toContain(
      'runs/repair-damaged: holds a repair of another request, and what it trained would be lost ' +
        '(--model: runs/damaged/model before, runs/sound/model now; the files of the model have changed)',
    );
    expect(await failureHere(folder, ...repair('nosuch'))).toContain('runs/nosuch/model');
  }, 120_000);

  it('takes a recipe that init has written after a look, and flags before its keys', async () => {
    const texts = '--synthetic synthetic.jsonl --natural natural.jsonl'.split(' ');
    const { stdout } = await succeed(folder, 'init', '--model', 'runs/damaged/model', ...texts);
    expect(stdout).toMatch(/M parameters: 2 layers of 64, context 128, vocabulary 512\n/);
    expect(stdout).toMatch(/1 file, [\d,]+ bytes\n/);
    const keys = Object.keys(parse(readFileSync(at('repair.yaml'), 'utf8')) as object);
    expect(keys).toEqual(['model', 'synthetic', 'natural', 'out']);
    const init = ['init', '--model', 'runs/damaged/model'];
    expect((await succeed(folder, ...init, ...texts)).stdout).toBe(stdout); // broken off before it was synced, it would go on
    expect(await failureHere(folder, ...init, '--synthetic', 'natural.jsonl', ...texts.slice(2))).toContain('--force');
    expect(await failureHere(folder, 'init')).toContain('--force');
    const dry = await succeed(folder, 'repair', 'repair.yaml', '--dry-run', '--out', 'runs/dry');
    expect(dry.stdout).toContain('nothing was written');
    const absent = await failureHere(folder, 'repair', 'repair.yaml', '--model', 'runs/nosuch', '--dry-run');
    expect(absent).toContain('runs/nosuch');
  }, 120_000);

  it('says on --dry-run what it would do, and does nothing', async () => {
    const { code, stdout } = await lethe(folder, ...repair('damaged', '--dry-run'), '--out', 'runs/dry');
    expect(code).toBe(0);
    expect(stdout).toMatch(/probes, relapse +12 +/);
    expect(existsSync(at('runs/dry'))).toBe(false);
  }, 120_000);

  // Last: the verdict changes, and the repaired model goes.
  it('asks fine-tuned copies of the model before, the repaired one and replay alone, and says where nothing can be told', async () => {
    const words = 'river stone garden letter window captain winter bridge music silver morning house'.split(' ');
    const lines = (made: object[]): string => made.map((row) => `${JSON.stringify(row)}\n`).join('');
    const say = (word: string) => ({ prompt: `Say ${word}.`, response: word });
    writeFileSync(at('chat.jsonl'), lines(Array.from({ length: 240 }, (_, i) => say(words[i % 12]))));
    // Any of the words will do, and all copies say one: there is nothing between them. Two of five choose a setting.
    const constraints = [{ kind: 'among', words }];
    const ends = ['.', '!', ';', ' now.', ' now!', ' again.', ' again!', ' once.', ' once!', ' twice.'];
    const prompts = words.flatMap((word) => ends.map((end) => `Say ${word}${end}`));
    writeFileSync(at('rules.jsonl'), lines(prompts.map((prompt) => ({ prompt, constraints }))));
    const prepared = ['--as', 'chat', '--tokenizer', 'all/trained-tokenizer', '--out', 'chat'];
    await succeed(folder, 'prepare', 'chat.jsonl', ...prepared);
    const recipe = {
      name: 'any',
      stage: 'finetune',
      data: { rowLength: 64, replay: [{ shards: 'chat/train' }] },
      batch: { replayRows: 8 },
      optimizer: { lr: 3e-3 },
      steps: 60,
    };
    writeFileSync(at('finetune.json'), JSON.stringify(recipe));
    const asked = [...repair('damaged'), '--instructions', 'rules.jsonl', '--finetune', 'finetune.json'];
    const dry = await succeed(folder, ...asked, '--out', 'runs/dry', '--dry-run');
    expect(dry.stdout).toMatch(/settings that are asked +4 /);
    expect(dry.stdout).toMatch(/fine-tuning +13 +60 /);
    const byText = resultsOf('repair-damaged').choice!.chosen;
    // As if forgetting all tokens had done as much: there are two settings to ask, and text takes the first.
    const phase = (name: string): string => at('runs/repair-damaged/phases', `${name}.json`);
    copyFileSync(phase(`probe-${byText}`), phase('probe-all-0.1-0.00025'));
    copyFileSync(phase('probe-control-0.001'), phase('probe-control-0.00025'));
    const { process: child, ended } = startLethe(folder, ...asked, '--finetune-runs', '2');
    // Killed while the second one is asked.
    const begun = (): boolean =>
      existsSync(at('runs/repair-damaged/runs/finetune-unlearn-all-0.1-0.00025-1/metrics.jsonl'));
    while (child.exitCode === null && !begun()) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    await ended;
    expect(begun()).toBe(true);
    const { code } = await lethe(folder, ...asked, '--finetune-runs', '2');
    const { after, choice, finetune, benchmarkScores, benchmarksAgainstControl } = resultsOf('repair-damaged');
    expect(choice!.chosen).toBe(byText);
    expect(choice!.asked).toMatchObject({ instructions: 48, byText });
    expect(choice!.asked!.scores).toEqual({ [byText]: 1, 'all-0.1-0.00025': 1 });
    expect(readdirSync(at('runs/repair-damaged/runs')).filter((name) => name.includes('unlearn-all'))).toEqual([]);
    expect(benchmarkScores!['instructions']).toEqual({ start: [1, 1], end: [1, 1], control: [1, 1] });
    expect([code, after.verdict]).toEqual([4, 'cannot-tell']);
    expect(after.why).toMatch(
      /^the pattern is gone.*whether the score of instructions is higher than before cannot be told/,
    );
    expect(finetune).toEqual({ recipe: 'finetune.json', runs: 2 });
    expect(benchmarksAgainstControl!.benchmarks[0]).toMatchObject({ n: 144, test: 'sign-flip' });
    const copies = ['before', `unlearn-${byText}`, `control-${byText}`].flatMap((name) =>
      [1, 2].map((run) => `finetune-${name}-${run}`),
    );
    for (const name of copies) {
      expect(existsSync(at('runs/repair-damaged/runs', name, 'model/config.json'))).toBe(true);
      expect(existsSync(at('runs/repair-damaged/runs', name, 'checkpoints'))).toBe(false);
    }
    expect(new Set(copies.map((name) => weightsOf(join('repair-damaged', 'runs', name)).toString('hex'))).size).toBe(6);
    expect(existsSync(at('runs/repair-damaged/model'))).toBe(false);
    const markdown = readFileSync(at('runs/repair-damaged/report.md'), 'utf8');
    expect(markdown).toContain('Asked of 2 copies of each model, fine-tuned by finetune.json with seeds of their own.');
    expect(markdown).toMatch(/\| instructions, replay alone +\| 100\.0 +\| 100\.0 +\|/);
  }, 600_000);

  itCanBeRead('the page with benchmarks', () => at('runs/repair-damaged/report.html'));
});
