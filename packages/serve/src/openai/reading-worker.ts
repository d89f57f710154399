// The worker thread that reads large requests: parsing, checking and tokenizing megabytes takes seconds.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadTokenizer } from '@lethe/data-pipeline';
import { ApiError } from '../http/api-error.js';
import { readRequest } from './read-request.js';
import type { ReadingReply, ReadingSettings, ReadingTask } from './reading-messages.js';

async function work(port: MessagePort, { tokenizer: folder, limits }: ReadingSettings): Promise<void> {
  const tokenizer = await loadTokenizer(folder);
  const answer = async ({ id, kind, body }: ReadingTask): Promise<ReadingReply> => {
    try {
      return { id, read: await readRequest(tokenizer, { kind, body }, limits) };
    } catch (error) {
      const { message } = error as Error;
      if (!(error instanceof ApiError)) return { id, failed: message };
      return { id, refused: { status: error.status, message, details: error.details } };
    }
  };
  // One at a time, so that its memory is that of one request.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (task: ReadingTask) => {
    last = last.then(async () => port.postMessage(await answer(task)));
  });
}

await work(parentPort!, workerData as ReadingSettings);
