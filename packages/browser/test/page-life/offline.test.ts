// What does a page make of a network that goes away, and of one that comes back?

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ECHOED, LONG_WAIT, createStage, until, type Stage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

// Chromium's emulation leaves open sockets open and stops their data both ways: a half-open link.
it("T48: going offline is a doubt that ends a dead link within the probe's timeout; online dials at once", async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/echo'), {
    heartbeat: { ...ECHOED, timeout: 1_000 },
    reconnect: { ...LONG_WAIT, stableAfter: 60_000 },
  });
  await life.page.setOfflineMode(true);
  const lost = await until(life, 'offline');
  const closed = await until(life, 'close');
  expect(closed.at - lost.at).toBeGreaterThanOrEqual(950);
  expect(closed.at - lost.at).toBeLessThan(2_000);

  await life.page.setOfflineMode(false);
  const found = await until(life, 'online');
  const opened = await until(life, 'open', 2);
  expect(opened.at - found.at).toBeLessThan(1_500); // the backoff alone would be a minute
});

it('T48: a moment offline that harms nothing ends nothing', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/moment'), { heartbeat: ECHOED });
  const link = await stage.server.connection('/moment');
  await life.page.setOfflineMode(true);
  await until(life, 'offline');
  await life.page.setOfflineMode(false);
  await until(life, 'pong');
  expect(link.messages[0]).toBe('ping');
  expect(await life.told('close')).toEqual([]);
});

it('T48: a change of network asks for a sign of life, and a healthy link stays', async () => {
  const life = await stage.chromium.open();
  await life.start(stage.server.url('/moved'), { heartbeat: ECHOED });
  const link = await stage.server.connection('/moved');
  await life.cdp.send('Network.enable');
  await life.cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 300, // of requests; a WebSocket does not feel it
    downloadThroughput: 100_000,
    uploadThroughput: 100_000,
    connectionType: 'cellular4g',
  });
  await until(life, 'change of network');
  await until(life, 'pong');
  expect(link.messages[0]).toBe('ping');
  expect(await life.told('close')).toEqual([]);
});
