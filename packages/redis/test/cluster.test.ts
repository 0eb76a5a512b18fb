// Does the store keep the laws on a Redis Cluster? Three nodes, with a third of the slots each.
import { createClient, createCluster } from '@redis/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { redisStore } from '@holdfast/redis';
import { opened, storeLaws } from '../../server/test/support/store-laws.ts';
import { later } from './support/later.ts';
import { freePort, startRedis, type RedisServer } from './support/redis-server.ts';

const SLOTS = 16_384;

let servers: RedisServer[] = [];
let clients: Awaited<ReturnType<typeof connect>>[] = [];
let cluster: ReturnType<typeof createCluster>;
let worlds = 0;

const connect = async ({ url }: RedisServer) => {
  const client = createClient({ url });
  await client.connect();
  return client;
};

beforeAll(async () => {
  const buses = await Promise.all([freePort(), freePort(), freePort()]);
  servers = await Promise.all(
    buses.map((bus) => startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(bus)] })),
  );
  clients = await Promise.all(servers.map(connect));
  for (const [i, client] of clients.entries()) {
    const share = [Math.floor((SLOTS * i) / 3), Math.floor((SLOTS * (i + 1)) / 3) - 1].map(String);
    await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', ...share]);
    await client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(servers[0]!.port), String(buses[0])]);
  }
  await vi.waitFor(
    async () => {
      for (const client of clients) {
        const info = String(await client.sendCommand(['CLUSTER', 'INFO']));
        if (!/cluster_state:ok[^]*cluster_size:3/.test(info)) throw new Error(`no cluster yet:\n${info}`);
      }
    },
    { timeout: 30_000, interval: 50 },
  );
  cluster = createCluster({ rootNodes: [{ url: servers[0]!.url }], defaults: { disableOfflineQueue: true } });
  cluster.on('error', () => {});
  await cluster.connect();
}, 60_000);

afterAll(async () => {
  cluster?.destroy();
  for (const client of clients) client.destroy();
  await Promise.all(servers.map((server) => server.dispose()));
});

storeLaws('the store on a Redis Cluster', () => {
  const prefix = `world-${worlds++}:`;
  const store = redisStore({ client: cluster, prefix });
  return {
    store,
    elsewhere: store,
    advance: async (ms) => {
      for (const client of clients) await later(client, prefix, ms);
    },
    close: () => store.close(),
  };
});

describe('the keys', () => {
  test('of one session are in one slot, and sessions are spread', async () => {
    const store = redisStore({ client: cluster, prefix: 'slots:' });
    const slots = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const sid = `session-${i}_`;
      const lease = await opened(store, { sid, principal: sid });
      await store.append(sid, { tag: 1, data: 'x' }, 1, { ttl: 1, maxMessages: 9, maxBytes: 9, maxPerPrincipal: 9 });
      const keys = (await Promise.all(clients.map((client) => client.keys(`slots:*{${sid}}`)))).flat();
      expect(keys.sort()).toEqual([`slots:o:{${sid}}`, `slots:s:{${sid}}`]);
      await store.end(lease, 'ended', 1_000_000);
      keys.push(...(await Promise.all(clients.map((client) => client.keys(`slots:*{${sid}}`)))).flat());
      expect(keys).toContain(`slots:t:{${sid}}`);
      const slotsOfOne = await Promise.all(keys.map((key) => clients[0]!.sendCommand(['CLUSTER', 'KEYSLOT', key])));
      expect(new Set(slotsOfOne).size).toBe(1);
      slots.add(Number(slotsOfOne[0]));
    }
    expect(slots.size).toBeGreaterThan(10);
  });
});
