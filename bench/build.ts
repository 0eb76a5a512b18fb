// Is what is built as new as its sources? For those who run what users run.

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/** Builds a package, unless its dist is newer than all of its sources. */
export function buildIfOld(pkg: string): void {
  const folder = new URL(`packages/${pkg}/`, root);
  if (changedAt(new URL('dist/index.mjs', folder)) > newestIn(new URL('src/', folder))) return;
  console.error(`building packages/${pkg}, whose dist is missing or older than its sources`);
  const tsup = fileURLToPath(new URL('node_modules/.bin/tsup', root));
  // no declarations: nothing here reads them, and they take most of the time; those that are there stay
  execFileSync(tsup, ['--no-dts', '--no-clean'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function newestIn(folder: URL): number {
  return Math.max(
    ...readdirSync(folder, { encoding: 'utf8', recursive: true }).map((file) => changedAt(new URL(file, folder))),
  );
}

function changedAt(file: URL): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}
