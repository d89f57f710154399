import { readFileSync } from 'node:fs';
import { UserError } from '@lethe/run';
import { z } from 'zod';
import { constraintSchema } from './constraint.js';
import type { RuleInstruction } from './score-instructions.js';

/** Reads instructions with their constraints. @throws UserError with file and line. */
export function readInstructions(file: string): RuleInstruction[] {
  const row = z.object({ prompt: z.string(), constraints: z.array(constraintSchema).min(1) });
  const lines = readFileSync(file, 'utf8').split('\n');
  const instructions = lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [{ ...row.parse(JSON.parse(line)), place: { file, line: i + 1 } }];
    } catch (cause) {
      throw new UserError(`${file}:${i + 1}: expected {"prompt", "constraints"}: ${(cause as Error).message}`, {
        cause,
      });
    }
  });
  if (instructions.length === 0) throw new UserError(`${file}: no instructions`);
  return instructions;
}
