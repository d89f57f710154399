import { existsSync } from 'node:fs';
import { loadLlama, saveLlama } from '@lethe/model';
import { UserError } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import type { CliContext } from '../main.js';

interface ExportFlags {
  model: string;
  out: string;
  dtype: 'float32' | 'float16' | 'bfloat16';
}

/** `lethe export`: a model in the Hugging Face layout, in another number format. */
export function addExportCommand(program: Command, context: CliContext): void {
  program
    .command('export')
    .description('write a model in the Hugging Face layout, for transformers, vLLM or llama.cpp')
    .requiredOption('--model <dir>', 'model folder of a run, or any checkpoint folder')
    .requiredOption('--out <dir>', 'folder to write; must not exist')
    .addOption(
      new Option('--dtype <type>', 'number format of the weights')
        .choices(['float32', 'float16', 'bfloat16'])
        .default('float32'),
    )
    .action(async ({ model: from, out, dtype }: ExportFlags) => {
      if (existsSync(out)) throw new UserError(`${out} exists; choose another folder`);
      await useDevice('lethe-cpu');
      const { model, rawConfig } = loadLlama(from, { trainable: false });
      await saveLlama(model, out, { rawConfig, tokenizerFrom: from, dtype });
      model.dispose();
      context.logger().info(`${from} written to ${out} as ${dtype}`);
    });
}
