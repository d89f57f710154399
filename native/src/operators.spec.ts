import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAddon } from './addon.js';
import { deviceIndex, deviceNames, operatorIndex, operatorNames } from './operators.js';

const addon = loadAddon();

describe('the operator table', () => {
  const operators = addon.operators();

  it('has the names of the TypeScript face, in order', () => {
    expect(operators.map((op) => op.name)).toEqual([...operatorNames]);
    expect(operatorNames.map((name) => operatorIndex[name])).toEqual(operatorNames.map((_, index) => index));
  });

  it('is the table of ops.h', () => {
    const source = readFileSync(join(dirname(__filename), '../include/lethe/ops.h'), 'utf8');
    for (const { name, fields } of operators) {
      const body = new RegExp(`#define LETHE_FIELDS_${name}\\(.*?\\n((?:.*\\\\\\n)*.*)`).exec(source)![1]!;
      const found = [...body.matchAll(/\b(DIM|REAL|INT|FLAG|TENSOR)\(([^)]*)\)/g)].map(([, kind, inside]) => {
        if (kind !== 'TENSOR') return { kind: kind!.toLowerCase(), name: inside };
        const [, access, dtype, tensor, shape] = /(\w+), (\w+), (\w+), "(.*)"/.exec(inside!)!;
        return { kind: 'tensor', name: tensor, access, dtype, shape };
      });
      expect({ name, fields }).toEqual({ name, fields: found });
    }
  });

  it('names dimensions before the shapes that use them', () => {
    for (const { fields } of operators) {
      const dims = fields.flatMap((field) => (field.kind === 'dim' ? [field.name] : []));
      for (const field of fields)
        if (field.kind === 'tensor')
          for (const factor of field.shape.split(',')) {
            const dim = factor.replace(/^\d+/, '');
            if (dim) expect(dims).toContain(dim);
          }
    }
  });

  it('has the devices in the order of their index', () => {
    expect(deviceNames.map((name) => deviceIndex[name])).toEqual([0, 1, 2]);
  });
});
