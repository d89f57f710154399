import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointFolder, checkPush, pushModel } from '@lethe/data-pipeline';
import { exportMerged, loadLlama, readAdapter, readConfig, saveLlama } from '@lethe/model';
import { lockBeside, requireSums, SUMS, temporaryPath, UserError, whileLocked } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { modelCard } from '../model-card/model-card.js';

interface ExportFlags {
  model: string;
  adapter?: string;
  out: string;
  dtype: 'float32' | 'float16' | 'bfloat16';
  push?: string;
  public?: boolean;
}

/** `lethe export`: a model in the Hugging Face layout with its card, in another number format, pushed to the hub if asked. */
export function addExportCommand(program: Command, context: CliContext): void {
  program
    .command('export')
    .description('write a model and its card in the Hugging Face layout, for transformers, vLLM or llama.cpp')
    .requiredOption('--model <dir>', 'model folder of a run, any checkpoint folder, or hf://OWNER/NAME')
    .option('--adapter <dir>', "LoRA adapter of that model, in peft's layout, to merge into its weights")
    .requiredOption('--out <dir>', 'folder to write; one that is there must hold what would be written')
    .addOption(
      new Option('--dtype <type>', 'number format of the weights')
        .choices(['float32', 'float16', 'bfloat16'])
        .default('float32'),
    )
    .option('--push <owner/name>', 'push it to the Hugging Face hub too, as one commit; HF_TOKEN must be set')
    .option('--public', 'make a new repository public; they are private otherwise')
    .action(async (flags: ExportFlags) => {
      if (flags.push !== undefined) await checkPush(flags.push);
      await writeExport(flags, context);
      if (flags.push !== undefined) await push({ ...flags, push: flags.push }, context);
    });
}

/** Writes the folder while no other process does; one that is there already must be what would be written. */
async function writeExport({ out, ...flags }: ExportFlags, context: CliContext): Promise<void> {
  const what = `${flags.model}${flags.adapter === undefined ? '' : ` with ${flags.adapter} merged into it`}`;
  await whileLocked(lockBeside(out), async () => {
    const isThere = existsSync(out);
    if (isThere) await requireSame(out, (again) => writeModel({ ...flags, out: again }, context));
    else await writeModel({ ...flags, out }, context);
    context.logger().info(`${what} ${isThere ? 'is whole already in' : 'written to'} ${out} as ${flags.dtype}`);
  });
}

/**
 * Writes an export once more, beside the one that is there, and compares the two: what was ended after its folder had its name, or could
 * not be pushed, is done.
 * @throws UserError where the folder holds something else.
 */
async function requireSame(out: string, write: (again: string) => Promise<void>): Promise<void> {
  const refusal = (why: string): UserError =>
    new UserError(`${out} exists ${why}; choose another folder, or remove it`);
  if (!existsSync(join(out, SUMS))) throw refusal(`and has no ${SUMS}, by which an export is known`);
  const there = requireSums(out);
  const beside = temporaryPath(out);
  try {
    const again = join(beside, 'model');
    await write(again);
    const now = requireSums(again);
    const other = Object.keys({ ...there, ...now }).find((name) => there[name] !== now[name]);
    if (other !== undefined) throw refusal(`and is another export: this command writes another ${other}`);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

async function writeModel({ model: from, adapter, out, dtype }: ExportFlags, context: CliContext): Promise<void> {
  const folder = await checkpointFolder(from, context.logger());
  await useDevice('lethe-cpu');
  const extraFiles = await modelCard({ folder, location: from, adapter, dtype }, context.logger());
  const options = { tokenizerFrom: folder, dtype, extraFiles };
  if (adapter === undefined) {
    const { model, rawConfig } = loadLlama(folder, { trainable: false });
    await saveLlama(model, out, { rawConfig, ...options });
    model.dispose();
  } else {
    const read = readAdapter(adapter, readConfig(join(folder, 'config.json')).config);
    await exportMerged(folder, read, { out, ...options });
    read.dispose();
  }
}

async function push(
  { out, push: name, public: isPublic }: ExportFlags & { push: string },
  context: CliContext,
): Promise<void> {
  context.logger().progress(`pushing to ${name}`);
  const { url, commit } = await pushModel({ folder: out, name, isPublic, title: 'Upload model made with Lethe' });
  context.logger().endProgress();
  context.logger().info(`pushed to ${url} as commit ${commit}`);
}
