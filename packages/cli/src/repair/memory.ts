import { totalmem } from 'node:os';
import { memoryLimit } from '../doctor/control-group.js';

/** The part of the machine's memory that a step may take. */
const USABLE = 0.7;

/** Bytes that a step may take, by the machine's memory and the limit of its control group: the same at every start. */
export const usableMemory = (): number => USABLE * Math.min(totalmem(), memoryLimit());
