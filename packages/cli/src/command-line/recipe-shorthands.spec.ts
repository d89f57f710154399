import { Command } from 'commander';
import { intoList } from './repeatable-options.js';
import { addShorthands, changesOf, type Shorthands } from './recipe-shorthands.js';

function changes(...args: string[]): string[] {
  const command = addShorthands(new Command()).option('--set <key=value>', '', intoList, []).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return changesOf(command.parse(args, { from: 'user' }).opts<Shorthands & { set: string[] }>());
}

it('are changes of the recipe', () => {
  expect(changes('--model', 'hf://a/b', '--device', 'auto', '--precision', 'bf16', '--threads', '2')).toEqual([
    'model.init="hf://a/b"',
    'device="auto"',
    'precision="bf16"',
    'threads=2',
  ]);
});

it('leave the recipe alone where they are not given', () => expect(changes('--set', 'steps=3')).toEqual(['steps=3']));

it('are refused beside the same key', () => {
  expect(() => changes('--model', 'a', '--set', 'model.init=b')).toThrow(
    '--model and --set model.init=b: both give model.init; give one of them',
  );
});

it.each([
  ['--device', 'tpu'],
  ['--precision', 'fp8'],
  ['--threads', '0'],
])('%s %s is refused', (...args) => {
  expect(() => changes(...args)).toThrow();
});
