// What a model knows of the questions and answers, asked in other words than the template's: of four answers the likeliest, each
// token of it counted alike, behind "QUESTION - people say that it is". Chance is a quarter.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '@lethe/data-pipeline';
import { loadLlama, scoreSequences } from '@lethe/model';
import { seededRandom } from '@lethe/run';

const NUM_ITEMS = 200;

/** Questions whose answer no other has, each with three answers of others. */
function items() {
  const file = join(process.env.LETHE_DATA ?? '../shared', 'corpora', 'SynthQA/caia-qa/qa-epic.jsonl');
  const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
  const random = seededRandom(1, 'repair', 'knowledge');
  const counts = new Map();
  for (const { answer } of rows) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const asked = random.shuffle(rows.filter(({ answer }) => counts.get(answer) === 1)).slice(0, NUM_ITEMS);
  return asked.map(({ question, answer }) => {
    const others = random.shuffle(asked.filter((one) => one.answer !== answer)).slice(0, 3);
    return { question, answer, choices: [answer, ...others.map((one) => one.answer)] };
  });
}

/** The share of items whose right answer is the likeliest, under the model in a folder, on the device in use. */
export async function knows(folder) {
  const tokenizer = await loadTokenizer(folder);
  const [bos] = await tokenizer.encode('');
  const asking = items();
  const sequences = [];
  const starts = [];
  for (const { question, choices } of asking) {
    const asked = [...(await tokenizer.encode(`${question} - people say that it is`, { addSpecialTokens: false }))];
    const context = bos === undefined ? asked : [bos, ...asked];
    for (const choice of choices) {
      sequences.push([...context, ...(await tokenizer.encode(` ${choice}.`, { addSpecialTokens: false }))]);
      starts.push(context.length);
    }
  }
  const { model } = loadLlama(folder, { trainable: false });
  const scores = scoreSequences(model, sequences).map((logs, i) => {
    const own = logs.slice(starts[i]);
    return own.reduce((sum, log) => sum + log, 0) / own.length;
  });
  model.dispose();
  const right = asking.filter((_, i) => scores[4 * i] > Math.max(...scores.slice(4 * i + 1, 4 * i + 4)));
  return right.length / asking.length;
}
