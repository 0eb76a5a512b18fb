// Makes the pictures of the documents: `pnpm --filter holdfast-example-playground screenshots`.
//
// A little story each, so that there is something to see: a slow link, a killed server, a restart.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import sharp from 'sharp';
import { launchChromium } from '../../../bench/chromium.ts';
import { button, runPlayground, timelineSays } from './support.ts';

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
/** More than this no picture in a repository needs. */
const LARGEST = 200_000;

const SCREENS = [
  { name: 'phone', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
  { name: 'desktop', viewport: { width: 1280, height: 960 }, deviceScaleFactor: 1.5 },
] as const;

mkdirSync(folder, { recursive: true });
const playground = await runPlayground();
const browser = await launchChromium();
try {
  for (const { name, ...screen } of SCREENS) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ ...screen, colorScheme });
      await page.goto(playground.url);
      await tell(page, name === 'phone');
      const file = `playground-${name}-${colorScheme}.png`;
      const picture = await sharp(await page.screenshot())
        .png({ palette: true, compressionLevel: 9 })
        .toBuffer();
      writeFileSync(`${folder}${file}`, picture);
      await page.close();
      const { size } = statSync(`${folder}${file}`);
      console.log(`docs/images/${file}  ${Math.round(size / 1_000)} kB`);
      if (size > LARGEST) throw new Error(`${file} is larger than ${LARGEST / 1_000} kB`);
    }
  }
} finally {
  await browser.close();
  await playground.stop();
}

/** Here time itself is what is pictured, so it has to pass. */
async function tell(page: Page, isShort: boolean): Promise<void> {
  const factor = isShort ? 0.5 : 1;
  const pass = (seconds: number): Promise<void> => page.waitForTimeout(seconds * factor * 1_000);
  await timelineSays(page, 'open');
  await pass(14);
  await button(page, 'Delay').click();
  await pass(9);
  await button(page, 'Delay').click();
  await pass(6);
  await button(page, 'Kill').click();
  await pass(9);
  await button(page, 'Restart').click();
  await timelineSays(page, 'open');
  await pass(11);
  await page.evaluate(() => scrollTo(0, 0));
  await page.mouse.move(0, 0);
}
