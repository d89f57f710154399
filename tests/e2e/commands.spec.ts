import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '@lethe/cli';
import { parse } from 'yaml';
import { loadRecipe, silentLogger } from '@lethe/run';
import { trainRecipeSchema } from '@lethe/train';
import { evalRecipeSchema } from '@lethe/eval';
import { filesIn, lethe, letheHere, succeed, temporaryFolder } from './lethe.js';
import { prepareProject } from './small-project.js';

const DEVICE = ['--device <name>', '--precision <p>', '--threads <n>'];
const SHORTHANDS = ['--model <dir>', ...DEVICE];
const TRAINING = ['--recipe <file>', '--set <key=value>', ...SHORTHANDS, '--dry-run'];

interface JsonSchema {
  properties: Record<string, object>;
  additionalProperties: boolean;
}

/** Every command with its arguments and flags. A change here is a change of what users type: say so in the changelog. */
const COMMANDS: Record<string, string[]> = {
  repair: [
    '[recipe]',
    '--model <dir>',
    '--synthetic <files...>',
    '--natural <files...>',
    '--base <dir>',
    '--instructions <files...>',
    '--eval <recipe>',
    '--finetune <recipe>',
    '--finetune-runs <n>',
    '--budget <time>',
    '--tokens <n>',
    '--out <dir>',
    '--anyway',
    '--dry-run',
    '--json',
    ...DEVICE,
  ],
  init: ['[recipe]', '--model <dir>', '--synthetic <files...>', '--natural <files...>', '--base <dir>', '--force'],
  prepare: [
    '[sources...]',
    '--recipe <file>',
    '--set <key=value>',
    '--out <dir>',
    '--tokenizer <dir>',
    '--train-tokenizer <size>',
    '--as <kind>',
    '--special-tokens <how>',
    '--held-out <fraction>',
    '--seed <n>',
    '--filter <name>',
    '--overlap <set>',
    '--threads <n>',
    '--strict',
    '--force',
  ],
  inspect: ['<shards>', '--tokenizer <dir>', '--samples <n>', '--json'],
  pretrain: TRAINING,
  unlearn: TRAINING,
  refine: TRAINING,
  finetune: TRAINING,
  sweep: [
    '<command>',
    '--recipe <file>',
    '--set <key=value>',
    ...SHORTHANDS,
    '--vary <key=value,value>',
    '--sweep <file>',
    '--name <name>',
    '--over <what>',
    '--only <i/n>',
    '--dry-run',
    '--json',
  ],
  report: ['<run...>', '--out <file>', '--json'],
  watch: ['<run>', '--port <n>'],
  reproduce: ['<run>', '--name <name>', '--json'],
  eval: [
    '--recipe <file>',
    '--set <key=value>',
    '--model <dir>',
    '--out <file>',
    '--judge-url <url>',
    '--judge-model <name>',
    '--rejudge <k>',
    '--without-sandbox',
    '--json',
    ...DEVICE,
  ],
  compare: ['<results...>', '--out <file>', '--overlap <dir>', '--json'],
  diagnose: [
    '--base <dir>',
    '--model <dir>',
    '--data <shards>',
    '--synthetic <shards>',
    '--natural <shards>',
    '--embeddings',
    '--documents <n>',
    '--max-length <n>',
    '--out <dir>',
    '--json',
    ...DEVICE,
  ],
  score: ['--model <dir>', '--in <file>', '--out <file>', '--batch-tokens <n>', ...DEVICE],
  generate: [
    '--model <dir>',
    '--prompt <text>',
    '--max-new-tokens <n>',
    '--temperature <t>',
    '--top-p <p>',
    '--top-k <k>',
    '--seed <n>',
    ...DEVICE,
  ],
  serve: [
    '--model <dir>',
    '--name <name>',
    '--host <address>',
    '--port <n>',
    '--api-key <key>',
    '--no-api-key',
    '--max-batch <n>',
    '--kept-prompts <n>',
    '--max-queue <n>',
    '--max-body <MiB>',
    '--grace <seconds>',
    ...DEVICE,
  ],
  export: ['--model <dir>', '--adapter <dir>', '--out <dir>', '--dtype <type>', '--push <owner/name>', '--public'],
  demo: ['--quick', '--runs <dir>', '--json'],
  paper: ['--quick', '--study <name>', '--seeds <list>', '--jobs <n>', '--out <dir>', '--precision <p>', '--json'],
  schema: ['<command>'],
  completion: ['<shell>'],
  doctor: ['--runs <dir>', '--network', '--json'],
};

const program = createProgram({ logger: () => silentLogger, exitCode: 0 });
const recipes = join(__dirname, '..', '..', 'packages', 'cli', 'recipes');

it('the commands and flags are the ones that users know', () => {
  const found = program.commands.map((command) => {
    const names = command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    return [command.name(), [...names, ...command.options.map(({ flags }) => flags)]];
  });
  expect(Object.fromEntries(found)).toEqual(COMMANDS);
  expect(program.options.map(({ flags }) => flags)).toEqual(['-V, --version', '--verbose', '--quiet']);
});

it.each(Object.keys(COMMANDS))('the help of %s fits 80 columns', async (name) => {
  const { stdout } = await letheHere(recipes, name, '--help');
  expect(stdout).toContain(`Usage: lethe ${name}`);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it.each([...trainRecipeSchema.shape.stage.options, 'eval'])('schema %s knows every key of its recipe', async (name) => {
  const { code, stdout } = await letheHere(recipes, 'schema', name);
  expect(code).toBe(0);
  const { properties, additionalProperties } = JSON.parse(stdout) as JsonSchema;
  expect(additionalProperties).toBe(false);
  const written = parse(readFileSync(join(recipes, `${name}.yaml`), 'utf8')) as object;
  expect(Object.keys(written).filter((key) => !(key in properties))).toEqual([]);
  expect(properties).toHaveProperty('extends');
});

describe('the recipes that come with Lethe', () => {
  it('are one for each training stage, unlearning with validation, and one for eval', () => {
    const stages = trainRecipeSchema.shape.stage.options;
    expect(
      readdirSync(recipes)
        .filter((name) => name.endsWith('.yaml'))
        .sort(),
    ).toEqual([...stages, 'unlearn-validated', 'eval'].map((name) => `${name}.yaml`).sort());
  });

  it.each(trainRecipeSchema.shape.stage.options)('%s.yaml fits its schema and its stage', (stage) => {
    const { recipe } = loadRecipe(join(recipes, `${stage}.yaml`), trainRecipeSchema);
    expect(recipe.stage).toBe(stage);
    expect(recipe.data.replay).not.toEqual([]);
  });

  it('unlearn.yaml is the paper’s', () => {
    const { recipe } = loadRecipe(join(recipes, 'unlearn.yaml'), trainRecipeSchema);
    expect(recipe.objective).toEqual({
      method: 'complement',
      weights: { forgetting: 0.01, replay: 1, mitigation: 1 },
      reduction: 'mean',
      forgetSpan: 'all',
      template: expect.any(Object) as object, // read where forgetSpan is template
    });
    expect([recipe.optimizer.lr, recipe.schedule.kind]).toEqual([5e-5, 'constant']);
  });

  it('unlearn-validated.yaml is the same run, validated', () => {
    const [plain, validated] = ['unlearn', 'unlearn-validated'].map(
      (name) => loadRecipe(join(recipes, `${name}.yaml`), trainRecipeSchema).recipe,
    );
    const { validation, stop, ...rest } = validated;
    expect(rest).toEqual({ ...plain, name: 'unlearn-validated' }); // a folder of its own in runs/
    expect(validation!.replay).not.toEqual(plain.data.replay);
    expect(Object.keys(stop!).sort()).toEqual(['forgetP', 'maxPerplexityRise']);
  });

  it('eval.yaml fits its schema', () => {
    expect(loadRecipe(join(recipes, 'eval.yaml'), evalRecipeSchema).recipe.tasks).toHaveLength(1);
  });
});

describe('help, version and plans', () => {
  const folder = temporaryFolder();
  beforeAll(() => prepareProject(folder), 60000);

  it.each([[], ...Object.keys(COMMANDS).map((name) => [name])])('lethe %s --help exits 0', async (...command) => {
    const words = command.filter((word): word is string => typeof word === 'string');
    const { code, stdout } = await letheHere(folder, ...words, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: lethe ${words.join(' ')}`);
  });

  it('--version prints the version', async () => {
    expect((await succeed(folder, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('no command prints the help', async () => {
    for (const flags of [[], ['--verbose']]) {
      expect((await succeed(folder, ...flags)).stdout).toContain('Usage: lethe');
    }
  });

  it('prepare takes from flags what its recipe lacks', async () => {
    writeFileSync(join(folder, 'sources.yaml'), 'sources: [text.txt]\n');
    const { code, stderr } = await lethe(
      folder,
      ...'prepare --recipe sources.yaml --out o --tokenizer nowhere'.split(' '),
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('nowhere: no such file; expected the tokenizer.json')]);
    const lacking = await lethe(folder, 'prepare', '--recipe', 'sources.yaml');
    expect(lacking.stderr).toContain('where to? give --out DIR, or out: DIR in the recipe');
  });

  it('help of an unknown command tells the nearest one', async () => {
    const { code, stderr } = await lethe(folder, 'help', 'unlern');
    expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean unlearn?')]);
    expect((await succeed(folder, 'help', 'unlearn')).stdout).toContain('Usage: lethe unlearn');
  });

  it.each([
    [['prepare', 'x', '--out', 'o', '--tokenizer', 't', '--held-out', '2'], 'expected a share from 0 to below 1'],
    [['generate', '--model', 'm', '--prompt', 'p', '--threads', '0'], 'expected an integer >= 1'],
    [['generate', '--model', 'm', '--prompt', 'p', '--threads', '5000'], 'expected 1 to 4096 threads'],
  ])('%j is refused in the words of the flag', async (args, message) => {
    const { code, stderr } = await lethe(folder, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('--dry-run prints the resolved recipe with its sizes, and writes nothing', async () => {
    const before = filesIn(folder);
    const args = ['pretrain', '--recipe', 'pretrain.yaml', '--set', 'optimizer.lr=0.25', '--dry-run'];
    const { stdout } = await succeed(folder, ...args);
    expect(stdout).toContain('lr: 0.25');
    expect(stdout).toContain('weightDecay: 0.1'); // A default.
    // 300 x 32 embeddings; 2 layers of q, o [32, 32], k, v [16, 32], 3 x [64, 32] and 2 norms; the last norm.
    expect(stdout).toContain(`parameters: ${(300 * 32 + 2 * (3 * 1024 + 3 * 2048 + 64) + 32).toLocaleString('en')}\n`);
    expect(stdout).toMatch(/memory \(fp32, estimated\): \d+\.\d MiB/);
    expect(stdout).toContain(`tokens per step: 256, of the run: ${(256 * 30).toLocaleString('en')}`);
    expect(filesIn(folder)).toEqual(before);
  });
});
