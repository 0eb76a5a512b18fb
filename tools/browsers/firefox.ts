// How does vitest's browser mode run in a stock Firefox?
//
// By WebDriver BiDi, through puppeteer: playwright drives only a Firefox that its makers have patched.

import { defineBrowserProvider } from '@vitest/browser';
import puppeteer, { type Browser } from 'puppeteer-core';
import type { BrowserProvider } from 'vitest/node';
import { needBrowser } from './find.ts';

/**
 * After a failed dial Firefox holds back the next one to the same host and port, longer each time, up to a minute
 * (RFC 6455 §7.2.3). The tests fail dozens of dials on purpose, and are about what comes after that wait.
 */
const PREFERENCES = { 'network.websocket.delay-failed-reconnects': false };

export const firefox = () =>
  defineBrowserProvider({
    name: 'puppeteer-firefox',
    supportedBrowser: ['firefox'],
    options: {},
    providerFactory: createFirefox,
  });

function createFirefox(): BrowserProvider {
  let starting: Promise<Browser> | undefined;
  return {
    name: 'puppeteer-firefox',
    supportsParallelism: false,
    getCommandsContext: () => ({}),
    async openPage(_session, url) {
      starting ??= puppeteer.launch({
        browser: 'firefox',
        executablePath: needBrowser('firefox'),
        headless: true,
        extraPrefsFirefox: PREFERENCES,
      });
      const page = await (await starting).newPage();
      await page.goto(url, { timeout: 0 });
    },
    async close() {
      await (await starting)?.close();
      starting = undefined;
    },
  };
}
