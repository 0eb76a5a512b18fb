// Which real browsers are wanted, where are they, and how does one get those that are missing?

import { existsSync } from 'node:fs';

export type BrowserName = 'chromium' | 'firefox' | 'webkit';

interface Place {
  /** Names the place, if it is none of these. */
  readonly variable: string;
  readonly paths: readonly string[];
  /** Packages of Debian. */
  readonly packages: string;
}

const PLACES: Readonly<Record<BrowserName, Place>> = {
  chromium: {
    variable: 'CHROMIUM_PATH',
    paths: [
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    packages: 'chromium',
  },
  firefox: {
    variable: 'FIREFOX_PATH',
    paths: ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
    packages: 'firefox-esr',
  },
  webkit: {
    variable: 'WEBKIT_DRIVER_PATH',
    paths: ['/usr/bin/WebKitWebDriver'],
    packages: 'webkit2gtk-driver xvfb',
  },
};

/** WebKitGTK's own small browser, in the same Debian package as its driver, and the screen that it cannot do without. */
const MINI_BROWSER = [
  '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
  '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
];
const SCREEN = ['/usr/bin/Xvfb'];

/** What Chromium is started with everywhere: no sandbox, since tests often run as root, and nothing that dials home. */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The program to start; for WebKit, the driver. `undefined` if this machine has none. */
export function findBrowser(name: BrowserName): string | undefined {
  const { variable, paths } = PLACES[name];
  if (name === 'webkit' && !(MINI_BROWSER.some(existsSync) && SCREEN.some(existsSync))) return undefined;
  const named = process.env[variable];
  return (named ? [named] : paths).find((path) => existsSync(path));
}

/** @throws with how to get it, if it is not there */
export function needBrowser(name: BrowserName): string {
  const path = findBrowser(name);
  if (path === undefined) throw new Error(`${name} is missing: ${howToGet(name)}`);
  return path;
}

/** The parts of WebKit beside its driver. */
export function needMiniBrowser(): { readonly browser: string; readonly screen: string } {
  const [browser, screen] = [MINI_BROWSER.find(existsSync), SCREEN.find(existsSync)];
  if (browser === undefined || screen === undefined) throw new Error(`webkit is missing: ${howToGet('webkit')}`);
  return { browser, screen };
}

/**
 * The browsers to test in.
 *
 * - `HOLDFAST_NO_BROWSER=1`: none, on purpose.
 * - `wanted`, or else `HOLDFAST_BROWSERS=chromium,firefox`: exactly these; one that is missing is an error.
 * - neither: Chromium if it is there, and a line that says so if it is not, so that a fresh machine can run the rest.
 *
 * @throws if a wanted browser is missing, with how to get it
 */
export function chooseBrowsers(wanted: readonly BrowserName[] | undefined): readonly BrowserName[] {
  if (process.env['HOLDFAST_NO_BROWSER'] === '1') {
    console.warn('*** HOLDFAST_NO_BROWSER=1: NOTHING IS TESTED IN A REAL BROWSER ***');
    return [];
  }
  const names = wanted ?? process.env['HOLDFAST_BROWSERS']?.split(',').map(browserName);
  if (names) {
    names.forEach(needBrowser);
    return names;
  }
  if (findBrowser('chromium') !== undefined) return ['chromium'];
  console.warn(`left out: the projects browser and page-life, since chromium is missing; ${howToGet('chromium')}`);
  return [];
}

function browserName(text: string): BrowserName {
  const name = text.trim();
  if (Object.hasOwn(PLACES, name)) return name as BrowserName;
  throw new Error(`HOLDFAST_BROWSERS may name ${Object.keys(PLACES).join(', ')}; got ${text}`);
}

function howToGet(name: BrowserName): string {
  const { variable, packages } = PLACES[name];
  return (
    `apt-get install -y --no-install-recommends ${packages}, or say where it is with ${variable} ` +
    '(HOLDFAST_NO_BROWSER=1 tests without real browsers)'
  );
}
