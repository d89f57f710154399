import { checkpointFolder } from '@lethe/data-pipeline';
import { basename, resolve } from 'node:path';
import { listenForStop, EXIT_CODES } from '@lethe/run';
import { serve, type ServeOptions } from '@lethe/serve';
import type { DeviceSettings } from '@lethe/tensor';
import { type Command, InvalidArgumentError } from 'commander';
import { addDeviceOptions } from '../command-line/device-options.js';
import type { CliContext } from '../command-line/context.js';
import { integer, nonNegative } from '../command-line/number-options.js';

interface ServeFlags extends DeviceSettings {
  model: string;
  name?: string;
  host: string;
  port: number;
  /** false: --no-api-key. */
  apiKey?: string | false;
  maxBatch: number;
  keptPrompts?: number;
  maxQueue: number;
  maxBody: number;
  grace: number;
}

function positive(value: string): number {
  const number = integer(value);
  if (number === 0) throw new InvalidArgumentError('expected an integer >= 1.');
  return number;
}

function port(value: string): number {
  const number = integer(value);
  if (number > 65535) throw new InvalidArgumentError('expected a port, 0 to 65535.');
  return number;
}

const HELP = `
Endpoints: POST /v1/completions, POST /v1/chat/completions, GET /v1/models, GET /health.
The address goes to standard output when requests can come, a line for each request to standard error.
SIGINT and SIGTERM finish running requests first (docs/serve.md).`;

/** `lethe serve`: a model behind OpenAI's interface. */
export function addServeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('serve')
    .description("serve a model over HTTP with OpenAI's interface")
    .requiredOption('--model <dir>', 'checkpoint folder in the Hugging Face layout, or hf://OWNER/NAME')
    .option('--name <name>', "what clients call the model (default: the folder's name)")
    .option('--host <address>', 'where to listen; other machines reach addresses other than 127.0.0.1', '127.0.0.1')
    .option('--port <n>', '0 takes a free one', port, 8000)
    .option('--api-key <key>', 'ask clients for this key; LETHE_API_KEY does the same and stays out of process lists')
    .option('--no-api-key', 'serve without a key on an address that other machines reach')
    .option('--max-batch <n>', 'sequences that are generated at once', positive, 8)
    .option(
      '--kept-prompts <n>',
      'ended sequences whose caches are kept for prompts that begin alike (default: --max-batch)',
      integer,
    )
    .option('--max-queue <n>', 'sequences that may wait; when more do, requests are answered 429', integer, 256)
    .option('--max-body <MiB>', 'largest request', nonNegative, 8)
    .option('--grace <seconds>', 'that running requests get to finish when the server is stopped', nonNegative, 30)
    .addHelpText('after', HELP);
  addDeviceOptions(command).action(async (flags: ServeFlags) => {
    const { apiKey: key, maxBody, grace, ...rest } = flags;
    const apiKey =
      typeof key === 'string' ? key : key === false ? undefined : process.env['LETHE_API_KEY'] || undefined;
    const name = flags.model.startsWith('hf://') ? flags.model.slice('hf://'.length) : basename(resolve(flags.model));
    const options: ServeOptions = {
      name,
      ...rest,
      model: await checkpointFolder(flags.model, context.logger()),
      ...(apiKey === undefined ? {} : { apiKey }),
      allowsNoKey: key === false,
      maxBodyBytes: Math.floor(maxBody * 2 ** 20),
      logger: context.logger(),
    };
    context.exitCode = await serveUntilStopped(options, grace);
  });
}

/**
 * Serves until SIGINT or SIGTERM, or until the model's thread fails.
 * @returns the exit code of the signal.
 * @throws what ended the model's thread.
 */
async function serveUntilStopped(options: ServeOptions, graceSeconds: number): Promise<number> {
  let stopped = (): void => {};
  const toStop = new Promise<void>((done) => (stopped = done));
  const stop = listenForStop((signal) => {
    options.logger.warn(`${signal}: finishing running requests; again to stop at once`);
    stopped();
  });
  try {
    const server = await serve(options);
    process.stdout.write(`${server.url}\n`);
    const failure = await Promise.race([toStop, server.ended]);
    await server.close(failure ? 0 : graceSeconds);
    if (failure) throw failure;
    return EXIT_CODES[stop.requested!];
  } finally {
    stop.dispose();
  }
}
