import type { RunLaunch } from '@lethe/run';

/** What two launches were made with, where it is not the same: what, then, now. */
export function differingSurroundings(before: RunLaunch, after: RunLaunch): [what: string, was: string, is: string][] {
  const [were, are] = [describe(before), describe(after)];
  const names = new Set([...were.keys(), ...are.keys()]);
  return [...names].flatMap((name): [string, string, string][] => {
    const [was, is] = [were.get(name) ?? 'not known', are.get(name) ?? 'not known'];
    return was === is ? [] : [[name, was, is]];
  });
}

const describe = ({ versions, git, machine, ranks = 1 }: RunLaunch): Map<string, string> =>
  new Map([
    ...Object.entries(versions),
    ...(git ? ([['commit', `${git.commit}${git.isDirty ? ' with changes' : ''}`]] as const) : []),
    ['processor', machine.cpu],
    ['cores', String(machine.cores)],
    ['platform', machine.platform],
    ['ranks', String(ranks)],
  ]);
