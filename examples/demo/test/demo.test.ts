// Does the demo hold, as `pnpm demo` would show it? It runs on the sources, so that nothing has to be built first.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

interface Performance {
  readonly held: boolean;
  readonly seconds: number;
  readonly acts: readonly {
    readonly name: string;
    readonly held: boolean;
    readonly error?: string;
    readonly figures: Readonly<Record<string, unknown>>;
    readonly rows: readonly { readonly promise: string; readonly found: string; readonly held: boolean }[];
  }[];
}

const path = (url: string) => fileURLToPath(new URL(url, import.meta.url));

test('the demo ends by itself in under 40 s, and every act of it holds', { timeout: 60_000 }, async () => {
  // exit code 1 rejects, and then what it said is in the error
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path('../main.mjs'), '--json'],
    { env: { ...process.env, TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json') } },
  ).catch((failed: { readonly stdout: string }) => failed);
  const { acts, held, seconds } = JSON.parse(stdout) as Performance;

  expect(acts.filter((act) => !act.held)).toEqual([]);
  expect(acts.map((act) => act.name)).toEqual([
    ...['upgrade', 'full-duplex', 'origin', 'heartbeat', 'token', 'tls', 'silence', 'kill', 'drain'],
  ]);
  expect(held).toBe(true);
  expect(seconds).toBeLessThan(40);

  const { lost, unconfirmed, dropped } = acts.find((act) => act.name === 'kill')!.figures;
  expect(lost).toBeLessThanOrEqual(Number(unconfirmed) + Number(dropped));
});
