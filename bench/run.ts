// Which benchmark? `pnpm bench <name>` runs bench/<name>.ts on what users run: the built packages.

import { buildIfOld } from './build.ts';

/** What each shows. A new benchmark gets a line here. */
const BENCHMARKS: Readonly<Record<string, string>> = {
  'at-least-once': 'what the proofs of at-least-once delivery cost, over real sockets',
  dispatch: 'one inbound message and one send, above a socket with no wire',
  fleet: 'what a session costs a server and its Redis, and a mass resume',
  session: 'throughput of a session beside a plain socket',
  'silent-link': 'from silence to the next dial, in a real browser',
};

/** Those that are measured. */
const PACKAGES = ['core', 'session', 'browser', 'node', 'server', 'redis', 'testing'];

const [name, ...args] = process.argv.slice(2);

if (name === undefined || !(name in BENCHMARKS)) {
  console.error('pnpm bench <name> [--json]\n');
  for (const [each, what] of Object.entries(BENCHMARKS)) console.error(`  ${each.padEnd(15)}${what}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  PACKAGES.forEach(buildIfOld);
  process.argv.splice(2, Infinity, ...args);
  await import(`./${name}.ts`);
}
