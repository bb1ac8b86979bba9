import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const PACKAGE = resolve(import.meta.dirname, '..');

const run = promisify(execFile);

/** A folder of somebody else's, outside of this package. */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'embedding-service-'));

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Makes it an npm project with this package in it, as it is packed. Nothing comes from a registry. */
  async install(tarball: string): Promise<void> {
    this.write('package.json', '{ "private": true }');
    await this.npm('install', '--offline', '--no-audit', '--no-fund', '--no-package-lock', tarball);
  }

  /** What this package was tested with, in the place where an `npm install` of it would put it. */
  link(...names: readonly string[]): void {
    for (const name of names) {
      const target = join(this.folder, 'node_modules', name);
      mkdirSync(dirname(target), { recursive: true });
      symlinkSync(join(PACKAGE, 'node_modules', name), target);
    }
  }

  async npm(...args: readonly string[]): Promise<string> {
    return (await run('npm', args, { cwd: this.folder })).stdout;
  }

  /** What a program prints. */
  async node(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { stdout } = await run(process.execPath, args, {
      cwd: this.folder,
      env: { ...process.env, ...env },
    });
    return stdout.trim();
  }

  /** Type-checks the project; rejects with what the compiler says. */
  async tsc(...args: readonly string[]): Promise<void> {
    const tsc = join(PACKAGE, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, ...args], { cwd: this.folder }).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Packs this package, which has to be built, into `folder`, and gives the file's name and what is in it. */
export async function pack(folder: string): Promise<{ file: string; names: string[]; bytes: number }> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: PACKAGE });
  const parsed: unknown = JSON.parse(stdout);
  // An array of packages, or of newer npm an object by their names.
  const [packed] = Object.values(parsed as object) as [
    { filename: string; files: { path: string }[]; size: number },
  ];
  return {
    file: join(folder, packed.filename),
    names: packed.files.map((each) => each.path),
    bytes: packed.size,
  };
}
