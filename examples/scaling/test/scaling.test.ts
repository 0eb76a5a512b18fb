// Does the fleet lose nothing, and is somebody without a Redis told how to get one? On the sources: nothing has to be built.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const path = (url: string) => fileURLToPath(new URL(url, import.meta.url));

/** Rejects if the exit code is not 0, with what was said. */
const start = (env: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), path('../start.mjs')], {
    env: { ...process.env, TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json'), ...env },
  });

test('nothing is lost, doubled or out of order behind nginx and haproxy, in a deploy and when they cut', async () => {
  const { stdout } = await start();
  const rows = [...stdout.matchAll(/^ {2}(nginx|haproxy) +\d+ sent each way: (.*); (.*)$/gm)];
  expect(rows.map(([, proxy, found]) => `${proxy}: ${found}`)).toEqual([
    'nginx: 0 lost, 0 duplicated, 0 out of order',
    'haproxy: 0 lost, 0 duplicated, 0 out of order',
    'nginx: 0 lost, 0 duplicated, 0 out of order',
    'haproxy: 0 lost, 0 duplicated, 0 out of order',
  ]);
  const [nginx, haproxy] = rows.map(([, , , links]) => links);
  for (const links of [nginx, haproxy]) {
    expect(links).toMatch(/^\d\d sent away, 0 cut, \d\d resumed, 0 sessions lost$/);
  }
  expect(stdout).toMatch(/^verdict: nothing lost, nothing twice, in order$/m);
}, 60_000);

test('where a program is missing it says how to get it, and fails', { timeout: 60_000 }, async () => {
  await expect(start({ PATH: '' })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/redis-server.* not found; get it by: apt-get install .*redis-server/),
  });
});
