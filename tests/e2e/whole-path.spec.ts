import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, jsonl, misuseHere, succeed, temporaryFolder } from './lethe.js';
import { itCanBeRead } from './readable-page.js';
import { pretrainProject } from './small-project.js';

interface Scored {
  ids: number[];
  logprobs: (number | null)[];
}

describe('from text to a repaired model on a user’s own files', () => {
  const folder = temporaryFolder();
  const at = (...path: string[]): string => join(folder, ...path);
  const score = async (model: string, out: string): Promise<Scored[]> => {
    await succeed(folder, 'score', '--model', model, '--in', 'texts.jsonl', '--out', out);
    return jsonl<Scored>(folder, out);
  };

  beforeAll(async () => {
    await pretrainProject(folder);
    await succeed(folder, 'unlearn', '--recipe', 'unlearn.yaml');
    writeFileSync(at('texts.jsonl'), '{"text":"The river of the stone"}\n\n{"ids":[1,70,80,70]}\n{"ids":[9]}\n');
  }, 120000);

  it('leaves a model in the Hugging Face layout, metrics of every step and a manifest', () => {
    const layout = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json'];
    expect(filesIn(at('runs/unlearn/model'))).toEqual(expect.arrayContaining(layout));
    const metrics = jsonl<Record<string, number>>(folder, 'runs/unlearn/metrics.jsonl');
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const measures = ['loss', 'forgetting', 'replay', 'mitigation', 'gradientNorm', 'lr', 'tokensPerSecond'];
    for (const record of metrics) {
      for (const measure of measures) expect(record[measure]).toEqual(expect.any(Number));
      expect(record.forgetting).toBeGreaterThanOrEqual(0);
      expect(record.mitigation).toBeGreaterThanOrEqual(-1e-7);
    }
    expect(Math.abs(metrics[0].mitigation)).toBeLessThan(1e-6); // KL is 0 while the student is the original.
    expect(metrics[0].termGradientNorms).toEqual({
      forgetting: expect.any(Number) as number,
      replay: expect.any(Number) as number,
      mitigation: expect.any(Number) as number,
    });
    const { name, launches } = JSON.parse(readFileSync(at('runs/unlearn/manifest.json'), 'utf8')) as {
      name: string;
      launches: { outcome: string; command: string[] }[];
    };
    expect(name).toBe('unlearn');
    expect(launches).toHaveLength(1);
    expect(launches[0]).toMatchObject({
      outcome: 'finished',
      command: ['lethe', 'unlearn', '--recipe', 'unlearn.yaml'],
    });
  });

  it('the original model is not touched', async () => {
    await succeed(folder, 'pretrain', '--recipe', 'pretrain.yaml', '--set', 'runs=again');
    expect(readFileSync(at('again/base/model/model.safetensors'))).toEqual(
      readFileSync(at('runs/base/model/model.safetensors')),
    );
  });

  it('score writes ids and log-probabilities, the first null', async () => {
    const scored = await score('runs/unlearn/model', 'scores.jsonl');
    expect(scored).toHaveLength(3);
    for (const line of scored) {
      expect(Object.keys(line)).toEqual(['ids', 'logprobs']);
      expect(line.logprobs).toHaveLength(line.ids.length);
      expect(line.logprobs[0]).toBeNull();
      for (const logprob of line.logprobs.slice(1)) expect(logprob).toBeLessThan(0);
    }
    expect(scored[1].ids).toEqual([1, 70, 80, 70]);
    expect(scored[2]).toEqual({ ids: [9], logprobs: [null] });
  });

  it('score does not depend on how sequences are batched', async () => {
    await succeed(folder, 'score', '--model', 'runs/unlearn/model', '--in', 'texts.jsonl', '--out', 'a.jsonl');
    const one = ['--batch-tokens', '1', '--device', 'lethe-reference'];
    await succeed(folder, 'score', '--model', 'runs/unlearn/model', '--in', 'texts.jsonl', '--out', 'b.jsonl', ...one);
    const [a, b] = ['a.jsonl', 'b.jsonl'].map((file) => jsonl<Scored>(folder, file));
    a.forEach(({ logprobs }, i) =>
      logprobs.forEach((logprob, t) => {
        if (logprob !== null) expect(b[i].logprobs[t]).toBeCloseTo(logprob, 4);
      }),
    );
  });

  it('generate prints the continuation and nothing else', async () => {
    const args = ['generate', '--model', 'runs/unlearn/model', '--prompt', 'The river', '--max-new-tokens', '8'];
    const { stdout } = await succeed(folder, ...args);
    expect(stdout).toMatch(/^[^\n]+\n$/);
    expect(stdout.startsWith('The river')).toBe(false);
    expect((await succeed(folder, ...args)).stdout).toBe(stdout);
    const sampled = [...args, '--temperature', '1.5', '--seed'];
    const [a, again, b] = [
      await succeed(folder, ...sampled, '1'),
      await succeed(folder, ...sampled, '1'),
      await succeed(folder, ...sampled, '2'),
    ];
    expect(again.stdout).toBe(a.stdout);
    expect(b.stdout).not.toBe(a.stdout);
  });

  it('export reopens with equal log-probabilities', async () => {
    await succeed(folder, 'export', '--model', 'runs/unlearn/model', '--out', 'exported');
    expect(await score('exported', 'exported.jsonl')).toEqual(await score('runs/unlearn/model', 'before.jsonl'));
  });

  it('eval writes scores with intervals and prints a table', async () => {
    const tasks = 'tasks=[{kind: perplexity, name: held-out, shards: natural/heldout}]';
    const args = ['eval', '--model', 'runs/unlearn/model', '--set', tasks, '--out', 'results/eval.json'];
    const { stdout } = await succeed(folder, ...args);
    expect(stdout).toContain('perplexity');
    const { tasks: results } = JSON.parse(readFileSync(at('results/eval.json'), 'utf8')) as {
      tasks: { perplexity: number; numTokens: number; logPerplexities: number[] }[];
    };
    expect(results).toHaveLength(1);
    expect(results[0].perplexity).toBeGreaterThan(1);
    expect(results[0].perplexity).toBeLessThan(300);
  });

  it('diagnose compares two models and draws them', async () => {
    const models = ['--base', 'runs/base/model', '--model', 'runs/unlearn/model'];
    await succeed(folder, 'diagnose', ...models, '--data', 'natural/heldout', '--out', 'diagnosis');
    const { perplexities } = JSON.parse(readFileSync(at('diagnosis/diagnosis.json'), 'utf8')) as {
      perplexities: { models: { perplexity: number }[] }[];
    };
    expect(perplexities.map((text) => text.models.length)).toEqual([2]);
    const html = readFileSync(at('diagnosis/diagnosis.html'), 'utf8');
    expect(html).toContain('<polyline');
    expect(html).not.toContain('NaN');
  });

  it('diagnose finds the tokens that synthetic text overuses, and embeds both', async () => {
    const texts = ['--synthetic', 'synthetic/train', '--natural', 'natural/train', '--embeddings', '--documents', '60'];
    const { stdout } = await succeed(folder, 'diagnose', '--base', 'runs/base/model', ...texts, '--out', 'tokens');
    expect(stdout).toMatch(/60 synthetic and 60 natural documents: \d+\.\d% .* \(49\.6% if they were mixed\)/);
    expect(stdout).toMatch(/Jensen-Shannon divergence 0\.\d+ bits/);
    const { tokenIds } = JSON.parse(readFileSync(at('tokens/diagnosis.json'), 'utf8')) as {
      tokenIds: { peaks: { text: string; share: number; referenceShare: number }[] };
    };
    expect(tokenIds.peaks.length).toBeGreaterThan(0);
    for (const { share, referenceShare } of tokenIds.peaks) expect(share).toBeGreaterThan(referenceShare);
    const html = readFileSync(at('tokens/diagnosis.html'), 'utf8');
    expect([html.match(/<polyline/g)?.length, html.match(/<circle/g)?.length]).toEqual([2, 120]);
    expect(html).not.toContain('NaN');
    const alone = await misuseHere(folder, 'diagnose', '--base', 'runs/base/model', '--embeddings');
    expect(alone).toContain('--embeddings needs the texts to embed: give --synthetic SHARDS and --natural SHARDS');
    const half = await misuseHere(folder, 'diagnose', '--base', 'runs/base/model', '--synthetic', 'synthetic');
    expect(half).toContain('give both --synthetic SHARDS and --natural SHARDS');
  });

  itCanBeRead('the page of two models', () => at('diagnosis/diagnosis.html'));
  itCanBeRead('the page of two texts', () => at('tokens/diagnosis.html'));

  it('a finished command says so and changes nothing', async () => {
    const before = readFileSync(at('runs/unlearn/metrics.jsonl'));
    const { code, stderr } = await succeed(folder, 'unlearn', '--recipe', 'unlearn.yaml');
    expect(code).toBe(0);
    expect(stderr).toContain('runs/unlearn is finished (20 steps); nothing to do');
    expect(readFileSync(at('runs/unlearn/metrics.jsonl'))).toEqual(before);
    const again = ['prepare', 'natural.jsonl', '--out', 'natural', '--train-tokenizer', '300', '--held-out', '0.1'];
    expect((await succeed(folder, ...again)).stderr).toContain('the same preparation is there already');
  });
});
