// Which benchmark? `pnpm bench <name>` runs bench/<name>.ts on what users run: the built packages.

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What each shows. A new benchmark gets a line here. */
const BENCHMARKS: Readonly<Record<string, string>> = {
  dispatch: 'one inbound message and one send, above a socket with no wire',
  'silent-link': 'from silence to the next dial, in a real browser',
};

/** Those that are measured. */
const PACKAGES = ['core', 'browser'];

const root = new URL('../', import.meta.url);
const [name, ...args] = process.argv.slice(2);

if (name === undefined || !(name in BENCHMARKS)) {
  console.error('pnpm bench <name> [--json]\n');
  for (const [each, what] of Object.entries(BENCHMARKS)) console.error(`  ${each.padEnd(12)}${what}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  PACKAGES.forEach(buildIfOld);
  process.argv.splice(2, Infinity, ...args);
  await import(`./${name}.ts`);
}

function buildIfOld(pkg: string): void {
  const folder = new URL(`packages/${pkg}/`, root);
  if (changedAt(new URL('dist/index.mjs', folder)) > newestIn(new URL('src/', folder))) return;
  console.error(`building packages/${pkg}, whose dist is missing or older than its sources`);
  const tsup = fileURLToPath(new URL('node_modules/.bin/tsup', root));
  // no declarations: nothing here reads them, and they take most of the time; those that are there stay
  execFileSync(tsup, ['--no-dts', '--no-clean'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function newestIn(folder: URL): number {
  return Math.max(...readdirSync(folder).map((file) => changedAt(new URL(file, folder))));
}

function changedAt(file: URL): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}
