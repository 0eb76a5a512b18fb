// What does every test of a page's life stand on?

import { createFaultProxy, createFaultServer, type FaultProxy, type FaultServer } from '@holdfast/testing';
import { expect } from 'vitest';
import { startChromium, type Chromium, type Life } from './chromium.ts';
import type { Told } from './page.ts';

export interface Stage {
  readonly chromium: Chromium;
  readonly server: FaultServer;
  /** Between the page and the server. */
  readonly proxy: FaultProxy;
  /** Closes every page and mends the network. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function createStage(flags: readonly string[] = []): Promise<Stage> {
  const server = await createFaultServer();
  const proxy = await createFaultProxy({ port: server.port });
  const chromium = await startChromium(flags);
  return {
    chromium,
    server,
    proxy,
    async clear() {
      proxy.pass();
      proxy.cut();
      await chromium.closePages();
      await expect.poll(() => server.connections.size, { timeout: 10_000 }).toBe(0);
    },
    async close() {
      await chromium.close();
      await proxy.close();
      await server.close();
    },
  };
}

/** The fault server's echo of a ping is taken for its answer. */
export const ECHOED = { message: 'ping', reply: 'ping', expectReply: true } as const;

/** So long that whoever is back before it has been called back by something else. */
export const LONG_WAIT = { initialDelay: 60_000, maxDelay: 60_000, jitter: 'none' } as const;

/** Waits for the page to tell `name` for the `count`-th time; returns that line of its diary. */
export async function until(life: Life, name: string, count = 1): Promise<Told> {
  await expect
    .poll(async () => (await life.told(name)).length, { timeout: 15_000, message: `${count} × ${name}` })
    .toBeGreaterThanOrEqual(count);
  return (await life.told(name))[count - 1]!;
}

export async function names(life: Life): Promise<readonly string[]> {
  return (await life.told()).map(({ name }) => name);
}
