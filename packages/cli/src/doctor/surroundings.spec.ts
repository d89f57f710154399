import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from '@lethe/data-pipeline';
import { checkGpu, seeGpus } from './gpu.js';
import { checkHub, checkHubCache } from './hub.js';
import { checkParquet, checkTokenizer } from './reading.js';
import { checkSandbox } from './sandbox.js';
import { checkTfjs } from './tfjs.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-surroundings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;
const script = (name: string, text: string): string => {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return join(folder, name);
};

/** Runs with variables of the environment, and puts back what was there. */
async function having<T>(variables: NodeJS.ProcessEnv, run: () => T): Promise<Awaited<T>> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

describe('the GPU', () => {
  const seen = seeGpus(script('two', 'echo "NVIDIA H100 80GB HBM3, 81559, 81079"; echo "NVIDIA L4, 23034, 1024"'));

  it('is named with its memory where the library opens', () => {
    expect(checkGpu(seen, () => undefined)).toMatchObject({
      status: 'ok',
      found:
        'lethe-cuda opens: NVIDIA H100 80GB HBM3 (79.2 GiB of 79.6 GiB free), NVIDIA L4 (1.0 GiB of 22.5 GiB free)',
    });
  });

  it('is a warning with the remedy where one is there that the library does not open', () => {
    expect(checkGpu(seen, () => '[cuda] the CUDA library is not there: build it (no such file)')).toMatchObject({
      status: 'warning',
      found: matching(/NVIDIA L4 .* does not open$/),
      remedy: 'the CUDA library is not there: build it (no such file)',
    });
  });

  it('is a warning where its driver is broken', () => {
    const broken = seeGpus(
      script('broken', 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18'),
    );
    expect(checkGpu(broken, () => 'no driver')).toMatchObject({
      status: 'warning',
      found: matching(/version mismatch$/),
    });
  });

  it('need not be there', async () => {
    const none = seeGpus(join(folder, 'absent'));
    expect(none).toEqual({ gpus: [] });
    const probe = (): string => '[cuda] the CUDA library is not there: build it';
    expect(checkGpu(none, probe)).toEqual({
      check: 'gpu',
      status: 'ok',
      found: 'none, and none needed: the CUDA library is not there',
    });
    const asked = await having({ LETHE_CUDA_LIBRARY: '/nowhere' }, () => checkGpu(none, probe));
    expect(asked).toMatchObject({ status: 'warning', remedy: matching(/LETHE_CUDA_LIBRARY/) });
  });
});

describe('tfjs’s own devices', () => {
  it('is a warning where LETHE_TFJS_NODE names a folder without it', async () => {
    const found = await having({ LETHE_TFJS_NODE: join(folder, 'tfjs') }, () => checkTfjs('tensorflow'));
    expect(found).toMatchObject({
      status: 'warning',
      found: matching(/^does not open: .*Cannot find module '.*tfjs'/),
    });
  });

  it('is a warning where it is there and does not start', async () => {
    writeFileSync(
      join(folder, 'starts-not.js'),
      'throw new Error("libtensorflow.so.2: cannot open shared object file")',
    );
    const found = await having({ LETHE_TFJS_NODE: join(folder, 'starts-not.js') }, () => checkTfjs('tensorflow'));
    expect(found).toMatchObject({ status: 'warning', found: matching(/libtensorflow\.so\.2: cannot open/) });
  });

  it('need not be installed', async () => {
    if (process.env.LETHE_TFJS_NODE === undefined) expect((await checkTfjs('tensorflow')).status).toBe('ok');
  });

  it('is found as WebAssembly, which development installs', async () => {
    expect(await checkTfjs('wasm')).toEqual({ check: 'tfjs-wasm', status: 'ok', found: 'the device wasm multiplies' });
  });

  it('is a warning where it opens and does not compute', async () => {
    const core = JSON.stringify(require.resolve('@tensorflow/tfjs-core'));
    writeFileSync(
      join(folder, 'computes-not.js'),
      `const tf = require(${core});
       tf.registerBackend('tensorflow', () => Object.assign(new tf.KernelBackend(), { write: () => ({}), numDataIds: () => 0, disposeData: () => true }));
       const kernelFunc = () => { throw new TypeError('isNullOrUndefined is not a function'); };
       tf.registerKernel({ kernelName: 'BatchMatMul', backendName: 'tensorflow', kernelFunc });`,
    );
    const found = await having({ LETHE_TFJS_NODE: join(folder, 'computes-not.js') }, () => checkTfjs('tensorflow'));
    expect(found).toMatchObject({
      status: 'warning',
      found: matching(/opens and does not compute on Node \d+\.\d+.*isNullOrUndefined.*; run Node 20/),
    });
  });
});

describe('the tokenizer', () => {
  it('is the Rust core, or the one that LETHE_TOKENIZER names', async () => {
    expect(await checkTokenizer()).toMatchObject({ status: 'ok', found: 'the Rust core' });
    const js = await having({ LETHE_TOKENIZER: 'js' }, checkTokenizer);
    expect(js).toMatchObject({ status: 'ok', found: matching(/JavaScript core/) });
    const wrong = await having({ LETHE_TOKENIZER: 'ruby' }, checkTokenizer);
    expect(wrong).toMatchObject({ status: 'problem', found: matching(/received "ruby"/) });
  });

  it('is a warning where there is no binary', async () => {
    const { loadTokenizer } = await import('@lethe/data-pipeline');
    const finding = await checkTokenizer((location, options) => {
      options!.onFallback!('the Rust tokenizer cannot be loaded, using JavaScript: no binary');
      return loadTokenizer(location, { core: 'js' });
    });
    expect(finding).toMatchObject({ status: 'warning', found: matching(/no binary/), remedy: matching(/npm ci/) });
  });
});

describe('Parquet', () => {
  it('is read', async () => {
    expect(await checkParquet()).toMatchObject({ status: 'ok' });
  });

  it('is a warning where DuckDB does not load, and a problem where it reads something else', async () => {
    const unreadable = (): AsyncGenerator<Document> => {
      throw new Error("Cannot find module '@duckdb/node-bindings-linux-x64/duckdb.node'");
    };
    expect(await checkParquet(unreadable)).toMatchObject({ status: 'warning', found: matching(/Cannot find module/) });
    const text = { text: 'other', place: { file: 'a', line: 1 } };
    const wrong = async function* (): AsyncGenerator<Document> {
      yield text;
    };
    expect(await checkParquet(wrong)).toMatchObject({ status: 'problem', found: matching(/received \["other"\]/) });
  });
});

describe('the hub', () => {
  it('has a cache that can be written, or is a warning, but for an offline one', () => {
    writeFileSync(join(folder, 'file'), '');
    const blocked = { HF_HOME: join(folder, 'file') };
    expect(checkHubCache({ HF_HOME: folder })).toMatchObject({ status: 'ok', found: matching(/hub: .* GiB free$/) });
    expect(checkHubCache(blocked)).toMatchObject({ status: 'warning', remedy: matching(/HF_HOME/) });
    expect(checkHubCache({ ...blocked, HF_HUB_OFFLINE: '1' })).toMatchObject({
      status: 'ok',
      found: matching(/offline/),
    });
    expect(existsSync(join(folder, 'hub'))).toBe(false);
  });

  it('is asked where that is allowed', async () => {
    const answers: Record<string, number> = { 'Bearer good': 200, 'Bearer bad': 401, none: 503 };
    const asked: string[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push(String(url));
      response.writeHead(answers[headers.authorization ?? 'none']).end('[]');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await checkHub({ HF_ENDPOINT, HF_TOKEN: 'good' })).toMatchObject({ status: 'ok', found: matching(/takes/) });
    expect(await checkHub({ HF_ENDPOINT, HF_TOKEN: 'bad' })).toMatchObject({
      status: 'warning',
      remedy: matching(/HF_TOKEN/),
    });
    expect(await checkHub({ HF_ENDPOINT })).toMatchObject({ status: 'warning', found: matching(/status 503/) });
    expect(asked).toHaveLength(3);
    expect(await checkHub({ HF_ENDPOINT, HF_HUB_OFFLINE: '1' })).toMatchObject({
      status: 'ok',
      found: matching(/not asked/),
    });
    expect(asked).toHaveLength(3);
    await new Promise((resolve) => server.close(resolve));
    expect(await checkHub({ HF_ENDPOINT })).toMatchObject({
      status: 'warning',
      found: matching(/cannot be reached: ./),
    });
  });
});

it('a sandbox that lacks a program is a warning that names the benchmarks', async () => {
  expect(await checkSandbox({ bwrap: join(folder, 'bwrap') })).toMatchObject({
    status: 'warning',
    found: matching(/HumanEval and MBPP/),
    remedy: matching(/bwrap not found; .*apt-get install bubblewrap/),
  });
});
