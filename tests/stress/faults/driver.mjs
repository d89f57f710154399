// Runs commands of `lethe` one after another in one process, since a start takes longer than they do: a line of JSON for each, its
// arguments, on standard input; a line of JSON of how it ended on standard output.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { main } from '../../../packages/cli/dist/main.js';
import { QUICK } from '../../../packages/cli/dist/paper/regime.js';

// `demo --quick` and `paper --quick` of the least that there can be: what they write is looked at, not what they find.
Object.assign(QUICK, {
  model: { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, numKeyValueHeads: 1 },
  vocabSize: 320,
  rowLength: 48,
  rows: 4,
  corpus: {
    ...QUICK.corpus,
    numNatural: 200,
    documentsPerFact: 6,
    kindDocuments: 100,
    proseDocuments: 100,
    abilityDocuments: 100,
    numInstructions: 60,
    numHeldOut: 6,
  },
  base: { ...QUICK.base, steps: 4 },
  synth: { ...QUICK.synth, steps: 4 },
  chat: { ...QUICK.chat, steps: 2 },
  refine: { ...QUICK.refine, steps: 2 },
  untilGone: { ...QUICK.untilGone, steps: 2 },
  repairs: Object.fromEntries(Object.entries(QUICK.repairs).map(([name, repair]) => [name, { ...repair, steps: 2 }])),
  texts: { numDocuments: 60 },
  numMeasured: 4,
  numLeak: 4,
  numItems: 4,
  maxNewTokens: 2,
});

let output = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (text) => {
    output[name] += String(text);
    return true;
  };
}
// What escapes from a command is a fault of it, and told with its stack.
for (const kind of ['uncaughtException', 'unhandledRejection'])
  process.on(kind, (error) => (output.stderr += `${kind}: ${error?.stack}\n`));

const told = (ended) => {
  const bytes = Buffer.from(`\n${JSON.stringify(ended)}\n`); // what trains a tokenizer may have left a line without an end
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const args = JSON.parse(line);
  output = { stdout: '', stderr: '' };
  process.argv = [process.execPath, 'lethe', ...args];
  const code = await main(args);
  await new Promise((turned) => setImmediate(turned)); // what a command left behind may still fail
  told({ code, ...output });
}
