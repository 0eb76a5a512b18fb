// Which tests need a server that not every machine has: a real Redis, real proxies?

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestProjectInlineConfiguration } from 'vitest/config';

/** Where Debian puts those that are for root. */
const MORE_PATHS = ['/usr/sbin', '/usr/local/sbin'];

/** A program, its package of Debian, and the tests that cannot do without it. */
const PROGRAMS: readonly { readonly program: string; readonly from: string; readonly tests: readonly string[] }[] = [
  {
    program: 'redis-server',
    from: 'redis-server',
    tests: ['packages/redis/test/!(options).test.ts', 'examples/scaling/test/**'],
  },
  { program: 'nginx', from: 'nginx-light', tests: ['examples/scaling/test/**'] },
  { program: 'haproxy', from: 'haproxy', tests: ['examples/scaling/test/**'] },
];

/** For the projects that run without such a server. */
export const NEEDS_SERVER: readonly string[] = [...new Set(PROGRAMS.flatMap(({ tests }) => tests))];

/**
 * The project `servers`: on its own, one file after the other, since each starts servers and some kill them.
 *
 * - `HOLDFAST_SERVERS=all`: everything; what is missing makes its tests fail, and they say how to get it.
 * - else: what this machine has the programs for, and a line about the rest, so that a fresh machine can run the others.
 */
export function serverProjects(alias: Readonly<Record<string, string>>): TestProjectInlineConfiguration[] {
  const missing = process.env['HOLDFAST_SERVERS'] === 'all' ? [] : PROGRAMS.filter(({ program }) => !isThere(program));
  const leftOut = new Set(missing.flatMap(({ tests }) => tests));
  if (leftOut.size > 0) {
    const names = missing.map(({ program }) => program).join(' and ');
    const packages = missing.map(({ from }) => from).join(' ');
    console.warn(
      `*** left out, since ${names} is missing: ${[...leftOut].join(', ')}; apt-get install -y --no-install-recommends ${packages} ***`,
    );
  }
  const include = NEEDS_SERVER.filter((tests) => !leftOut.has(tests));
  if (include.length === 0) return [];
  return [
    {
      resolve: { alias },
      test: { name: 'servers', include, fileParallelism: false, sequence: { groupOrder: 7 } },
    },
  ];
}

function isThere(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_PATHS];
  return folders.some((folder) => existsSync(join(folder, program)));
}
