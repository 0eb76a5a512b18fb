// Does a tab that has been hidden for minutes keep its link?

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ECHOED, createStage, until, type Stage } from './support.ts';

const MINUTE = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await createStage(['--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/5']);
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

it(
  'T7: three hidden minutes with timers at once a minute: the server sees one connection, and one probe on show',
  { timeout: 6 * MINUTE },
  async () => {
    const life = await stage.chromium.open();
    const { interval, timeout, ...words } = { ...ECHOED, interval: 30_000, timeout: 10_000 }; // the defaults
    await life.start(stage.server.url('/echo'), { heartbeat: { ...words, interval, timeout } });
    const link = await stage.server.connection();
    await life.hide();
    const hidden = await until(life, 'hidden');
    await expect
      .poll(() => life.page.evaluate(() => Date.now()), { timeout: 4 * MINUTE, interval: 5_000 })
      .toBeGreaterThanOrEqual(hidden.at + 3 * MINUTE);
    const minutes = (await life.late()).filter((ms) => ms > 50_000);
    expect(minutes.length, 'its timers did run once a minute').toBeGreaterThanOrEqual(2);

    // a ping that was answered within the last second would do for the page that is shown, so not just after one
    await expect
      .poll(async () => (await life.page.evaluate(() => Date.now())) - (await life.told('pong')).at(-1)!.at, {
        timeout: 15_000,
      })
      .toBeGreaterThanOrEqual(2_000);
    const pings = link.messages.length;
    expect(pings).toBeGreaterThanOrEqual(2); // it went on asking, when it could
    const answers = (await life.told('pong')).length;
    await life.show();
    const shown = await until(life, 'visible');
    const answered = await until(life, 'pong', answers + 1);
    expect(answered.at - shown.at).toBeLessThan(1_000);
    expect(link.messages.length - pings).toBe(1);

    expect(await life.told('close')).toEqual([]);
    expect(await life.told('open')).toHaveLength(1);
    expect(stage.server.connections.size).toBe(1);
  },
);
