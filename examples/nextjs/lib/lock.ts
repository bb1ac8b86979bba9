import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What file systems without hard links say. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP']);

/** As `create` below, but for a moment the file is empty. */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the file was not there before. Nobody ever sees it empty, as one that is only just written to. */
async function create(file: string, text: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return await writeNew(file, text);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The numbers of the locks of a folder, the highest first. */
async function locksOf(directory: string): Promise<number[]> {
  const prefix = `${path.basename(directory)}.lock-`;
  const names = await readdir(path.dirname(directory));
  const numbers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return numbers.filter((number) => /^\d+$/.test(number)).map(Number).sort((a, b) => b - a);
}

/**
 * Takes a folder for this process, by a file beside it with the process's number. What a process left that no
 * longer lives does not count. Throws if another one has it: two databases on the same files destroy them.
 *
 * The files are numbered, and that with the highest number counts. Who finds its process gone makes the next,
 * which the file system lets one alone do. Deleting the old file first would not be safe: another process that
 * found the same might have put its own there by then. For that reason the highest is never deleted.
 */
export async function lockDirectory(directory: string): Promise<void> {
  await mkdir(path.dirname(directory), { recursive: true });
  const fileOf = (number: number) => `${directory}.lock-${number}`;
  for (;;) {
    const [last = 0] = await locksOf(directory);
    if (last > 0) {
      const owner = Number(await readFile(fileOf(last), 'utf8').catch(() => ''));
      if (owner === process.pid) return;
      if (owner > 0 && isAlive(owner)) {
        throw new Error(
          `${directory} is in use by process ${owner}: stop that, or set INDEX_DIR to another folder; ` +
            `if that process is another program, delete ${fileOf(last)}`,
        );
      }
    }
    const own = last + 1;
    if (!(await create(fileOf(own), String(process.pid)))) continue;
    const now = await locksOf(directory);
    if (now[0] === own) {
      await Promise.all(now.slice(1).map((number) => rm(fileOf(number), { force: true })));
      return;
    }
    // The number had been given and deleted meanwhile, and others came after it.
    await rm(fileOf(own), { force: true });
  }
}
