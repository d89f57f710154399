import { EXIT_CODES } from '@lethe/run';
import type { Command } from 'commander';
import { examine, type ExamineOptions } from '../doctor/examine.js';
import { formatFindings } from '../doctor/finding.js';
import type { CliContext } from '../command-line/context.js';

/** `lethe doctor`: whether this machine can do the job, and what to do where it cannot. */
export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('try everything that Lethe needs of this machine; say what to do where something is missing')
    .option('--runs <dir>', 'folder that runs would be written to', 'runs')
    .option('--network', 'ask the Hugging Face hub too', false)
    .option('--json', 'print the findings as JSON', false)
    .addHelpText('after', '\nExits 1 where there is a problem; warnings alone are no reason not to start.')
    .action(async ({ json, ...options }: ExamineOptions & { json: boolean }) => {
      const findings = await examine(options);
      const isHealthy = findings.every(({ status }) => status !== 'problem');
      const text = json ? JSON.stringify({ ok: isHealthy, findings }, null, 2) : formatFindings(findings);
      process.stdout.write(`${text}\n`);
      if (!isHealthy) context.exitCode = EXIT_CODES.failed;
    });
}
