// How is a real browser started, here and in the examples' tests?

import { chromium, type Browser } from 'playwright';
import { CHROMIUM_FLAGS, needBrowser } from '../tools/browsers/find.ts';

/** @throws where there is none: a promise that needs a browser is not skipped in silence */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: needBrowser('chromium'), args: [...CHROMIUM_FLAGS] });
}
