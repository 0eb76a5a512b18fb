// What becomes of sessions when Redis goes away, forgets, or goes back in time? On a redis-server that is killed for it.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { redisStore } from '@holdfast/redis';
import type { StoreNews } from '@holdfast/server';
import {
  BOUNDS,
  TTL,
  append,
  claim,
  opened,
  reasonOf,
  request,
  resumed,
} from '../../server/test/support/store-laws.ts';
import { startRedis, type RedisServerOptions } from './support/redis-server.ts';

/** A connection that was lost is dialled again within about a second. */
const PATIENCE = { timeout: 10_000, interval: 20 };

async function redis(options?: RedisServerOptions, timeout = 5_000) {
  const server = await startRedis(options);
  const store = redisStore({ url: server.url, timeout });
  const client = createClient({ url: server.url });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(async () => {
    await store.close();
    client.destroy();
    await server.dispose();
  });
  return { server, store, client };
}

describe('Redis goes back in time', () => {
  /** What there is now is what there will be after `back()`. */
  async function snapshot({ server, client }: Awaited<ReturnType<typeof redis>>) {
    await client.sendCommand(['SAVE']);
    const [file, copy] = [join(server.folder, 'dump.rdb'), join(server.folder, 'earlier.rdb')];
    await copyFile(file, copy);
    return async () => {
      await server.kill();
      await copyFile(copy, file);
      await server.start();
    };
  }

  test('a client that has more than Redis knows of is told: regressed', async () => {
    const all = await redis();
    const { store } = all;
    const lease = await opened(store);
    await append(store, 'a', 'one', 11);
    const back = await snapshot(all);
    await append(store, 'b', 'one', 12);
    await store.acknowledge(lease, 2);
    await back();
    await vi.waitFor(async () => {
      expect(await reasonOf(store, { received: 2, tag: 12 })).toBe('regressed');
    }, PATIENCE);
  });

  test('also if the lost numbers have been given to other messages since', async () => {
    const all = await redis();
    const { store } = all;
    await opened(store);
    const back = await snapshot(all);
    await append(store, 'a', 'one', 11);
    await back();
    await vi.waitFor(async () => expect(await append(store, 'A', 'one', 21)).toMatchObject({ seq: 1 }), PATIENCE);
    await append(store, 'B', 'one', 22);
    expect(await reasonOf(store, { received: 1, tag: 11 })).toBe('regressed');
  });

  test('also while its socket lives, and no node has noticed anything', async () => {
    const all = await redis();
    const { store } = all;
    const lease = await opened(store);
    const back = await snapshot(all);
    await append(store, 'a', 'one', 11);
    expect(await store.read(lease, 0, 10, 0)).toHaveLength(1);
    await back();
    await vi.waitFor(async () => expect(await append(store, 'A', 'one', 21)).toMatchObject({ seq: 1 }), PATIENCE);
    await append(store, 'B', 'one', 22);
    // without the tag this would be B alone, after which nobody could tell that A was lost
    expect(await store.read(lease, 1, 10, 11)).toBe('gone');
    expect(await reasonOf(store)).toBe('regressed');
  });

  test('a client whose acknowledged messages are not committed any more is told: regressed', async () => {
    const all = await redis();
    const { store } = all;
    const lease = await opened(store);
    const back = await snapshot(all);
    await store.commit(lease, 1, 3);
    await back();
    await vi.waitFor(async () => {
      expect(await store.commit(lease, 4, 4)).toBe('gap');
      expect(await reasonOf(store, { acked: 3, sent: 3 })).toBe('regressed');
    }, PATIENCE);
  });

  test('a client whose session is not there any more is told: unknown', async () => {
    const all = await redis();
    const { store } = all;
    const back = await snapshot(all);
    const lease = await opened(store);
    await back();
    await vi.waitFor(async () => expect(await reasonOf(store)).toBe('unknown'), PATIENCE);
    expect(await store.touch([lease], TTL)).toEqual(['gone']);
  });
});

describe('Redis forgets', () => {
  test('a stream that was evicted is noticed by whatever looks at it, and ends the session', async () => {
    const { store, client } = await redis();
    const looks = {
      resume: (sid: string) => reasonOf(store, { sid, principal: sid }),
      read: (sid: string) => store.read({ sid, conn: 1 }, 0, 10),
      acknowledge: (sid: string) => store.acknowledge({ sid, conn: 1 }, 1),
    };
    for (const [sid, look] of Object.entries(looks)) {
      await opened(store, { sid, principal: sid });
      await append(store, 'a', sid);
      await append(store, 'b', sid);
      await client.del(`holdfast:o:{${sid}}`);
      await append(store, 'c', sid);
      expect([sid, await look(sid)]).toEqual([sid, sid === 'resume' ? 'regressed' : 'gone']);
      expect(await reasonOf(store, { sid, principal: sid })).toBe('regressed');
    }
  });

  test('after FLUSHALL every session is unknown, and the same principal can open new ones', async () => {
    const { store, client } = await redis();
    const lease = await opened(store);
    await client.flushAll();
    expect(await reasonOf(store)).toBe('unknown');
    expect(await append(store, 'x')).toEqual({ name: 'gone' });
    expect(await store.commit(lease, 1, 1)).toBe('gone');
    await opened(store, { sid: 'two' });
  });

  test('scripts that Redis has forgotten are told again, and a burst keeps its order meanwhile', async () => {
    const { store, client } = await redis();
    const lease = await opened(store);
    const wide = { ...BOUNDS, maxMessages: 10_000, maxBytes: 1_000_000 };
    const told: Promise<unknown>[] = [];
    for (let i = 0; i < 400; i++) {
      told.push((async () => store.append('one', { tag: i, data: String(i) }, 3, wide))());
      if (i % 40 === 0) await client.scriptFlush();
    }
    await Promise.all(told);
    const entries = await store.read(lease, 0, 1_000, 0);
    expect(entries).toEqual(told.map((_, i) => ({ seq: i + 1, tag: i, data: String(i) })));
  });

  test('however many messages wait for a Redis that does not answer, none waits for longer than the timeout', async () => {
    const { server, store } = await redis({}, 300);
    await opened(store);
    await append(store, 'known');
    server.freeze();
    onTestFinished(() => server.thaw());
    const began = performance.now();
    const wide = { ...BOUNDS, maxMessages: 10_000, maxBytes: 2 ** 20 };
    const all = Array.from({ length: 1_000 }, async (_, tag) => store.append('one', { tag, data: 'x' }, 1, wide));
    const told = await Promise.allSettled(all);
    expect(told.filter(({ status }) => status === 'rejected')).toHaveLength(1_000);
    expect(performance.now() - began).toBeLessThan(2 * 300);
  });

  test('a lost count of a principal’s sessions is right again after the next resume', async () => {
    const { store, client } = await redis();
    await opened(store);
    const [seats] = await client.keys('holdfast:p:*');
    await client.del(seats!);
    await resumed(store, { attempt: 2 });
    await vi.waitFor(async () => expect(await client.exists(seats!)).toBe(1));
    expect(await store.open(request({ sid: 'two' }), { ...BOUNDS, maxPerPrincipal: 1 })).toBe('limit');
  });
});

describe('Redis is away', () => {
  test('what is asked meanwhile is refused at once; afterwards sessions go on, and news are heard again', async () => {
    const { server, store } = await redis({ appendonly: true });
    const lease = await opened(store);
    const news: StoreNews[] = [];
    store.watch('node-a', (one) => news.push(one));
    await append(store, 'a', 'one', 11);
    await server.kill();
    await expect(store.touch([lease], TTL)).rejects.toThrow(/socket|offline|ECONN/i);

    const asked = performance.now();
    const refused = await Promise.allSettled([
      store.open(request({ sid: 'two' }), BOUNDS),
      store.resume(claim({ attempt: 2 }), BOUNDS),
      store.begin(lease, 1, 1),
      store.commit(lease, 1, 1),
      store.abandon(lease),
      append(store, 'b'),
      store.read(lease, 0, 10),
      store.acknowledge(lease, 1),
      store.touch([lease], TTL),
      store.release(lease, TTL),
      store.end(lease, 'ended', TTL),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 'rejected'));
    expect(performance.now() - asked).toBeLessThan(1_000);

    await server.start();
    await vi.waitFor(async () => expect(await store.touch([lease], TTL)).toEqual(['ok']), PATIENCE);
    expect(await store.read(lease, 0, 10, 0)).toEqual([{ seq: 1, tag: 11, data: 'a' }]);
    await resumed(store, { attempt: 2, received: 1, tag: 11 });
    news.length = 0;
    await vi.waitFor(async () => {
      await store.append('one', { tag: 1, data: '' }, 0, { ...BOUNDS, maxMessages: 10_000 });
      expect(news[0]).toMatchObject({ name: 'appended', sid: 'one' });
    }, PATIENCE);
  });

  test('a Redis that has stopped in its tracks is waited for no longer than the timeout', async () => {
    const { server, store } = await redis({}, 200);
    const lease = await opened(store);
    server.freeze();
    await expect(store.begin(lease, 1, 1)).rejects.toThrow('Redis has not answered within 200 ms');
    await expect(append(store, 'x')).rejects.toThrow('Redis has not answered within 200 ms');
    server.thaw();
    await vi.waitFor(async () => expect(await store.touch([lease], TTL)).toEqual(['ok']), PATIENCE);
  });

  test('a loop that was blocked is not taken for a Redis that does not answer', async () => {
    const { store } = await redis({}, 200);
    const lease = await opened(store);
    const answer = store.begin(lease, 1, 1);
    await new Promise(setImmediate); // it is written now
    for (const until = performance.now() + 300; performance.now() < until;);
    await expect(answer).resolves.toBe('ok');
  });

  test('a Redis that is not there yet is waited for within the timeout, and found when it comes', async () => {
    const { server } = await redis();
    await server.stop();
    const early = redisStore({ url: server.url, timeout: 200 });
    onTestFinished(async () => early.close());
    await expect(opened(early)).rejects.toThrow('Redis has not answered within 200 ms');
    await server.start();
    await vi.waitFor(() => opened(early), PATIENCE);
  });

  test('close refuses what is asked afterwards, and leaves a client that it was given alone', async () => {
    const { store, client } = await redis();
    const guest = redisStore({ client });
    const lease = await opened(guest);
    guest.watch('node-a', () => {});
    await guest.close();
    expect(await client.ping()).toBe('PONG');
    await store.close();
    await expect(store.touch([lease], TTL)).rejects.toThrow('The client is closed');
  });
});

test('a Redis that is full stores nothing more, while what makes room and keeps order goes on', async () => {
  const { store, client } = await redis();
  const lease = await opened(store);
  await append(store, 'a', 'one', 11);
  await client.configSet('maxmemory', '1');
  await expect(append(store, 'b')).rejects.toThrow('OOM');
  await expect(opened(store, { sid: 'two' })).rejects.toThrow('OOM');
  expect(await store.begin(lease, 1, 1)).toBe('ok');
  expect(await store.commit(lease, 1, 1)).toBe('ok');
  expect(await store.read(lease, 0, 10, 0)).toEqual([{ seq: 1, tag: 11, data: 'a' }]);
  expect(await store.acknowledge(lease, 1)).toBe('ok');
  expect(await store.touch([lease], TTL)).toEqual(['ok']);
  const next = await resumed(store, { attempt: 2, received: 1, tag: 11, sent: 1 });
  expect(await store.end(next, 'ended', TTL)).toMatchObject({ standing: 'ok' });
  await client.configSet('maxmemory', '0');
  expect(await reasonOf(store)).toBe('ended');
  await opened(store, { sid: 'two' });
});
