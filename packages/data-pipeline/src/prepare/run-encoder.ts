import type { MessagePort } from 'node:worker_threads';
import type { Document } from '../documents/document.js';
import { loadTokenizer } from '../tokenizer/load-tokenizer.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { createEncoder, type Encode } from './encoder.js';
import type { EncoderReply, EncoderSettings } from './encoder-messages.js';

/** Loads the tokenizer, says so, and answers each list of documents, one after another. */
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
  let encode: Encode;
  await answer(async () => {
    encode = await open(settings);
    return { kind: 'ready' };
  });
  let last = Promise.resolve();
  port.on('message', (documents: Document[]) => {
    last = last.then(() => answer(async () => ({ kind: 'encoded', documents: await encode(documents) })));
  });
}

async function open({ file, hash, core, options }: EncoderSettings): Promise<Encode> {
  const tokenizer = await loadTokenizer(file, { core });
  if (tokenizer.hash === hash) return createEncoder(tokenizer, options);
  throw new TokenizerError(`${file}: has changed since the preparation began; start it again`);
}
