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

/** Plays these acts, or all of them. */
async function play(acts: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Performance> {
  // exit code 1 rejects, and then what it said is in the error
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path('../main.mjs'), '--json', ...acts],
    { env: { ...process.env, TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json'), ...env } },
  ).catch((failed: { readonly stdout: string }) => failed);
  return JSON.parse(stdout) as Performance;
}

/** What was lost and what came twice, one way. */
interface Reckoning {
  readonly lost: number;
  readonly duplicated: number;
}

test('the demo ends by itself in under 40 s, and every act of it holds', { timeout: 60_000 }, async () => {
  const { acts, held, seconds } = await play([]);

  expect(acts.filter((act) => !act.held)).toEqual([]);
  expect(acts.map((act) => act.name)).toEqual([
    ...['upgrade', 'full-duplex', 'origin', 'heartbeat', 'token', 'tls'],
    ...['silence', 'kill', 'at-least-once', 'session', 'drain'],
  ]);
  expect(held).toBe(true);
  expect(seconds).toBeLessThan(40);

  const figuresOf = (name: string) => acts.find((act) => act.name === name)!.figures;
  const { lost, unconfirmed, dropped } = figuresOf('kill');
  expect(lost).toBeLessThanOrEqual(Number(unconfirmed) + Number(dropped));
  expect(figuresOf('at-least-once')).toMatchObject({ lost: 0 });
  expect(figuresOf('session')).toMatchObject({
    up: { lost: 0, duplicated: 0 } satisfies Reckoning,
    down: { lost: 0, duplicated: 0 } satisfies Reckoning,
  });
});

test(
  'where there is no redis-server the session is kept in memory, and the act says so',
  { timeout: 60_000 },
  async () => {
    const { acts, held } = await play(['session'], { PATH: '' });
    expect(held).toBe(true);
    expect(acts[0]!.figures).toMatchObject({ store: 'memory', up: { lost: 0 }, down: { lost: 0 } });
  },
);
