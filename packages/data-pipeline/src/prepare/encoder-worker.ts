// The worker thread that encodes documents while another one reads and writes.
import { parentPort, workerData } from 'node:worker_threads';
import type { EncoderSettings } from './encoder-messages.js';
import { runEncoder } from './run-encoder.js';

await runEncoder(parentPort!, workerData as EncoderSettings);
