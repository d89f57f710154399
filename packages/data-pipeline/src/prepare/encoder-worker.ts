// A thread that encodes documents, see EncoderThreads.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Document } from '../documents/document.js';
import { loadTokenizer } from '../tokenizer/load-tokenizer.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import { createEncoder, type Encode } from './encoder.js';
import type { EncoderReply, EncoderSettings } from './encoder-messages.js';

async function open({ file, hash, core, options }: EncoderSettings): Promise<Encode> {
  const tokenizer = await loadTokenizer(file, { core });
  if (tokenizer.hash !== hash)
    throw new TokenizerError(`${file}: has changed since the preparation began; start it again`);
  return createEncoder(tokenizer, options);
}

async function work(port: MessagePort, settings: EncoderSettings): Promise<void> {
  const reply = (message: EncoderReply): void => port.postMessage(message);
  const orTell = async (step: () => Promise<EncoderReply>): Promise<void> => {
    try {
      reply(await step());
    } catch (error) {
      reply({ kind: 'failed', message: (error as Error).message, isExpected: error instanceof TokenizerError });
    }
  };
  let encode: Encode;
  await orTell(async () => {
    encode = await open(settings);
    return { kind: 'ready' };
  });
  let last = Promise.resolve();
  port.on('message', (documents: Document[]) => {
    last = last.then(() => orTell(async () => ({ kind: 'encoded', documents: await encode(documents) })));
  });
}

await work(parentPort!, workerData as EncoderSettings);
