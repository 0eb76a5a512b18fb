// Is the trap still there that T27 is about? If not, a comment or two in the adapter is out of date.

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createStage, until, type Stage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

it("T27: Chromium's own close of a silent link takes a minute", { timeout: 120_000 }, async () => {
  const life = await stage.chromium.open();
  await life.page.evaluate((url) => inPage.startBare(url), stage.proxy.url('/echo'));
  stage.proxy.blackhole();
  const began = Date.now();
  await life.page.evaluate(() => inPage.bare!.close());
  await expect.poll(async () => (await life.told('bare close')).length, { timeout: 100_000, interval: 1_000 }).toBe(1);
  const closed = await until(life, 'bare close');
  expect(closed.at - began).toBeGreaterThan(50_000);
});
