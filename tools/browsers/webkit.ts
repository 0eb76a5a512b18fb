// How does vitest's browser mode run in WebKitGTK, the WebKit that Debian has?
//
// By WebDriver's plain HTTP: its driver starts its MiniBrowser, which needs a screen, which Xvfb pretends to be.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { defineBrowserProvider } from '@vitest/browser';
import type { BrowserProvider } from 'vitest/node';
import { needBrowser, needMiniBrowser } from './find.ts';

export const webkit = () =>
  defineBrowserProvider({
    name: 'webdriver-webkit',
    supportedBrowser: ['webkit'],
    options: {},
    providerFactory: createWebKit,
  });

function createWebKit(): BrowserProvider {
  let starting: Promise<Session> | undefined;
  return {
    name: 'webdriver-webkit',
    supportsParallelism: false,
    getCommandsContext: () => ({}),
    async openPage(_session, url) {
      starting ??= startSession();
      await (await starting).goTo(url);
    },
    async close() {
      await (await starting)?.end();
      starting = undefined;
    },
  };
}

interface Session {
  goTo(url: string): Promise<void>;
  end(): Promise<void>;
}

async function startSession(): Promise<Session> {
  const { browser, screen } = needMiniBrowser();
  const xvfb = spawn(screen, ['-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [display] = (await once(xvfb.stdout, 'data')) as [Buffer]; // it picks a free one, and says which when it is up
  const port = await freePort();
  const driver = spawn(needBrowser('webkit'), [`--port=${port}`, '--host=127.0.0.1'], {
    env: { ...process.env, DISPLAY: `:${display.toString().trim()}`, LIBGL_ALWAYS_SOFTWARE: '1' },
    stdio: 'ignore',
  });

  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { value } = (await answer.json()) as { value: unknown };
    if (!answer.ok) throw new Error(`WebKitWebDriver, ${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  const stop = async (): Promise<void> => {
    for (const child of [driver, xvfb]) await ended(child);
  };

  try {
    await listening(() => ask('GET', '/status'));
    const options = { binary: browser, args: ['--automation'] };
    const { sessionId } = (await ask('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
    })) as { sessionId: string };
    return {
      goTo: (url) => ask('POST', `/session/${sessionId}/url`, { url }).then(() => {}),
      async end() {
        await ask('DELETE', `/session/${sessionId}`).catch(() => {}); // a window that is gone already is as well
        await stop();
      },
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** The driver says nowhere that it is ready. */
async function listening(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (left === 0) throw cause;
      await delay(100);
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
