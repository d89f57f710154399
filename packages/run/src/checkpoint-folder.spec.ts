import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireReplaceable, verifyFolder, writeFileAtomically, writeFolderAtomically } from './atomic-file.js';
import {
  checkpointPath,
  latestCheckpoint,
  listCheckpoints,
  removeOldCheckpoints,
  saveCheckpoint,
} from './checkpoint-folder.js';
import { lockWithin } from './lock.js';
import { UserError } from './user-error.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (text: string) => (path: string) => {
  writeFileSync(join(path, 'weights.bin'), text);
  mkdirSync(join(path, 'optimizer'));
  writeFileSync(join(path, 'optimizer', 'm.bin'), text.repeat(3));
};

describe('writeFileAtomically', () => {
  it('replaces the file and leaves nothing else', () => {
    const file = join(folder, 'a', 'b.json');
    writeFileAtomically(file, 'old');
    writeFileAtomically(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.json']);
  });

  it('keeps the old file when writing fails', () => {
    mkdirSync(join(folder, 'target'));
    expect(() => writeFileAtomically(join(folder, 'target'), 'x')).toThrow();
    expect(readdirSync(folder)).toEqual(['target']);
  });
});

describe('writeFolderAtomically', () => {
  it('lists sizes and hashes in the manifest', async () => {
    await writeFolderAtomically(join(folder, 'out'), write('abc'));
    expect(JSON.parse(readFileSync(join(folder, 'out', 'manifest.json'), 'utf8'))).toEqual({
      files: {
        'optimizer/m.bin': {
          bytes: 9,
          sha256: '76b99ab4be8521d78b19bcff7d1078aabeb477bd134f404094c92cd39f051c3e',
        },
        'weights.bin': { bytes: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
      },
    });
  });

  it('leaves nothing after a failure, and keeps what was there', async () => {
    await writeFolderAtomically(join(folder, 'out'), write('old'));
    const failing = async (path: string) => {
      write('new')(path);
      await Promise.reject(new Error('disk on fire'));
    };
    await expect(writeFolderAtomically(join(folder, 'out'), failing, { replace: true })).rejects.toThrow(
      'disk on fire',
    );
    expect(readdirSync(folder)).toEqual(['out']);
    expect(readFileSync(join(folder, 'out', 'weights.bin'), 'utf8')).toBe('old');
    await expect(writeFolderAtomically(join(folder, 'out'), write('new'))).rejects.toThrow('absent or empty');
  });
});

it('an address, a folder, a pipe and a link that leads nowhere are not written to', async () => {
  const link = join(folder, 'nowhere');
  symlinkSync(join(folder, 'gone'), link);
  expect(() => writeFileAtomically('hf://a/b', '')).toThrow('hf://a/b: expected a path of this machine');
  expect(() => writeFileAtomically(folder, '')).toThrow('expected a file to write, found a directory');
  await expect(writeFolderAtomically('hf://a/b', write('x'))).rejects.toThrow('received an address');
  await expect(writeFolderAtomically(link, write('x'))).rejects.toThrow('absent or empty');
  expect(() => lockWithin('s3://bucket/x')).toThrow('received an address');
  expect(readdirSync(folder)).toEqual(['nowhere']);
});

it('only what was written before is written over', () => {
  const file = join(folder, 'page.html');
  const written = { begins: /^<page/, name: 'page' };
  requireReplaceable(file, written);
  for (const [text, isKept] of [
    ['<page of old', false],
    ['', false],
    ['my notes', true],
  ] as const) {
    writeFileSync(file, text);
    const check = (): void => requireReplaceable(file, written);
    if (isKept) expect(check).toThrow(`${file}: is no page, and is not written over`);
    else check();
  }
});

it('a folder that another process wrote meanwhile stays as it is', async () => {
  const slow = async (path: string) => {
    write('second')(path);
    await writeFolderAtomically(join(folder, 'out'), write('first'));
  };
  await expect(writeFolderAtomically(join(folder, 'out'), slow)).rejects.toThrow('absent or empty');
  expect(readFileSync(join(folder, 'out', 'weights.bin'), 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['out']);
});

describe('verifyFolder', () => {
  it.each([
    ['a flipped byte', (path: string) => writeFileSync(join(path, 'weights.bin'), 'abd'), 'was changed'],
    [
      'a short file',
      (path: string) => truncateSync(join(path, 'optimizer', 'm.bin'), 4),
      'expected 9 bytes, received 4',
    ],
    ['a missing file', (path: string) => rmSync(join(path, 'weights.bin')), 'the file is missing'],
    ['no manifest', (path: string) => rmSync(join(path, 'manifest.json')), 'cannot read the manifest'],
    ['a broken manifest', (path: string) => writeFileSync(join(path, 'manifest.json'), '{}'), "expected a 'files'"],
    [
      'a manifest of something else',
      (path: string) => writeFileSync(join(path, 'manifest.json'), '{"files": {"weights.bin": null}}'),
      'weights.bin: expected bytes and sha256, received null',
    ],
    [
      'a folder in place of a file',
      (path: string) => {
        rmSync(join(path, 'weights.bin'));
        mkdirSync(join(path, 'weights.bin'));
      },
      'weights.bin: expected a file, found a directory',
    ],
  ])('finds %s', async (_name, damage, message) => {
    const path = join(folder, 'out');
    await writeFolderAtomically(path, write('abc'));
    expect(() => verifyFolder(path)).not.toThrow();
    damage(path);
    expect(() => verifyFolder(path)).toThrow(message);
  });
});

describe('checkpoints', () => {
  it('keeps the last k and finds the newest', async () => {
    for (const step of [10, 20, 30, 9000]) await saveCheckpoint(folder, step, write(`at ${step}`), { keep: 2 });
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([30, 9000]);
    const { checkpoint, warnings } = latestCheckpoint(folder);
    expect(checkpoint?.step).toBe(9000);
    expect(readFileSync(join(checkpoint!.path, 'weights.bin'), 'utf8')).toBe('at 9000');
    expect(warnings).toEqual([]);
  });

  it('holds one step whatever its age, until another is held', async () => {
    for (const step of [10, 20, 30, 40]) await saveCheckpoint(folder, step, write('x'), { keep: 1, held: 20 });
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([20, 40]);
    expect(checkpointPath(folder, 20)).toBe(listCheckpoints(folder)[0].path);
    await saveCheckpoint(folder, 50, write('x'), { keep: 1, held: 50 });
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([50]);
  });

  it('removes what a kill left beyond the last k and the held one, and nothing newer than the step that is gone on from', async () => {
    for (const step of [10, 20, 30, 40, 50]) await saveCheckpoint(folder, step, write('x'), { keep: 9 });
    removeOldCheckpoints(folder, 40, { keep: 1, held: 20 });
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([20, 40, 50]);
  });

  it('falls back from a damaged newest one with a warning, and supersedes it when saving', async () => {
    for (const step of [10, 20]) await saveCheckpoint(folder, step, write('x'));
    writeFileSync(join(folder, 'step-00000020', 'weights.bin'), 'y');
    const { checkpoint, warnings } = latestCheckpoint(folder);
    expect(checkpoint?.step).toBe(10);
    expect(warnings).toEqual([
      expect.stringMatching(/^checkpoint of step 20 is damaged.*weights\.bin: expected SHA-256/),
    ]);
    await saveCheckpoint(folder, 15, write('z'), { keep: 1 });
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([15]);
  });

  it('falls back from one that is whole and says what it should not', async () => {
    for (const step of [10, 20]) await saveCheckpoint(folder, step, write(`${step}`));
    const check = ({ step }: { step: number }, files: readonly string[]): void => {
      expect(files).toEqual(['optimizer/m.bin', 'weights.bin']);
      if (step === 20) throw new UserError('state.json: expected step 20, received 21');
    };
    const { checkpoint, warnings } = latestCheckpoint(folder, check);
    expect([checkpoint?.step, warnings]).toEqual([10, [expect.stringContaining('expected step 20, received 21')]]);
  });

  it('refuses to start again over checkpoints that are all damaged', async () => {
    await saveCheckpoint(folder, 10, write('x'));
    rmSync(join(folder, 'step-00000010', 'manifest.json'));
    expect(() => latestCheckpoint(folder)).toThrow('every checkpoint is damaged');
  });

  it('removes what a crash left, and knows an empty folder', () => {
    mkdirSync(join(folder, '.step-00000010.tmp-123-1'));
    expect(latestCheckpoint(folder)).toEqual({ checkpoint: undefined, warnings: [] });
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(folder, 'absent'))).toBe(false);
    expect(latestCheckpoint(join(folder, 'absent')).checkpoint).toBeUndefined();
  });

  it('replaces a checkpoint of the same step', async () => {
    await saveCheckpoint(folder, 10, write('first'));
    await saveCheckpoint(folder, 10, write('second'));
    expect(readFileSync(join(folder, 'step-00000010', 'weights.bin'), 'utf8')).toBe('second');
    await expect(saveCheckpoint(folder, -1, write('x'))).rejects.toThrow(RangeError);
  });
});
