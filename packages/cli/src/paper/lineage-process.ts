// A process that makes one lineage, so that `lethe paper` makes several beside each other.
import { listenForStop, silentLogger, EXIT_CODES, UserError } from '@lethe/run';
import { setNumThreads, useDevice } from '@lethe/tensor';
import { type LineageTask, makeLineage } from './make-lineages.js';

const task = JSON.parse(process.argv[2]) as LineageTask;
const stop = listenForStop();
process.on('disconnect', () => process.exit()); // The process that asked for it has ended, or this one is done.
const warn = (warning: string): void => void process.send?.({ warning });
await useDevice('lethe-cpu', task.precision);
setNumThreads(1);
const onModel = (model: string): void => void process.send?.({ model });
try {
  const measures = await makeLineage(task, { logger: { ...silentLogger, warn }, stop, onModel });
  if (typeof measures === 'string') process.exitCode = EXIT_CODES[measures];
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.send?.({ error: error.message });
  process.exitCode = error.exitCode;
}
process.disconnect?.();
