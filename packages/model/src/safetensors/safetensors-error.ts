import { UserError } from '@lethe/run';

/** A weight file that cannot be trusted or used; the message names file, tensor, what was expected and received. */
export class SafetensorsError extends UserError {}
