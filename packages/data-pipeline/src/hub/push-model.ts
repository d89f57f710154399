import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CommitOperation } from '@huggingface/hub';
import { SourceError } from '../documents/document.js';
import { reasonOf } from './download-blob.js';
import { hubAccess } from './hub-access.js';

/** What to push, and where to. */
export interface PushModelOptions {
  /** A folder in the Hugging Face layout, written before. */
  folder: string;
  /** `owner/name`. */
  name: string;
  /** Whether a repository that is made for it is public. Default false. */
  isPublic?: boolean;
  /** First line of the commit. */
  title: string;
}

/** A pushed model. */
export interface PushedModel {
  /** Its page. */
  url: string;
  commit: string;
}

const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/;

interface WriteAccess {
  hubUrl: string;
  accessToken: string;
}

/**
 * Checks that a model could be pushed, before any work is done for it: the name, and a token that the hub knows.
 * @throws SourceError saying what is missing.
 */
export async function checkPush(name: string): Promise<void> {
  const access = writeAccess(name);
  const { whoAmI } = await import('@huggingface/hub');
  await whoAmI(access).catch((cause: unknown) => {
    throw failure(`--push ${name}: the hub does not accept HF_TOKEN`, cause, access);
  });
}

/**
 * Pushes a model's folder as one commit: all of it becomes visible, or nothing. A repository that is not there is made,
 * private unless wished otherwise; weights of an earlier push that the folder lacks are removed in the same commit.
 * @throws SourceError when the hub refuses or cannot be reached.
 */
export async function pushModel({ folder, name, isPublic = false, title }: PushModelOptions): Promise<PushedModel> {
  const access = writeAccess(name);
  const repo = { type: 'model', name } as const;
  const { commit } = await import('@huggingface/hub');
  try {
    const earlier = await makeRepository(name, isPublic, access);
    const names = (await readdir(folder)).sort();
    const operations: CommitOperation[] = [];
    for (const file of names) {
      if (!(await stat(path.join(folder, file))).isFile()) continue;
      operations.push({ operation: 'addOrUpdate', path: file, content: pathToFileURL(path.join(folder, file)) });
    }
    for (const file of earlier.filter((one) => WEIGHTS.test(one) && !names.includes(one))) {
      operations.push({ operation: 'delete', path: file });
    }
    const pushed = await commit({ ...access, repo, operations, title, useXet: false });
    return { url: `${access.hubUrl}/${name}`, commit: pushed!.commit.oid };
  } catch (cause) {
    throw failure(
      `--push ${name}: nothing was committed; ${folder} is whole, and the same command goes on from there`,
      cause,
      access,
    );
  }
}

/** Makes the repository; the files that it has if it is there already. */
async function makeRepository(name: string, isPublic: boolean, access: WriteAccess): Promise<string[]> {
  const { createRepo, listFiles, repoExists } = await import('@huggingface/hub');
  const repo = { type: 'model', name } as const;
  if (!(await repoExists({ ...access, repo }))) {
    await createRepo({ ...access, repo, visibility: isPublic ? 'public' : 'private' });
    return [];
  }
  const files: string[] = [];
  for await (const { path: file, type } of listFiles({ ...access, repo })) if (type === 'file') files.push(file);
  return files;
}

function writeAccess(name: string): WriteAccess {
  const { endpoint, token, isOffline } = hubAccess();
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) throw new SourceError(`--push ${name}: expected OWNER/NAME`);
  if (isOffline) throw new SourceError(`--push ${name}: HF_HUB_OFFLINE is set; unset it to use the network`);
  if (token !== undefined) return { hubUrl: endpoint, accessToken: token };
  throw new SourceError(
    `--push ${name}: HF_TOKEN is not set; set it to a token that may write to ${name.split('/')[0]}`,
  );
}

function failure(what: string, cause: unknown, { hubUrl }: WriteAccess): SourceError {
  const status = (cause as { statusCode?: number }).statusCode;
  const why =
    status === undefined ? `${hubUrl}: ${reasonOf(cause)}` : `${hubUrl} answered ${status}: ${reasonOf(cause)}`;
  return new SourceError(`${what} (${why})`, { cause });
}
