import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { seededRandom } from '@lethe/run';
import { publishedModel, type Served, serve, stopServing, whenThere } from '../e2e/serving.js';
import { attack, ATTACKS } from './hostile-clients.js';

// The short form of what is run by hand with LETHE_STRESS=500: clients at once, a third of them hostile, LETHE_STRESS_SECONDS long.
const CLIENTS = Number(process.env['LETHE_STRESS'] ?? 24);
const SECONDS = Number(process.env['LETHE_STRESS_SECONDS'] ?? 6);
const MODEL = 'stories260K';
/** What the server may hold with such a small model: that of its readers and of the answers that it may make at once. */
const MOST_MIB = 2048;

/** Asks for /health every few milliseconds, in a thread: this one also reads answers of megabytes. */
const ASKING = `
const { parentPort, workerData: url } = require('node:worker_threads');
const { Agent, get } = require('node:http');
const agent = new Agent({ keepAlive: true });
const took = [];
let isOver = false;
parentPort.once('message', () => (isOver = true));
const ask = () => new Promise((done, fail) => get(url + '/health', { agent }, (response) => {
  if (response.statusCode !== 200) fail(new Error('/health answered ' + response.statusCode));
  response.resume().on('end', done);
}).on('error', fail));
(async () => {
  while (!isOver) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 10));
  }
  agent.destroy();
  parentPort.postMessage(took);
})();`;

/** How long /health takes, in milliseconds. */
class Health {
  private readonly worker: Worker;

  constructor(url: string) {
    this.worker = new Worker(ASKING, { eval: true, workerData: url });
  }

  async end(): Promise<{ asked: number; p50: number; p99: number; most: number }> {
    this.worker.postMessage('over');
    const [took] = (await once(this.worker, 'message')) as [number[]];
    const sorted = took.sort((a, b) => a - b).map(Math.round);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))];
    return { asked: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) };
  }
}

const peakMiB = ({ process: { pid } }: Served): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

function tell(what: string, figures: object): void {
  if (process.env['LETHE_STRESS']) process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

whenThere(MODEL)('a server under load', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(publishedModel(MODEL), '--max-batch', '8');
  }, 300_000);
  afterAll(() => stopServing(served));

  it('answers /health while it works on the largest request for log-probabilities that it takes', async () => {
    // 48 prompts of 510 tokens with 21 log-probabilities each are just within the limit.
    const prompt = Array.from({ length: 48 }, (_, p) => Array.from({ length: 510 }, (_, t) => 3 + ((7 * t + p) % 500)));
    const health = new Health(served.url);
    const { choices } = await served.client.completions.create({
      model: MODEL,
      prompt,
      max_tokens: 0,
      echo: true,
      logprobs: 20,
    });
    tell('largest scoring request', { ...(await health.end()), peakMiB: Math.round(peakMiB(served)) });
    expect(choices).toHaveLength(48);
    expect(choices.every(({ logprobs }) => logprobs?.token_logprobs?.length === 510)).toBe(true);
  }, 600_000);

  it(`${CLIENTS} clients, a third of them hostile: nothing is lost to the others, and it lives`, async () => {
    const ask = (seed: number): object => ({
      model: MODEL,
      prompt: `Once ${seed % 7}`,
      max_tokens: 8,
      temperature: 0,
      seed,
    });
    const answer = async (seed: number, stream: boolean): Promise<string | undefined> => {
      const body = JSON.stringify({ ...ask(seed), stream });
      const response = await fetch(`${served.url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await response.text();
      if (response.status === 429) return undefined;
      if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
      const parts = stream
        ? text
            .split('\n\n')
            .filter((part) => part.startsWith('data: {'))
            .map((part) => part.slice(6))
        : [text];
      return parts.map((part) => (JSON.parse(part) as { choices: { text: string }[] }).choices[0].text).join('');
    };
    const truth = await Promise.all(Array.from({ length: 7 }, (_, seed) => answer(seed, false)));
    const end = performance.now() + 1000 * SECONDS;
    const counts = { answered: 0, busy: 0, attacks: 0 };
    const honest = async (client: number): Promise<void> => {
      for (let i = 0; performance.now() < end; i++) {
        const text = await answer(client + i, (client + i) % 2 === 0);
        if (text === undefined) counts.busy++;
        else if (text !== truth[(client + i) % 7]) throw new Error(`client ${client}: another text: ${text}`);
        else counts.answered++;
        await setTimeout(50);
      }
    };
    const hostile = async (client: number): Promise<void> => {
      const random = seededRandom(client, 'hostile client');
      while (performance.now() < end) {
        await attack(served.url, ATTACKS[random.int(ATTACKS.length)], random);
        counts.attacks++;
      }
    };
    const health = new Health(served.url);
    const clients = Array.from({ length: CLIENTS }, (_, client) =>
      client % 3 === 0 ? hostile(client) : honest(client),
    );
    const ended = await Promise.allSettled(clients);
    tell(`${CLIENTS} clients for ${SECONDS} s`, {
      ...counts,
      ...(await health.end()),
      peakMiB: Math.round(peakMiB(served)),
    });
    expect(ended.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(counts.answered).toBeGreaterThan(CLIENTS / 2);
    expect(counts.attacks).toBeGreaterThan(0);
    expect(peakMiB(served)).toBeLessThan(MOST_MIB);
    expect(served.log()).not.toMatch(/\n\s+at /);
    expect(served.log()).not.toContain('\u001b');
  }, 3_600_000);
});
