import type { Tokenizer } from '@lethe/data-pipeline';
import { ApiError } from '../http/api-error.js';
import type { Engine } from '../engine/engine.js';
import type { RequestReader } from './reader.js';
import { TokenNames } from '../text/token-names.js';

/** The model behind the endpoints: its name, its text side and its computing side. */
export interface ServedModel {
  name: string;
  /** Seconds since 1970 at which the server started. */
  created: number;
  tokenizer: Tokenizer;
  names: TokenNames;
  engine: Engine;
  reader: RequestReader;
  /** Tokens that end an answer. */
  stopIds: readonly number[];
}

/** What a server is made of. */
export type ServedParts = Pick<ServedModel, 'name' | 'tokenizer' | 'engine' | 'reader'>;

/** Joins them. */
export function servedModel({ name, tokenizer, engine, reader }: ServedParts): ServedModel {
  const stopIds = [...new Set([...engine.config.eosTokenIds, ...tokenizer.special.stops])];
  const created = Math.floor(Date.now() / 1000);
  return { name, created, tokenizer, names: new TokenNames(tokenizer), engine, reader, stopIds };
}

/** What `/v1/models` says of a model. */
export function modelCard({ name, created, engine }: ServedModel): Record<string, unknown> {
  return { id: name, object: 'model', created, owned_by: 'lethe', max_model_len: engine.config.maxPositions };
}

/** @throws ApiError 404 when a request asks for another model than the one served. */
export function checkModel(served: ServedModel, asked: string | undefined): void {
  if (asked === undefined || asked === served.name) return;
  throw new ApiError(404, `the model ${JSON.stringify(asked)} does not exist; this server has ${served.name}`, {
    param: 'model',
    code: 'model_not_found',
  });
}
