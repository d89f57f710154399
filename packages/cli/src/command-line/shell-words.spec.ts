import { execFileSync } from 'node:child_process';
import { shellWords } from './shell-words.js';

it('a shell reads the words back, and plain ones are left as they are', () => {
  const words = ['lethe', '--set', 'name=a b', "it's", '', '$HOME', '*', '[1]', '~', 'a;b', 'x\ny'];
  const read = execFileSync('sh', ['-c', `printf '%s\\0' ${shellWords(words)}`], { encoding: 'utf8' });
  expect(read.split('\0').slice(0, -1)).toEqual(words);
  expect(shellWords(['unlearn', '--set', 'steps=1,2', '--out', 'runs/a-b'])).toBe(
    'unlearn --set steps=1,2 --out runs/a-b',
  );
});
