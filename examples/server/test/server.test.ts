// Does the example server keep what its README says? On the sources, so that nothing has to be built first.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';

const path = (url: string) => fileURLToPath(new URL(url, import.meta.url));

let server: ChildProcess;
let exit: Promise<unknown[]>;
let url: string;
let certificate: string;

/** Runs a script of this example. */
function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), path(`../${script}`), ...args], {
    env: { ...process.env, TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json'), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

beforeAll(async () => {
  server = run('server.mjs', [], { PORT: '0', HEARTBEAT_INTERVAL: '200', ORIGINS: 'https://app.example.com' });
  exit = once(server, 'exit');
  const found: Record<string, string> = {};
  for await (const line of createInterface({ input: server.stdout! })) {
    const [, what, value] = /^(listening on|certificate) +(\S+)$/.exec(line) ?? [];
    if (what && value) found[what] = value;
    if (found['certificate']) break;
  }
  server.stdout!.resume();
  url = found['listening on'] ?? '';
  certificate = found['certificate'] ?? '';
}, 30_000);

afterAll(async () => {
  server.kill('SIGKILL');
  await exit;
  // it removes this itself, unless it had to be killed
  if (certificate) rmSync(dirname(certificate), { recursive: true, force: true });
});

function dial(options: ClientOptions = {}): WebSocket {
  return new WebSocket(url, { ca: readFileSync(certificate), ...options });
}

test('a page outside the list is refused with 403 before the upgrade, a listed one comes in', async () => {
  const bad = dial({ origin: 'https://evil.example' });
  const [error] = await once(bad, 'error').catch((cause: unknown) => [cause]);
  expect(String(error)).toContain('403');

  const good = dial({ origin: 'https://app.example.com' });
  await once(good, 'open');
  good.close();
  await once(good, 'close');
});

test('a client that does not trust the certificate does not connect', async () => {
  const [error] = (await once(dial({ ca: [] }), 'error').catch((cause: unknown) => [cause])) as [{ code?: string }];
  expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('a text ping is answered with pong, other messages are echoed, and ping frames come', async () => {
  const client = dial();
  const pinged = once(client, 'ping');
  await once(client, 'open');
  client.send('ping');
  client.send('hello');
  expect(String((await once(client, 'message'))[0])).toBe('pong');
  expect(String((await once(client, 'message'))[0])).toBe('hello');
  await pinged;
  client.close();
  await once(client, 'close');
});

test(
  'the visit that the server suggests is echoed, and the one with a foreign Origin is refused',
  {
    timeout: 30_000,
  },
  async () => {
    expect(await outputOf('try.mjs', [url, certificate])).toBe('open\necho: hello\nclosed with 1000\nended: caller\n');
    const foreign = await outputOf('try.mjs', [url, certificate, 'https://evil.example']);
    expect(foreign).toBe('refused with HTTP 403\nended: refused\n');
  },
);

test('on SIGTERM a client is told when to come back, and the process ends with 0', async () => {
  const client = dial();
  await once(client, 'open');
  const closed = once(client, 'close');
  server.kill('SIGTERM');
  const [code, reason] = await closed;
  expect(code).toBe(1012);
  expect(String(reason)).toMatch(/^retry-after=\d\.\d{3}$/);
  expect(await exit).toEqual([0, null]);
  expect(existsSync(certificate)).toBe(false);
});

async function outputOf(script: string, args: readonly string[]): Promise<string> {
  const child = run(script, args);
  let output = '';
  for await (const chunk of child.stdout!) output += String(chunk);
  return output;
}
