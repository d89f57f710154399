import type { MessagePort } from 'node:worker_threads';
import { loadTokenizer } from '../tokenizer/load-tokenizer.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { createRowEncoder, type EncodeRows } from './encode-rows.js';
import { type EncoderReply, type EncoderRequest, type EncoderSettings, unpackRows } from './encoder-messages.js';

/** Loads the tokenizer, says so, and answers each list of rows, one after another. */
export async function runEncoder(port: MessagePort, settings: EncoderSettings): Promise<void> {
  const answer = async (step: () => Promise<EncoderReply>): Promise<void> => {
    try {
      port.postMessage(await step());
    } catch (error) {
      const { message } = error as Error;
      const isExpected = error instanceof TokenizerError;
      port.postMessage({ kind: 'failed', message, isExpected } satisfies EncoderReply);
    }
  };
  let encode: EncodeRows;
  await answer(async () => {
    encode = await open(settings);
    return { kind: 'ready' };
  });
  let last = Promise.resolve();
  port.on('message', (request: EncoderRequest) => {
    last = last.then(() => answer(async () => ({ kind: 'encoded', rows: await encode(unpackRows(request)) })));
  });
}

async function open({ file, hash, core, options }: EncoderSettings): Promise<EncodeRows> {
  const tokenizer = await loadTokenizer(file, { core });
  if (tokenizer.hash === hash) return createRowEncoder(tokenizer, options);
  throw new TokenizerError(`${file}: has changed since the preparation began; start it again`);
}
