// How is a real browser started, here and in the examples' tests?

import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright';

/** Debian's by default; playwright downloads none. */
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** @throws where there is no browser: a promise that needs one is not skipped in silence */
export function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`no browser at ${CHROMIUM}: install Chromium, or set CHROMIUM_PATH`);
  return chromium.launch({
    executablePath: CHROMIUM,
    // no sandbox, since containers and CI run as root; the rest keeps it from talking to its makers
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
