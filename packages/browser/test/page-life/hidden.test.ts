// Does a tab that is hidden keep its link, and what does one learn that is shown again?

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ECHOED, createStage, until, type Stage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

it('T7: a hidden tab whose timers run once a second keeps a healthy link', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/first'), { heartbeat: { ...ECHOED, interval: 300, timeout: 200 } });
  const link = await stage.server.connection('/first');
  await life.hide();
  await until(life, 'hidden');
  // nearly a second late, five times: so it was throttled, and every deadline of the heartbeat with it
  await expect
    .poll(async () => (await life.late()).filter((ms) => ms > 700).length, { timeout: 15_000 })
    .toBeGreaterThanOrEqual(5);
  expect(link.messages.length).toBeGreaterThanOrEqual(4);
  expect(await life.told('close')).toEqual([]);
  expect(stage.server.connections.size).toBe(1);
});

it('T7: a page that is shown again asks for one sign of life, and stays', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/second'), { heartbeat: ECHOED });
  const link = await stage.server.connection('/second');
  await life.hide();
  await until(life, 'hidden');
  expect(link.messages).toEqual([]);
  await life.show();
  const shown = await until(life, 'visible');
  const answered = await until(life, 'pong');
  expect(answered.at - shown.at).toBeLessThan(1_000);
  expect(link.messages).toEqual(['ping']);
  expect(await life.told('close')).toEqual([]);
});

it("T7: a page that is shown again learns of a dead link within the probe's timeout", async () => {
  const life = await stage.chromium.open();
  await life.start(stage.proxy.url('/echo'), { heartbeat: { ...ECHOED, timeout: 1_000 } });
  await life.hide();
  await until(life, 'hidden');
  stage.proxy.blackhole();
  stage.proxy.pass(); // for new links: the old one stays dead
  await life.show();
  const shown = await until(life, 'visible');
  const closed = await until(life, 'close');
  expect(closed.detail).toBe(1006);
  expect(closed.at - shown.at).toBeGreaterThanOrEqual(950);
  expect(closed.at - shown.at).toBeLessThan(2_000);
  await until(life, 'open', 2); // and is back, on a new link
});
