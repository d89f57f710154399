// One build at a time in a checkout.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a process began, in the kernel's ticks: with the pid it names a process for good; '' where there is no /proc. */
function beginning(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[19];
  } catch {
    return ''; // The process is gone.
  }
}

function isHeld(owner) {
  const [pid, began] = owner.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM'; // ESRCH: it ended without releasing the lock.
  }
  return beginning(pid) === began;
}

/** Takes the lock if it is free or its owner is gone. The file appears whole, by a link: never without its owner. */
function take(file, owner) {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, owner);
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(mine);
  }
}

/** Runs f while no other process holds `file`; says once that it waits. */
export async function withLock(file, f) {
  const owner = `${process.pid} ${beginning(process.pid)}`;
  let said = false;
  while (!take(file, owner)) {
    const other = readOwner(file);
    if (other !== undefined && !isHeld(other)) release(file, other);
    else {
      if (!said && other)
        process.stderr.write(`build: waiting for process ${other.split(' ')[0]}, which builds here\n`);
      said = true;
      await sleep(200);
    }
  }
  try {
    return await f();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Removes the lock of an owner who is gone; what another has taken meanwhile is put back. */
function release(file, owner) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return; // another was quicker
    throw error;
  }
  if (readOwner(aside) !== owner) linkSync(aside, file);
  rmSync(aside);
}

function readOwner(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined; // released since
    throw error;
  }
}
