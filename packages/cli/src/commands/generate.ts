import { checkpointFolder, loadTokenizer } from '@lethe/data-pipeline';
import { generate, loadLlama } from '@lethe/model';
import { seededRandom, UserError } from '@lethe/run';
import type { DeviceSettings } from '@lethe/tensor';
import type { Command } from 'commander';
import { addDeviceOptions, selectDevice } from '../command-line/device-options.js';
import type { CliContext } from '../command-line/context.js';
import { nonNegative, integer, positiveInteger, shareOfOne } from '../command-line/number-options.js';

interface GenerateFlags extends DeviceSettings {
  model: string;
  prompt: string;
  maxNewTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  seed: number;
}

/** `lethe generate`: the continuation, and nothing else, on standard output. */
export function addGenerateCommand(program: Command, context: CliContext): void {
  const command = program
    .command('generate')
    .description('continue a prompt; the continuation alone goes to standard output')
    .requiredOption('--model <dir>', 'checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME')
    .requiredOption('--prompt <text>', 'what to continue')
    .option('--max-new-tokens <n>', 'most tokens to add', positiveInteger, 128)
    .option('--temperature <t>', '0 = greedy', nonNegative, 0)
    .option('--top-p <p>', 'smallest set of tokens with this probability', shareOfOne, 1)
    .option('--top-k <k>', 'the k likeliest tokens; 0 = all', integer, 0)
    .option('--seed <n>', 'of the sampling', integer, 1);
  addDeviceOptions(command).action(async (flags: GenerateFlags) => {
    await selectDevice(flags);
    const folder = await checkpointFolder(flags.model, context.logger());
    const tokenizer = await loadTokenizer(folder, { onWarning: (warning) => context.logger().warn(warning) });
    const { model } = loadLlama(folder, { trainable: false });
    const prompt = await tokenizer.encode(flags.prompt, { addSpecialTokens: true });
    const { temperature, topP, topK, maxNewTokens } = flags;
    checkRoom(prompt.length, maxNewTokens, model.config.maxPositions);
    const random = seededRandom(flags.seed, 'generate');
    const sampling = { temperature, topP, topK, random };
    const [ids] = generate(model, [prompt], { ...sampling, maxNewTokens, stopIds: model.config.eosTokenIds });
    // Decoded with its prompt, so that a tokenizer which drops a leading space keeps the one between the two.
    const decode = (all: number[]): Promise<string> => tokenizer.decode(all, { skipSpecialTokens: true });
    const whole = await decode([...prompt, ...ids]);
    process.stdout.write(`${whole.slice((await decode([...prompt])).length)}\n`);
    model.dispose();
  });
}

function checkRoom(numTokens: number, maxNewTokens: number, context: number): void {
  if (numTokens === 0)
    throw new UserError('--prompt is empty, and this tokenizer puts nothing before a text: give a word');
  const room = context - numTokens;
  if (maxNewTokens <= room) return;
  const remedy = room > 0 ? `take at most ${room}` : 'shorten the prompt';
  throw new UserError(
    `--max-new-tokens ${maxNewTokens}: the prompt has ${numTokens} of the ${context} tokens that the model's context holds; ${remedy}`,
  );
}
