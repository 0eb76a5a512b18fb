// Does the ticker survive its server, and does the side job end? On the sources, so that nothing has to be built first.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const path = (url: string) => fileURLToPath(new URL(url, import.meta.url));

/** Rejects if the script's exit code is not 0. */
async function run(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path(`../${script}`)],
    { env: { ...process.env, TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json') } },
  );
  return stdout;
}

test(
  'the ticker goes on while its server is killed and restarted, and says what became of each tick',
  {
    timeout: 60_000,
  },
  async () => {
    const output = await run('start.mjs');

    const fates = [...output.matchAll(/ticker: tick (\d+) (\w+)/g)].map(([, tick, fate]) => ({ tick, fate }));
    expect(fates).toHaveLength(12);
    const queued = fates.filter(({ fate }) => fate === 'queued').map(({ tick }) => tick);
    expect(queued.length).toBeGreaterThan(0);

    const heard = /the server heard ticks (.*)/.exec(output)?.[1]?.split(' ') ?? [];
    const unconfirmed = Number(/link lost, (\d+) unconfirmed/.exec(output)?.[1] ?? 12);
    expect(heard).toEqual(expect.arrayContaining(queued));
    expect(12 - heard.length).toBeLessThanOrEqual(unconfirmed);
    expect(output).toMatch(/ticker: reconnecting[^]*ticker: open[^]*ticker: closed/);
  },
);

test('T46: a job whose only other business is an unref client ends by itself', { timeout: 60_000 }, async () => {
  expect(await run('side-job.mjs')).toMatch(/^side job: done, while the client is (re)?connecting/);
});
