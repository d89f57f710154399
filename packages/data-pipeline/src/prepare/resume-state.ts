import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from '@lethe/run';
import type { WrongRow } from '../documents/document.js';
import type { WriterState } from '../shards/writer-state.js';
import type { Note } from './notes.js';
import type { SplitReport } from './prepare-options.js';

const STATE_FILE = 'prepare-state.json';

/** Where a preparation can go on: all documents up to `documents` are in the writers' files. */
export interface ResumeState {
  /** Of the preparation; another one starts anew. */
  fingerprint: string;
  /** Documents read and kept by the filters. */
  documents: number;
  splits: Partial<Record<string, { writer: WriterState; report: SplitReport }>>;
  /** Rows among those documents that could not be encoded. */
  wrongRows: WrongRow[];
  /** What was told of those documents as they were encoded. */
  notes: Note[];
}

/** The state that an interrupted preparation left, if it is of this fingerprint. */
export async function readResumeState(out: string, fingerprint: string | undefined): Promise<ResumeState | undefined> {
  if (fingerprint === undefined) return undefined;
  try {
    const state = JSON.parse(await readFile(path.join(out, STATE_FILE), 'utf8')) as ResumeState;
    return state.fingerprint === fingerprint ? state : undefined;
  } catch {
    return undefined; // nothing there, or not whole: prepare from the start
  }
}

/** Replaces the state atomically. */
export function writeResumeState(out: string, state: ResumeState): void {
  writeFileAtomically(path.join(out, STATE_FILE), JSON.stringify(state));
}

/** Removes the state: the preparation starts anew or is finished. */
export function removeResumeState(out: string): Promise<void> {
  return rm(path.join(out, STATE_FILE), { force: true });
}
