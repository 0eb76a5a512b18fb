// How does a test have a page of Chromium live through something?
//
// By puppeteer: playwright keeps every page awake, hidden or not. Three more of the defaults are taken away, which
// would spare hidden pages what Chromium does to them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ClientOptions } from '@holdfast/browser';
import { build } from 'esbuild';
import puppeteer, { type CDPSession, type Page } from 'puppeteer-core';
import { CHROMIUM_FLAGS, needBrowser } from '../../../../tools/browsers/find.ts';
import type { Told } from './page.ts';

const KEEPS_AWAKE = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-back-forward-cache',
];

export interface Chromium {
  /** A page with the diary of `page.ts`, in front. */
  open(): Promise<Life>;
  /** Of all that were opened. */
  closePages(): Promise<void>;
  /** Stops every process of it, as a sleep of the device does. */
  sleep(): Promise<void>;
  wakeUp(): void;
  close(): Promise<void>;
}

/** One page, seen from outside. */
export interface Life {
  readonly page: Page;
  readonly cdp: CDPSession;
  /** Starts a client in the page; resolves once it is open. */
  start(url: string, options?: ClientOptions): Promise<void>;
  /** The diary so far, or its lines of that name. */
  told(name?: string): Promise<readonly Told[]>;
  /** How late the ticks of a timer of 50 ms were. */
  late(): Promise<readonly number[]>;
  /** Brings another page before it. */
  hide(): Promise<void>;
  show(): Promise<void>;
  /** Another page in the same tab. */
  leave(): Promise<void>;
  back(): Promise<void>;
}

export async function startChromium(flags: readonly string[] = []): Promise<Chromium> {
  const pages = await servePages();
  const browser = await puppeteer.launch({
    executablePath: needBrowser('chromium'),
    headless: true,
    ignoreDefaultArgs: KEEPS_AWAKE,
    args: [...CHROMIUM_FLAGS, ...flags],
  });
  let asleep: readonly number[] = [];

  const wakeUp = (): void => {
    for (const pid of [...asleep].reverse()) process.kill(pid, 'SIGCONT');
    asleep = [];
  };

  return {
    async open() {
      const page = await browser.newPage();
      await page.goto(`${pages.origin}/page`);
      await page.bringToFront();
      return lifeOf(page, await page.createCDPSession(), `${pages.origin}/elsewhere`, () => browser.newPage());
    },
    async closePages() {
      const all = await browser.pages();
      await browser.newPage(); // with the last page, the browser would go too
      for (const page of all) await page.close();
    },
    async sleep() {
      const session = await browser.target().createCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      // the browser's own process last: it would notice that its children do not answer
      const pids = processInfo
        .toSorted((a, b) => Number(a.type === 'browser') - Number(b.type === 'browser'))
        .map(({ id }) => id);
      asleep = pids;
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
    },
    wakeUp,
    async close() {
      wakeUp();
      await browser.close();
      await pages.close();
    },
  };
}

function lifeOf(page: Page, cdp: CDPSession, elsewhere: string, newPage: () => Promise<Page>): Life {
  let front: Page | undefined;
  return {
    page,
    cdp,
    start: (url, options = {}) => page.evaluate((to, how) => inPage.start(to, how), url, options),
    async told(name) {
      const all = await page.evaluate(() => inPage.told);
      return name === undefined ? all : all.filter((one) => one.name === name);
    },
    late: () => page.evaluate(() => inPage.late),
    async hide() {
      front ??= await newPage();
      await front.bringToFront();
    },
    show: () => page.bringToFront(),
    async leave() {
      await page.goto(elsewhere);
    },
    async back() {
      await page.goBack({ waitUntil: [] });
    },
  };
}

/** `/page` has the diary, everything else has nothing. */
async function servePages(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
    tsconfig: fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url)),
    bundle: true,
    write: false,
  });
  const script = outputFiles[0]!.text;
  const server = createServer(({ url }, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>${url}</title>${url === '/page' ? `<script>${script}</script>` : ''}`);
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
