import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { gradients, installedDevices, unlearnHead, useDevice } from '@lethe/tensor';
import {
  exponentHelp,
  exponentProblem,
  FORGETTING_METHODS,
  forgettingForm,
  type ForgettingLoss,
  type ForgettingMethod,
  forgettingMethodNames,
  methodsHelp,
  rangeText,
} from './methods.js';

/** One forget row whose target leads the four other words by m: p = sigmoid(m - log 4). */
function row(m: number, loss: ForgettingLoss): { value: number; weight: number; p: number; dtarget: number } {
  const hidden = tf.tensor2d([[m, 1]]);
  const weight = tf.tensor2d([
    [1, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const targets = tf.tensor1d([0], 'int32');
  let sums: number[] = [];
  const { gradients: found } = gradients(() => {
    const scales = { forgetting: 1, replay: 0, mitigation: 0 };
    const result = unlearnHead({ hidden, weight, targets }, { numForget: 1, scales, forgetting: forgettingForm(loss) });
    sums = [...result.sums.dataSync()];
    return result.loss;
  }, [hidden]);
  return { value: sums[0], weight: sums[6], p: sums[5], dtarget: found[0]!.dataSync()[0] };
}

/** The rows of the first table of docs/math.md whose first column is `method`, cell by cell. */
function documentedRows(): string[][] {
  const lines = readFileSync(join(__dirname, '../../../docs/math.md'), 'utf8').split('\n');
  const head = lines.findIndex((line) => line.startsWith('| method '));
  const table = lines.slice(head + 2);
  const rows = table.slice(
    0,
    table.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function exponentsText(method: ForgettingMethod): string {
  const found = Object.entries(FORGETTING_METHODS[method].exponents);
  return found.map(([name, range]) => `\`${name}\` = ${range.default}, ${rangeText(range)}`).join('; ') || 'none';
}

describe('the table of forgetting losses', () => {
  it('is the table of docs/math.md', () => {
    const expected = forgettingMethodNames.map((method) => {
      const { loss, weight, kind, help, paper } = FORGETTING_METHODS[method];
      const [formula, ...condition] = weight.split(', ');
      const weightCell = [`\`${formula}\``, ...condition].join(', ');
      return [`\`${method}\``, `\`${loss}\``, weightCell, exponentsText(method), `\`${kind}\``, help, paper];
    });
    expect(documentedRows()).toEqual(expected);
  });

  it('makes two lines of help for each method, and tells the exponents’ owners', () => {
    const lines = methodsHelp().split('\n');
    expect(lines.filter((_, i) => i % 2 === 0).map((line) => line.split(' ')[0])).toEqual(forgettingMethodNames);
    expect(lines.slice(0, 2).join('\n')).toMatch(
      /^complement +-log\(1-p\)\n {4}never below 0; .* \(Chen et al\. 2024; .*\)$/,
    );
    expect(exponentHelp('beta1')).toBe(
      'exponent of p in the weight of wga (1) and satimp (5); b of tnpo (4), npo (0.1), simnpo (4.5) and undial (10)',
    );
    expect(exponentHelp('beta2')).toBe('exponent of 1-p in the weight of satimp (1); d of simnpo (0)');
  });

  it('gives the head the numbers of each method', () => {
    expect(forgettingForm({ method: 'complement' })).toEqual({ kind: 'complement', beta1: 0, beta2: 0 });
    expect(forgettingForm({ method: 'ga' })).toEqual({ kind: 'ascent', beta1: 0, beta2: 0 });
    expect(forgettingForm({ method: 'wga' })).toEqual({ kind: 'ascent', beta1: 1, beta2: 0 });
    expect(forgettingForm({ method: 'satimp' })).toEqual({ kind: 'ascent', beta1: 5, beta2: 1 });
    expect(forgettingForm({ method: 'satimp', beta2: 0 })).toEqual({ kind: 'ascent', beta1: 5, beta2: 0 });
  });
});

describe.each(installedDevices())('forgetting losses on %s', (device) => {
  beforeAll(() => useDevice(device));

  // What docs/math.md, section 3 says of each, at p from 1.5e-4 to 0.9999.
  const expected: Record<string, (p: number) => { value: number; weight: number }> = {
    complement: (p) => ({ value: -Math.log(1 - p), weight: p }),
    ga: (p) => ({ value: Math.log(p), weight: 1 - p }),
    wga: (p) => ({ value: p * Math.log(p), weight: p * (1 - p) }),
    satimp: (p) => ({ value: p ** 5 * (1 - p) * Math.log(p), weight: p ** 5 * (1 - p) ** 2 }),
    'min-prob': (p) => ({ value: p, weight: p * (1 - p) }),
    'unlikelihood-clamped': (p) => ({ value: -Math.log(1 - p), weight: p }),
    // The head's form of it; unlearnLoss adds log(V-1).
    'complement-normalized': (p) => ({ value: -Math.log(1 - p), weight: p }),
  };
  const fused = forgettingMethodNames.filter((method) => FORGETTING_METHODS[method].kind !== 'logits');

  it.each(fused)('%s has its loss and its weight at every p', (method) => {
    for (const m of [-8, -2, 0, 1.5, 4, 10]) {
      const { value, weight, p, dtarget } = row(m, { method });
      const truth = expected[method](1 / (1 + 4 * Math.exp(-m)));
      expect(p).toBeCloseTo(1 / (1 + 4 * Math.exp(-m)), 6);
      expect(Math.abs(value - truth.value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(truth.value)));
      expect(Math.abs(weight - truth.weight)).toBeLessThan(2e-6);
      expect(Math.abs(dtarget - truth.weight)).toBeLessThan(2e-6);
    }
  });

  it('clamped unlikelihood gives the most over-fitted tokens no signal; the complement does', () => {
    const clamped = row(20, { method: 'unlikelihood-clamped' });
    expect(clamped.value).toBeCloseTo(-Math.log(1e-5), 4);
    expect([clamped.weight, Math.abs(clamped.dtarget)]).toEqual([0, 0]);
    expect(row(20, { method: 'complement' }).weight).toBeCloseTo(1, 6);
  });

  it('says of a range where it ends', () => {
    expect(rangeText({ default: 1, min: 0, below: Infinity })).toBe('a finite exponent of 0 or more');
    expect(rangeText({ default: 1, min: 0, below: 2 })).toBe('an exponent from 0 to below 2');
  });

  it('takes exponents for the methods that have them', () => {
    const p = 1 / (1 + 4 * Math.exp(-1));
    expect(row(1, { method: 'wga', beta1: 3 }).weight).toBeCloseTo(p ** 3 * (1 - p), 6);
    expect(row(1, { method: 'satimp', beta1: 2, beta2: 0.5 }).weight).toBeCloseTo(p ** 2 * (1 - p) ** 1.5, 6);
  });
});

it('a method without a form in the head is refused there', () => {
  expect(() => forgettingForm({ method: 'npo' })).toThrow('forgetting loss: npo has no form in the fused head');
});

describe('exponents', () => {
  it('that divide are above 0', () => {
    expect(exponentProblem({ method: 'npo', beta1: 0 })?.message).toBe(
      'beta1 of npo: expected a finite exponent of 0.001 or more, received 0',
    );
  });

  it.each([
    [{ method: 'ga', beta1: 1 }, 'beta1 is an exponent of wga, satimp, tnpo, npo, simnpo and undial, not of ga'],
    [{ method: 'wga', beta2: 1 }, 'beta2 is an exponent of satimp and simnpo, not of wga'],
    [{ method: 'satimp', beta1: -1 }, 'beta1 of satimp: expected a finite exponent of 0 or more, received -1'],
    [{ method: 'wga', beta1: Infinity }, 'beta1 of wga: expected a finite exponent of 0 or more, received Infinity'],
    [{ method: 'satimp', beta2: NaN }, 'beta2 of satimp: expected a finite exponent of 0 or more, received NaN'],
  ] as [ForgettingLoss, string][])('refuses %j', (loss, message) => {
    expect(exponentProblem(loss)?.message).toBe(message);
    expect(() => forgettingForm(loss)).toThrow(`forgetting loss: ${message}`);
  });

  it('at the ends of their range are taken', () => {
    expect(exponentProblem({ method: 'satimp', beta1: 0, beta2: 1e6 })).toBeUndefined();
  });
});
