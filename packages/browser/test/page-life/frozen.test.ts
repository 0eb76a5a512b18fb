// What comes of a link when Chromium freezes its page, or keeps it in the back/forward cache?

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ECHOED, LONG_WAIT, createStage, names, until, type Stage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

const isAlive = (name: string): boolean => name === 'pong' || name === 'open';

// Chromium 150 leaves the socket of a page that is frozen for a moment alone, and it answers; 156 takes it away, and the
// next one opens.
it('a page that was frozen has a link that works soon after it is shown', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/echo'), { heartbeat: ECHOED, reconnect: LONG_WAIT });
  await life.hide();
  await until(life, 'hidden');
  await life.cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  await until(life, 'freeze');
  await life.cdp.send('Page.setWebLifecycleState', { state: 'active' });
  const thawed = await until(life, 'resume');
  await life.show();
  const shown = await until(life, 'visible');
  const alive = async () => (await life.told()).find(({ name, at }) => isAlive(name) && at >= thawed.at);
  await expect.poll(alive, { timeout: 15_000 }).toBeDefined();
  expect((await alive())!.at - shown.at).toBeLessThan(1_500); // the backoff alone would be a minute
  await expect.poll(() => stage.server.connections.size).toBe(1);
});

it('T29: a page with a client goes into the back/forward cache, and redials at once when it comes out', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/echo'), { heartbeat: ECHOED, reconnect: LONG_WAIT });
  await life.leave();
  await life.back();
  const shown = await until(life, 'pageshow', 2); // the first is that of the load
  expect(shown.detail, 'it is the page that was left, not a new one').toBe(true);
  expect((await until(life, 'pagehide')).detail).toBe(true);
  const opened = await until(life, 'open', 2);
  expect(opened.at - shown.at).toBeLessThan(1_500); // the backoff alone would be a minute
  await expect.poll(() => stage.server.connections.size, { timeout: 5_000 }).toBe(1); // no duplicate
  expect((await names(life)).filter((name) => name === 'open' || name === 'close')).toEqual(['open', 'close', 'open']);
});
