import { checkDiagnoseOptions, type DiagnoseOptions } from './diagnose.js';

const check = (options: Omit<DiagnoseOptions, 'base'>) => (): void => checkDiagnoseOptions({ base: 'b', ...options });

it.each([
  [{}, 'give --model DIR'],
  [{ data: ['d'] }, 'give --model DIR'],
  [{ models: ['m'] }, 'give --data SHARDS'],
  [{ synthetic: 's' }, 'give both --synthetic SHARDS and --natural SHARDS'],
  [{ natural: 'n' }, 'give both --synthetic SHARDS and --natural SHARDS'],
  [{ synthetic: 's', natural: 'n', models: ['m'] }, 'give --data SHARDS'],
  [{ models: ['m'], data: ['d'], embeddings: true }, '--embeddings needs the texts to embed'],
])('%j: %s', (options, message) => {
  expect(check(options)).toThrow(message);
});

it.each([[{ synthetic: 's', natural: 'n' }], [{ models: ['m'], data: ['d'] }]])('%j is enough', (options) => {
  expect(check(options)).not.toThrow();
});
