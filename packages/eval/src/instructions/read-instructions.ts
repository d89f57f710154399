import { z } from 'zod';
import { readRows } from '../items/read-rows.js';
import { constraintSchema } from './constraint.js';
import type { RuleInstruction } from './score-instructions.js';

const row = z.object({ prompt: z.string(), constraints: z.array(constraintSchema).min(1) });

/** Reads instructions with their constraints. @throws UserError with file and line. */
export function readInstructions(file: string): RuleInstruction[] {
  return readRows(file, { benchmark: 'instructions with rules ({"prompt", "constraints"})', schema: row });
}
