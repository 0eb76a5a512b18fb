// Does the store on Redis keep the laws?
import { createClient } from '@redis/client';
import { afterAll, beforeAll } from 'vitest';
import { redisStore } from '@holdfast/redis';
import { storeLaws } from '../../server/test/support/store-laws.ts';
import { later } from './support/later.ts';
import { startRedis, type RedisServer } from './support/redis-server.ts';

let server: RedisServer;
let client: ReturnType<typeof createClient>;
let worlds = 0;

beforeAll(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  await client.connect();
});
afterAll(async () => {
  client?.destroy();
  await server?.dispose();
});

storeLaws('the store on Redis', () => {
  const prefix = `world-${worlds++}:`;
  const store = redisStore({ url: server.url, prefix });
  const elsewhere = redisStore({ client, prefix });
  return {
    store,
    elsewhere,
    advance: (ms) => later(client, prefix, ms),
    close: async () => {
      await store.close();
      await elsewhere.close();
    },
  };
});
