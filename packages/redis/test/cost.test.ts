// What does a session cost Redis? The README says it; this counts it.
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisStore } from '@holdfast/redis';
import type { Lease, SessionStore } from '@holdfast/server';
import { TTL, claim, opened, request } from '../../server/test/support/store-laws.ts';
import { startRedis, type RedisServer } from './support/redis-server.ts';

const BOUNDS = { ttl: TTL, maxMessages: 10_000, maxBytes: 2 ** 20, maxPerPrincipal: 10_000 };

let server: RedisServer;
let client: ReturnType<typeof createClient>;
let store: SessionStore;
let lease: Lease;

beforeAll(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  await client.connect();
  store = redisStore({ client });
  lease = await opened(store, {}, BOUNDS);
});
afterAll(async () => {
  await store?.close();
  client?.destroy();
  await server?.dispose();
});

/** Commands that Redis was sent; what scripts call in turn is not sent. */
async function commandsOf(work: () => unknown): Promise<number> {
  await client.configResetStat();
  await work();
  // seats follow on the same connection, and again if Redis does not know their script yet
  for (let i = 0; i < 3; i++) await client.ping();
  const stats = await client.info('commandstats');
  return [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+).*?rejected_calls=\d+,failed_calls=(\d+)/gm)]
    .map(([, calls, failed]) => Number(calls) - Number(failed))
    .reduce((sum, calls) => sum + calls, 0);
}

test('a message costs two commands on its way in, and at most three on its way out', async () => {
  let seq = 0;
  expect(
    await commandsOf(async () => {
      await store.begin(lease, 1, 1);
      await store.commit(lease, 1, 1);
    }),
  ).toBe(2);
  expect(
    await commandsOf(async () => {
      const stored = await store.append('one', { tag: 1, data: 'x' }, 1, BOUNDS);
      seq = stored.name === 'stored' ? stored.seq : 0;
      await store.read(lease, seq - 1, 10, 0);
      await store.acknowledge(lease, seq);
    }),
  ).toBe(3);
  expect(seq).toBe(1);
});

test('messages that come while one is on its way go together, a hundred at most', async () => {
  const burst = () =>
    Promise.all(Array.from({ length: 301 }, async (_, i) => store.append('one', { tag: i, data: 'x' }, 1, BOUNDS)));
  expect(await commandsOf(burst)).toBe(1 + 3);
});

test('a touch costs one command for each session, and one for each principal; what was missed costs a read each', async () => {
  const leases = [lease];
  for (let i = 0; i < 9; i++) leases.push(await opened(store, { sid: `more-${i}` }, BOUNDS));
  expect(await commandsOf(() => store.touch(leases, TTL))).toBe(10 + 1);
  expect(await commandsOf(() => Promise.all(leases.map(async (each) => store.read(each, 0, 100, 0))))).toBe(10);
});

test('opening, resuming, releasing and ending cost two each', async () => {
  expect(await commandsOf(() => store.open(request({ sid: 'two' }), BOUNDS))).toBe(2);
  expect(await commandsOf(() => store.resume(claim({ sid: 'two', attempt: 2 }), BOUNDS))).toBe(2);
  expect(await commandsOf(() => store.release({ sid: 'two', conn: 2 }, TTL))).toBe(2);
  expect(await commandsOf(() => store.end({ sid: 'two' }, 'ended', TTL))).toBe(2);
});

test('an idle session takes less than a kilobyte, also after messages', async () => {
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1]);
  const sids = Array.from({ length: 1_000 }, (_, i) => `session-${String(i).padStart(14, '0')}`);
  const before = await used();
  await Promise.all(
    sids.map(async (sid, i) => {
      await opened(store, { sid, principal: `user-${i}` }, BOUNDS);
      await store.append(sid, { tag: 1, data: 'x'.repeat(1_000) }, 1_000, BOUNDS);
      await store.acknowledge({ sid, conn: 1 }, 1);
    }),
  );
  expect(((await used()) - before) / sids.length).toBeLessThan(1_000);
});
