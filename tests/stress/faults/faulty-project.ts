import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pretrainProject } from '../../e2e/small-project.js';
import { Faulty } from './faulty.js';
import { writeJobs } from './jobs.js';
import { Undisturbed } from './undisturbed.js';

/** What the jobs need in a folder, a hub that serves them, and commands that can fail there. */
export interface FaultyProject {
  faulty: Faulty;
  undisturbed: Undisturbed;
  close(): Promise<void>;
}

/** @param beside a folder that no command sees, on the same file system; removed in the end. */
export async function openFaultyProject(folder: string, beside: string): Promise<FaultyProject> {
  await pretrainProject(folder);
  const hub = await writeJobs(folder);
  const faulty = new Faulty(folder, beside, { HF_ENDPOINT: await hub.start(), HF_HUB_CACHE: join(folder, 'hub') });
  return {
    faulty,
    undisturbed: new Undisturbed(folder, faulty),
    close: async () => {
      faulty.end();
      await hub.stop();
      rmSync(beside, { recursive: true, force: true });
    },
  };
}
