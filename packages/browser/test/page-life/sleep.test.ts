// What does a page make of a gap in time: the device slept, and every process with it?

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ECHOED, createStage, until, type Stage } from './support.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.close());

/** Longer than any deadline of the heartbeat below, and than what counts as late. */
const NAP = 4_000;
const heartbeat = { ...ECHOED, interval: 500, timeout: 1_000 };

it('T6: a link that outlives a sleep is kept, though every deadline has passed', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/echo'), { heartbeat });
  await until(life, 'pong');
  await stage.chromium.sleep();
  await delay(NAP);
  stage.chromium.wakeUp();
  await expect.poll(async () => Math.max(...(await life.late())), { timeout: 10_000 }).toBeGreaterThan(NAP - 500);
  const before = (await life.told('pong')).length;
  await until(life, 'pong', before + 2);
  expect(await life.told('close')).toEqual([]);
  expect(await life.told('open')).toHaveLength(1);
});

it("T6, T52: a link that died in a sleep is noticed by the wall clock and found within the probe's timeout", async () => {
  const life = await stage.chromium.open();
  await life.start(stage.proxy.url('/echo'), { heartbeat });
  await until(life, 'pong');
  await stage.chromium.sleep();
  stage.proxy.blackhole();
  stage.proxy.pass(); // for new links: the old one stays dead
  await delay(NAP);
  const wokenAt = Date.now();
  stage.chromium.wakeUp();
  const closed = await until(life, 'close');
  expect(closed.detail).toBe(1006);
  expect(closed.at - wokenAt).toBeLessThan(heartbeat.timeout + 1_500); // waking up takes a moment too
  await until(life, 'open', 2);
});
