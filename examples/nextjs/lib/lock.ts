import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Takes a folder for this process, by a file beside it with the process's number. What a process left that no
 * longer lives does not count. Throws if another one has it: two databases on the same files destroy them.
 */
export async function lockDirectory(directory: string): Promise<void> {
  const file = `${directory}.lock`;
  await mkdir(path.dirname(directory), { recursive: true });
  for (;;) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner === process.pid) return;
    if (owner > 0 && isAlive(owner)) {
      throw new Error(
        `${directory} is in use by process ${owner}: stop that, or set INDEX_DIR to another folder; ` +
          `if that process is another program, delete ${file}`,
      );
    }
    await rm(file, { force: true });
  }
}
