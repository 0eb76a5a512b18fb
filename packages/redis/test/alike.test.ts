// Do both stores give the same answers, whatever they are asked, in whatever order?
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { redisStore } from '@holdfast/redis';
import type { Lease, SessionStore, StoreNews } from '@holdfast/server';
import { createRandom } from '@holdfast/testing';
import { createMemoryStore } from '../../server/src/sessions/memory-store.ts';
import { opened } from '../../server/test/support/store-laws.ts';
import { later } from './support/later.ts';
import { startRedis, type RedisServer } from './support/redis-server.ts';

const SEQUENCES = 320;
const STEPS = 50;

/** Seeds that once found a difference. */
const SEEDS_THAT_FAILED: readonly number[] = [];

/** All ends of lives are 10 s or more away from each multiple of this, which is how time passes here. */
const HOP = 30_000;
const TTLS = [100_000, 200_000];
const NODES = ['node-a', 'node-b'];

let server: RedisServer;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  await client.connect();
  // Seats follow a touch a little later, and later still if Redis has to be told the script for it first.
  const store = redisStore({ client, prefix: 'first:' });
  const lease = await opened(store);
  await store.touch([lease], 1);
  await store.end(lease, 'ended', 1);
  await store.close();
});
afterAll(async () => {
  client?.destroy();
  await server?.dispose();
});

test(`${SEQUENCES} random lives`, { timeout: 120_000 }, async () => {
  const first = Math.floor(Math.random() * 1e9);
  for (let i = 0; i < SEQUENCES; i++) expect(await liveThrough(first + i)).toBeGreaterThan(0);
});

test('the seeds that failed once', async () => {
  expect(SEEDS_THAT_FAILED).toEqual([...new Set(SEEDS_THAT_FAILED)]);
  for (const seed of SEEDS_THAT_FAILED) expect(await liveThrough(seed)).toBeGreaterThan(0);
});

/** What a client and its node would know, so that most of what is asked makes sense. */
interface Knowledge {
  sid: string;
  /** As far as it has been told. */
  isDead: boolean;
  attempt: number;
  holder: number;
  committed: number;
  stored: number;
  tags: Map<number, number>;
  leases: Lease[];
}

const unborn = (sid: string): Knowledge => ({
  sid,
  isDead: true,
  attempt: 0,
  holder: 1,
  committed: 0,
  stored: 0,
  tags: new Map(),
  leases: [],
});

/** Answers how many questions both stores have been asked. */
async function liveThrough(seed: number): Promise<number> {
  const random = createRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const oneOf = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const near = (n: number) => Math.max(0, random() < 0.9 ? n : n + oneOf([-1, 1, 2]));

  let now = 0;
  const prefix = `seed-${seed}:`;
  const memory = createMemoryStore({ now: () => now });
  const redis = redisStore({ client, prefix });
  const heard = { memory: new Map<string, StoreNews[]>(), redis: new Map<string, StoreNews[]>() };
  const said: string[] = [];
  const lives = ['one', 'two', 'three'].map((name) => unborn(name));

  try {
    for (const node of NODES) {
      listen(memory, node, heard.memory);
      listen(redis, node, heard.redis);
      await vi.waitFor(async () => expect(await client.publish(`${prefix}n:${node}`, '')).toBe(1), { interval: 1 });
    }
    for (let step = 0; step < STEPS; step++) await oneStep();
    for (const node of NODES) {
      await client.publish(`${prefix}n:${node}`, 'yield - last');
      await vi.waitFor(() => expect(heard.redis.get(node)!.at(-1)?.sid).toBe('last'), { interval: 1 });
      heard.redis.get(node)!.pop();
      expect(heard.redis.get(node), `seed ${seed}: the news of ${node} after\n${said.join('\n')}`).toEqual(
        heard.memory.get(node),
      );
    }
  } finally {
    await redis.close();
  }
  return said.length;

  async function oneStep(): Promise<void> {
    const life = below(lives.length);
    const it = lives[life]!;
    const { sid } = it;
    const ttl = oneOf(TTLS);
    const bounds = { ttl, maxMessages: 4, maxBytes: 60, maxPerPrincipal: 2 };
    const lease = random() < 0.9 ? (it.leases.at(-1) ?? { sid, conn: 1 }) : (oneOf(it.leases) ?? { sid, conn: 3 });
    const request = {
      sid,
      tokenHash: random() < 0.95 ? 'a'.repeat(64) : 'b'.repeat(64),
      principal: sid.startsWith('three') === random() < 0.95 ? 'grace' : 'ada',
      attempt: near(it.attempt + 1),
      holders: oneOf([[it.holder], [it.holder], [it.holder, it.holder + 1], [it.holder - 1, it.holder - 1]]),
      node: oneOf(NODES),
    };
    switch (it.isDead && random() < 0.7 ? 0 : below(14)) {
      case 0: {
        if (it.isDead && random() < 0.8) Object.assign(it, unborn(`${sid.split('-')[0]}-${said.length}`));
        const bound = oneOf([1, 2, 2, 2]);
        const answer = await both('open', it, [
          { ...request, sid: it.sid },
          { ...bounds, maxPerPrincipal: bound },
        ]);
        if (answer !== 'limit') {
          Object.assign(it, unborn(it.sid), {
            isDead: false,
            attempt: request.attempt,
            holder: request.holders.at(-1)!,
            leases: [answer],
          });
        }
        return;
      }
      case 1:
      case 2: {
        const received = near(it.stored - below(3));
        const tag = random() < 0.95 ? (it.tags.get(received) ?? 0) : below(2 ** 32);
        const acked = Math.max(0, it.committed - below(3));
        const sent = near(it.committed + below(3));
        const force = random() < 0.3;
        const answer = await both('resume', it, [{ ...request, received, tag, acked, sent, force }, bounds]);
        it.isDead = answer.name === 'lost' && answer.reason !== 'unauthorized';
        if (answer.name === 'resumed') {
          it.attempt = request.attempt;
          it.holder = request.holders.at(-1)!;
          it.leases.push(answer.lease);
        }
        return;
      }
      case 3:
      case 4: {
        const from = near(it.committed + 1);
        await both('begin', it, [lease, from, near(from + below(2))]);
        return;
      }
      case 5:
      case 6: {
        const from = near(it.committed + 1);
        const to = near(from + below(2));
        if ((await both('commit', it, [lease, from, to])) === 'ok') it.committed = to;
        return;
      }
      case 7:
        await both('abandon', it, [lease]);
        return;
      case 8:
      case 9: {
        const data = oneOf(['', 'text', '漢 🪢', new Uint8Array([0, 255, 10]), 'x'.repeat(30)]);
        const tag = below(2 ** 32);
        const answer = await both('append', it, [sid, { tag, data }, data.length, bounds]);
        if (answer.name === 'stored') {
          it.stored = answer.seq;
          it.tags.set(answer.seq, tag);
        }
        return;
      }
      case 10: {
        const after = Math.max(0, near(it.stored) - below(4));
        const tag = oneOf([undefined, it.tags.get(after) ?? 0, it.tags.get(after) ?? 0, below(99)]);
        await both('read', it, [lease, after, 1 + below(5), tag]);
        return;
      }
      case 11:
        await both('acknowledge', it, [lease, Math.max(0, near(it.stored) - below(4))]);
        return;
      case 12: {
        const what = oneOf(['touch', 'touch', 'touch', 'release', 'end'] as const);
        if (what === 'touch') await both(what, it, [[lease, ...oneOf(lives).leases], ttl]);
        else if (what === 'release') await both(what, it, [lease, ttl]);
        else await both(what, it, [oneOf([lease, { sid }]), oneOf(['ended', 'limit'] as const), ttl]);
        return;
      }
      case 13: {
        const ms = HOP * (1 + below(oneOf([1, 1, 1, 1, 1, 5, 45])));
        said.push(`${ms} ms later`);
        now += ms;
        await later(client, prefix, ms);
        return;
      }
      default:
        throw new Error('no such step');
    }
  }

  async function both<Name extends 'open' | 'resume' | Step>(
    name: Name,
    it: Knowledge,
    args: Parameters<SessionStore[Name]>,
  ): Promise<Awaited<ReturnType<SessionStore[Name]>>> {
    type Call = (...args: Parameters<SessionStore[Name]>) => unknown;
    said.push(`${name} ${JSON.stringify(args)}`);
    const expected = await (memory[name] as Call)(...args);
    const answer = await (redis[name] as Call)(...args);
    said.push(`  ${JSON.stringify(expected)}`);
    expect(answer, `seed ${seed}:\n${said.join('\n')}`).toEqual(expected);
    if (expected === 'gone') it.isDead = true;
    return answer as Awaited<ReturnType<SessionStore[Name]>>;
  }
}

type Step = 'begin' | 'commit' | 'abandon' | 'append' | 'read' | 'acknowledge' | 'touch' | 'release' | 'end';

function listen(store: Pick<SessionStore, 'watch'>, node: string, heard: Map<string, StoreNews[]>): void {
  const news: StoreNews[] = [];
  heard.set(node, news);
  store.watch(node, (one) => news.push(one));
}
