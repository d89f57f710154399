import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { silentLogger } from '@lethe/run';
import { createProgram } from '../main.js';

function scriptOf(shell: string): string {
  let printed = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  createProgram({ logger: () => silentLogger, exitCode: 0 }).parse(['node', 'lethe', 'completion', shell]);
  write.mockRestore();
  return printed;
}

/** What bash offers behind a line, whose last word is open. */
function offered(...line: string[]): string[] {
  const words = ['lethe', ...line].map((word) => `'${word}'`).join(' ');
  const asked = `COMP_WORDS=(${words}); COMP_CWORD=${line.length}; _lethe; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', `${scriptOf('bash')}\n${asked}`], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

describe('completion', () => {
  const inBash = existsSync('/bin/bash') || existsSync('/usr/bin/bash') ? it : it.skip;

  inBash('offers commands, then their flags, then the values of these', () => {
    expect(offered('rep')).toEqual(['repair', 'report', 'reproduce']);
    expect(offered('repair', '--n')).toEqual(['--natural']);
    expect(offered('--quiet', 'repair', '--bu')).toEqual(['--budget']);
    expect(offered('repair', '--device', '')).toContain('lethe-cuda');
    expect(offered('schema', 'un')).toEqual(['unlearn']);
    expect(offered('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  inBash('leaves the value of a flag that takes a file to the shell', () => {
    expect(offered('repair', '--model', '')).toEqual(['']);
  });

  it.each(['zsh', 'fish'])('knows every command and flag in %s', (shell) => {
    const script = scriptOf(shell);
    for (const command of createProgram({ logger: () => silentLogger, exitCode: 0 }).commands) {
      expect(script).toContain(command.name());
      for (const { long } of command.options)
        expect(script).toContain(shell === 'fish' ? `-l ${long!.slice(2)}` : long);
    }
  });
});
