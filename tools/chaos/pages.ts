// How do clients of the chaos run live in pages of a real Chromium, and through reloads of them?

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import { CHROMIUM_FLAGS, needBrowser } from '../browsers/find.ts';
import type { ChatterOptions } from './chatter.ts';
import { sharedNow, type ClientNote, type Noted } from './diary.ts';

export interface ChaosPage {
  readonly name: string;
  reload(): Promise<void>;
  reconnect(): Promise<void>;
  settle(): Promise<void>;
  close(): Promise<void>;
  queued(): Promise<number>;
  /** By the clock that all processes share. */
  notes(): Promise<readonly Noted<ClientNote>[]>;
}

export interface Pages {
  /** For the servers' allowlist. */
  readonly origin: string;
  open(options: Omit<ChatterOptions, 'next'>): Promise<ChaosPage>;
  close(): Promise<void>;
}

/** Without pages there is nothing but an origin. */
export async function startPages(count: number): Promise<Pages> {
  const site = await serveSite();
  const browser =
    count === 0
      ? undefined
      : await puppeteer.launch({
          executablePath: needBrowser('chromium'),
          headless: true,
          args: [...CHROMIUM_FLAGS],
        });
  // as far apart as the wall clock and the shared one are now
  const apart = performance.timeOrigin + performance.now() - sharedNow();

  return {
    origin: site.origin,
    async open(options) {
      const page = await browser!.newPage();
      const start = () => page.evaluate((how) => inChaosPage.start(how), options);
      await page.goto(site.origin);
      await start();
      /** One after the other: a page that is loading cannot be asked. */
      let last: Promise<unknown> = Promise.resolve();
      const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
        const answer = last.then(ask);
        last = answer.catch(() => {}); // whoever asked hears of it
        return answer;
      };
      return {
        name: options.name,
        reload: () => inTurn(() => page.reload().then(start)),
        reconnect: () => inTurn(() => page.evaluate(() => inChaosPage.reconnect())),
        settle: () => last.then(() => page.evaluate(() => inChaosPage.settle())), // may take long, and others go on asking
        close: () => inTurn(() => page.evaluate(() => inChaosPage.close())),
        queued: () => inTurn(() => page.evaluate(() => inChaosPage.queued())),
        async notes() {
          const notes = await inTurn(() => page.evaluate(() => inChaosPage.notes()));
          return notes.map((note) => ({ ...note, at: note.at - apart }));
        },
      };
    },
    async close() {
      await browser?.close();
      await site.close();
    },
  };
}

async function serveSite(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
    tsconfig: fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url)),
    bundle: true,
    write: false,
  });
  const script = outputFiles[0]!.text;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>chaos</title><script>${script}</script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
