// What does a page do with a link that has fallen silent?

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ECHOED, createStage, until, type Stage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

it('T1: a silent link is left within interval and timeout, though Chromium would hold it for a minute', async () => {
  const life = await stage.chromium.open();
  const reconnect = { initialDelay: 50, jitter: 'none' } as const;
  await life.start(stage.proxy.url('/echo'), { heartbeat: { ...ECHOED, interval: 300, timeout: 300 }, reconnect });
  await until(life, 'pong');
  const silentAt = Date.now();
  stage.proxy.blackhole();
  stage.proxy.pass(); // for new links: the old one stays silent
  const closed = await until(life, 'close');
  expect(closed.at - silentAt).toBeLessThan(1_500);
  const opened = await until(life, 'open', 2);
  expect(opened.at - closed.at).toBeLessThan(3_000);
});

it('T27: close() on a silent link resolves within closeTimeout', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.proxy.url('/echo'), { closeTimeout: 500 });
  stage.proxy.blackhole();
  const took = await life.page.evaluate(async () => {
    const began = performance.now();
    await inPage.client!.close();
    return performance.now() - began;
  });
  expect(took).toBeGreaterThanOrEqual(450);
  expect(took).toBeLessThan(1_500);
});
