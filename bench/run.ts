// Which benchmark? `pnpm bench <name>` runs bench/<name>.ts on what users run: the built packages.

import { buildIfOld } from './build.ts';

/** What each shows. A new benchmark gets a line here. */
const BENCHMARKS: Readonly<Record<string, string>> = {
  dispatch: 'one inbound message and one send, above a socket with no wire',
  'silent-link': 'from silence to the next dial, in a real browser',
};

/** Those that are measured. */
const PACKAGES = ['core', 'browser'];

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
