import { existsSync } from 'node:fs';
import { listenForStop, EXIT_CODES, UserError } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { integer } from '../command-line/number-options.js';
import { serveLivePage } from '../run-page/live-page.js';

const HELP = `
The page is that of lethe report, made anew whenever it is looked at; a browser
asks every five seconds. Of a folder of lethe repair it shows the runs, and its
own page once that is there. Only this machine is served.
Example:
  lethe watch runs/unlearn`;

/** `lethe watch`: the page of a run while it goes on. */
export function addWatchCommand(program: Command, context: CliContext): void {
  program
    .command('watch')
    .description('serve the page of a run on this machine while it goes on')
    .argument('<run>', 'folder of a run, of runs, or of a repair')
    .option('--port <n>', 'port on 127.0.0.1; 0 takes a free one', integer, 0)
    .addHelpText('after', HELP)
    .action(async (folder: string, { port }: { port: number }) => {
      if (!existsSync(folder))
        throw new UserError(`${folder}: no such folder; give the folder of a run, as runs/unlearn`);
      let stopped = (): void => {};
      const ended = new Promise<void>((done) => (stopped = done));
      const stop = listenForStop(() => stopped());
      try {
        const { server, url } = await serveLivePage(folder, port);
        process.stdout.write(`${url}\n`);
        await ended;
        server.close();
        server.closeAllConnections();
        context.exitCode = EXIT_CODES[stop.requested!];
      } finally {
        stop.dispose();
      }
    });
}
