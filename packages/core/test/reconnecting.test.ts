import { describe, expect, it } from 'vitest';
import { StopReconnecting, createClient, type CloseEvent, type DialContext } from '@holdfast/core';
import { createRandom, createWorld, type World } from '@holdfast/testing';
import { deadlineOf, transition } from '../src/machine.ts';
import { readOptions } from '../src/options.ts';
import { liveOf, newClient, newWorld, openClient } from './support/worlds.ts';
import type { Input, Policy, State } from '../src/states.ts';

const dials = (world: World): number => world.server.connections.length;
const STABLE = 5_000;

/** The longest that each wait could have been, told by the delays that a random source of nearly 1 gives. */
const most = (closes: readonly CloseEvent[]): number[] => closes.map(({ delay }) => Math.round(delay ?? NaN));
const unlucky = (world: World) => ({ ...world.adapter(), random: () => 1 - Number.EPSILON });

describe('redialling', () => {
  it('T17: a server that opens and closes after 20 ms is dialled ever more seldom', async () => {
    const world = newWorld();
    world.server.onOpen = (connection) => void Promise.resolve().then(() => connection.close(1011));
    const { told } = newClient(world, { adapter: unlucky(world) });
    await world.run(200_000);
    expect(most(told.closes).slice(0, 7)).toEqual([2_500, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
  });

  it('T18: failures are forgotten once a connection has lasted for 5 s', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { client, told } = newClient(world, { adapter: unlucky(world) });
    await world.run(30_000);
    expect(most(told.closes)).toEqual([2_500, 5_000, 10_000, 20_000]);
    world.server.reception = { name: 'open' };
    await world.runUntil(() => client.status === 'open');
    await world.run(STABLE - 1);
    world.server.last.cut();
    await world.run(0);
    expect(most(told.closes).at(-1)).toBe(30_000);
    await world.runUntil(() => client.status === 'open');
    await world.run(STABLE + 1);
    world.server.last.cut();
    await world.run(0);
    expect(most(told.closes).at(-1)).toBe(2_500);
  });

  it('T18: 10 000 attempts in a row neither overflow nor pass the cap', async () => {
    const world = newWorld({ latency: 0 });
    world.server.reception = { name: 'refused' };
    const { told } = newClient(world);
    await world.runUntil(() => told.closes.length === 10_000, 1e9);
    for (const { delay } of told.closes) if (!(delay! >= 0 && delay! <= 30_000)) throw new Error(String(delay));
    const mean = told.closes.slice(10).reduce((sum, { delay }) => sum + delay!, 0) / 9_990;
    expect(mean).toBeGreaterThan(14_500);
    expect(mean).toBeLessThan(15_500);
  }, 30_000);

  it('T19: randomness is drawn for each attempt, the first included', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { told } = newClient(world, { reconnect: { factor: 1, maxDelay: 2_500 } });
    await world.run(60_000);
    const delays = told.closes.map(({ delay }) => delay);
    expect(delays.length).toBeGreaterThan(20);
    expect(new Set(delays).size).toBe(delays.length);
  });

  it('T1: after the verdict of a heartbeat on a stable socket the first dial is immediate, the second is not', async () => {
    const world = newWorld();
    const { told } = await openClient(world, { heartbeat: { expectReply: true } });
    world.server.last.silence();
    world.server.reception = { name: 'refused' };
    await world.runUntil(() => told.closes.length === 2);
    expect(told.closes[0]).toMatchObject({ delay: 0 });
    expect(world.server.last.dialledAt).toBe(world.now - 5);
    expect(told.closes[1]!.delay).toBeGreaterThan(0);
  });

  it('a heartbeat that kills a socket which never lasted does not dial at once', async () => {
    const world = newWorld();
    const { told } = await openClient(world, { heartbeat: { interval: 100, timeout: 100, expectReply: true } });
    world.server.last.silence();
    await world.runUntil(() => told.closes.length === 1);
    expect(told.closes[0]!.delay).toBeGreaterThan(0);
  });

  it('T20: 1000 and 1001 from the server are not the end', async () => {
    for (const code of [1000, 1001, 1012, 1013]) {
      const world = newWorld();
      const { client, told } = await openClient(world);
      world.server.last.close(code, 'bye');
      await world.run(3_000);
      expect(client.status).toBe('open');
      expect(told.closes).toMatchObject([{ code, reason: 'bye', wasClean: true, asked: false, willReconnect: true }]);
    }
  });

  it.each([1008, 4401, 4403, 4400, 4404])('T20: %i is the end, with a reason', async (code) => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    world.server.last.close(code, 'no');
    await world.run(60_000);
    expect(client.status).toBe('closed');
    expect(told.ends).toEqual(['refused']);
    expect(told.closes).toMatchObject([{ code, willReconnect: false, delay: undefined }]);
    expect(dials(world)).toBe(1);
    expect(world.timers).toBe(0);
  });

  it('T21: 4401 asks the provider once more, and that dial carries the new token; a second in a row ends', async () => {
    const world = newWorld();
    const asked: DialContext[] = [];
    const url = (context: DialContext): string => `ws://world.test/?token=${asked.push(context)}`;
    const { told } = await openClient(world, { url });
    await world.run(STABLE);
    world.server.last.close(4401, 'expired');
    await world.runUntil(() => told.opens.length === 2);
    expect(world.server.last.request.url).toBe('ws://world.test/?token=2');
    expect(asked).toMatchObject([{ attempt: 0 }, { attempt: 1, lastClose: { code: 4401, reason: 'expired' } }]);
    world.server.last.close(4401, 'still');
    await world.run(60_000);
    expect(told.ends).toEqual(['refused']);
    expect(dials(world)).toBe(2);
  });

  it('T21: a stable connection earns another healing', async () => {
    const world = newWorld();
    const { told } = await openClient(world, { protocols: () => ['v1'] });
    for (let i = 2; i < 5; i++) {
      await world.run(STABLE);
      world.server.last.close(4403);
      await world.runUntil(() => told.opens.length === i);
    }
    expect(told.ends).toEqual([]);
  });

  it('T21: 401 upon the dial is healed once by a headers provider', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused', status: 401 };
    const { told } = newClient(world, { headers: () => ({ authorization: 'x' }) });
    await world.run(60_000);
    expect(dials(world)).toBe(2);
    expect(told.ends).toEqual(['refused']);
    expect(told.closes).toMatchObject([{ status: 401 }, { status: 401 }]);
  });

  it('T22: attempts that are used up are told once, with a reason, and a later connect() works', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { client, told } = newClient(world, { reconnect: { maxAttempts: 3 } });
    const opened = client.opened();
    await expect(Promise.all([opened, world.run(120_000)])).rejects.toMatchObject({ code: 'ENDED', closeCode: 1006 });
    await world.run(120_000);
    expect(dials(world)).toBe(4);
    expect(told.ends).toEqual(['exhausted']);
    expect(told.closes.map(({ willReconnect }) => willReconnect)).toEqual([true, true, true, false]);
    world.server.reception = { name: 'open' };
    client.connect();
    await world.runUntil(() => client.status === 'open');
    expect(told.opens).toEqual([{ protocol: '', reconnected: false }]);
  });

  it('T22: reconnect: false never dials again', async () => {
    const world = newWorld();
    const { told } = await openClient(world, { reconnect: false });
    world.server.last.cut();
    await world.run(60_000);
    expect(dials(world)).toBe(1);
    expect(told.ends).toEqual(['exhausted']);
  });
});

describe('shouldReconnect', () => {
  it('T20: a number is waited, true revives a refusal, false ends', async () => {
    const world = newWorld();
    const answers: (boolean | number)[] = [77, true, false];
    const seen: unknown[] = [];
    const shouldReconnect = ({ code }: { code: number }, attempt: number): boolean | number => {
      seen.push([code, attempt]);
      return answers.shift()!;
    };
    const { client, told } = await openClient(world, { reconnect: { shouldReconnect } });
    world.server.last.close(4999);
    await world.run(77 + 5);
    expect(dials(world)).toBe(2);
    await world.runUntil(() => client.status === 'open');
    world.server.last.close(4400);
    await world.runUntil(() => told.opens.length === 3);
    world.server.last.close(1011);
    await world.run(10);
    expect(told.ends).toEqual(['refused']);
    expect(seen).toEqual([
      [4999, 1],
      [4400, 2],
      [1011, 3],
    ]);
  });

  it.each([
    [
      'throws',
      (): never => {
        throw new Error('oops');
      },
    ],
    ['answers NaN', () => NaN],
    ['answers a negative number', () => -1],
    ['answers Infinity, a wait without an end', () => Infinity],
    ['answers a promise', () => Promise.resolve(false)],
    ['answers a string', () => 'yes'],
    ['answers null', () => null],
  ] as readonly (readonly [string, () => unknown])[])(
    'one that %s leaves it to the rules and is told as an error',
    async (_name, nonsense) => {
      const world = newWorld();
      const { client, told } = await openClient(world, {
        reconnect: { shouldReconnect: nonsense as unknown as () => boolean },
      });
      const statuses: string[] = [];
      client.on('error', () => statuses.push(client.status));
      world.server.last.cut();
      await world.run(10);
      expect(told.errors.map(({ code }) => code)).toEqual(['LISTENER_THREW']);
      expect(statuses, 'told when all is settled').toEqual(['reconnecting']);
      await world.run(3_000);
      expect(client.status).toBe('open');
    },
  );

  it('may call close() from inside', async () => {
    const world = newWorld();
    let close: () => void;
    const shouldReconnect = (): boolean => {
      close();
      return true;
    };
    const { client, told } = await openClient(world, { reconnect: { shouldReconnect } });
    close = () => void client.close();
    world.server.last.cut();
    await world.run(60_000);
    expect(told.ends).toEqual(['caller']);
    expect(dials(world)).toBe(1);
  });
});

describe('reconnect()', () => {
  it('T16: during a wait dials now, and the old timer dials no second time', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    world.server.last.close(1013, 'retry-after=60.000');
    await world.run(10);
    expect(client.status).toBe('reconnecting');
    client.reconnect();
    expect(dials(world)).toBe(2);
    await world.run(120_000);
    expect(dials(world)).toBe(2);
    expect(told.opens).toHaveLength(2);
  });

  it('T15: ten times in any state: one socket at a time, and only one reaches the user', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { autoConnect: false });
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 10; i++) client.reconnect();
      expect(liveOf(world)).toHaveLength(1);
      await world.runUntil(() => client.status === 'open');
      for (let i = 0; i < 10; i++) client.connect();
      world.server.connections.forEach((connection) => connection.send(`from ${connection.id}`));
      await world.run(10);
    }
    expect(told.messages.length).toBeGreaterThan(0);
    expect(told.opens).toHaveLength(4);
    expect(liveOf(world)).toHaveLength(1);
  });

  it('on an open socket tells one close that was asked for, and dials without a wait', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    client.reconnect();
    await world.run(10);
    expect(told.closes).toMatchObject([{ code: 1006, asked: true, opened: true, willReconnect: true, delay: 0 }]);
    expect(told.opens).toMatchObject([{ reconnected: false }, { reconnected: true }]);
    expect(told.statuses).toEqual(['connecting', 'open', 'reconnecting', 'open']);
  });

  it('after the end does nothing, while idle connects, while closing begins anew', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { autoConnect: false });
    client.reconnect();
    await world.runUntil(() => client.status === 'open');
    void client.close();
    client.reconnect();
    await world.runUntil(() => told.opens.length === 2);
    expect(told.ends).toEqual(['caller']);
    await Promise.all([client.close(), world.run(100)]);
    client.reconnect();
    await world.run(60_000);
    expect(client.status).toBe('closed');
    expect(dials(world)).toBe(2);
  });
});

describe('hints while waiting', () => {
  it.each(['online', 'visible', 'resume'] as const)('T48: %s shortens our own wait to at most 250 ms', async (hint) => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { told } = newClient(world, { adapter: unlucky(world) });
    await world.runUntil(() => told.closes.length === 4);
    const before = dials(world);
    world.hint(hint);
    await world.run(250);
    expect(dials(world)).toBe(before + 1);
  });

  it('T48: at most once a second, so that a flapping network is not a hammer', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { told } = newClient(world);
    await world.runUntil(() => told.closes.length === 8);
    const before = dials(world);
    for (let i = 0; i < 100; i++) {
      world.hint(i % 2 ? 'offline' : 'online');
      await world.run(100);
    }
    expect(dials(world) - before).toBeLessThanOrEqual(11);
  });

  it('T48: good news never shortens a wait that the server asked for', async () => {
    const world = newWorld();
    await openClient(world);
    world.server.last.close(1013, 'retry-after=60.000');
    await world.run(10);
    const closedAt = world.now - 5;
    for (let i = 0; i < 58; i++) {
      world.hint('online');
      world.hint('visible');
      await world.run(1_000);
    }
    expect(dials(world)).toBe(1);
    await world.runUntil(() => dials(world) === 2);
    expect(world.now - closedAt).toBe(60_000);
  });

  it('T48: offline forbids no dial', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    world.hint('offline');
    await world.runUntil(() => client.status === 'open', 100);
    world.server.last.cut();
    await world.run(1);
    world.hint('offline');
    await world.runUntil(() => client.status === 'open', 2_600);
    expect(dials(world)).toBe(2);
  });
});

describe('a host that suspends us', () => {
  it('costs no attempts: hidden failures do not use up maxAttempts', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { reconnect: { maxAttempts: 1 } });
    for (let i = 0; i < 5; i++) {
      world.hint('suspend');
      world.server.last.cut();
      await world.run(10);
      expect(client.status).toBe('suspended');
      await world.run(300_000);
      world.hint('resume');
      await world.runUntil(() => client.status === 'open', 100);
    }
    expect(told.ends).toEqual([]);
  });

  it('a wait becomes suspended without a timer, and resume dials at once', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    world.server.last.cut();
    await world.run(1);
    world.hint('suspend');
    expect(client.status).toBe('suspended');
    expect(world.timers).toBe(0);
    await world.run(300_000);
    expect(dials(world)).toBe(1);
    world.hint('resume');
    expect(dials(world)).toBe(2);
  });

  it('a dial that fails while hidden is suspended too', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client } = newClient(world);
    world.hint('suspend');
    await world.run(10_000);
    expect(client.status).toBe('suspended');
    expect(world.timers).toBe(0);
  });

  it('a new life begins suspended where the host says at once that it has hidden us', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    world.hint('suspend');
    void client.close();
    client.connect();
    expect(client.status).toBe('suspended');
    expect(dials(world)).toBe(1);
    world.hint('resume');
    await world.runUntil(() => client.status === 'open', 100);
  });
});

describe('StopReconnecting', () => {
  it('from a provider ends the client as stopped', async () => {
    const world = newWorld();
    const url = ({ attempt }: DialContext): string => {
      if (attempt > 0) throw new StopReconnecting('signed out');
      return 'ws://world.test/';
    };
    const { client, told } = await openClient(world, { url });
    world.server.last.cut();
    await world.run(60_000);
    expect(client.status).toBe('closed');
    expect(told.ends).toEqual(['stopped']);
    expect(told.closes.at(-1)).toMatchObject({ code: 1006, cause: { message: 'signed out' }, willReconnect: false });
  });

  it.each([
    ['rejecting', () => Promise.reject(new StopReconnecting())],
    [
      'throwing',
      () => {
        throw new StopReconnecting();
      },
    ],
  ] as const)('from a %s handshake ends the client as stopped', async (_name, handshake) => {
    const world = newWorld();
    const { told } = newClient(world, { handshake });
    await world.run(60_000);
    expect(told.ends).toEqual(['stopped']);
    expect(dials(world)).toBe(1);
    expect(liveOf(world)).toEqual([]);
  });
});

describe('herds', () => {
  const CLIENTS = 500;
  const HERDS = 200;
  const REAL_HERDS = 10;
  const FLOCK = 20;

  const peakOf = (back: readonly number[]): number => {
    const bins = new Map<number, number>();
    for (const at of back) bins.set(Math.floor(at / 100), (bins.get(Math.floor(at / 100)) ?? 0) + 1);
    return Math.max(...bins.values());
  };

  it(`T19: ${CLIENTS} clients cut at once: the peak 100 ms bin holds at most 7 %, as the mean of ${HERDS} herds, and half are back in 1.5 s`, () => {
    const { policy } = readOptions('ws://world.test/', { adapter: createWorld().adapter() }, () => {});
    let peaks = 0;
    for (let seed = 1; seed <= HERDS; seed++) {
      const random = createRandom(seed);
      const back = Array.from({ length: CLIENTS }, () => dialAfterCut(policy, random())).sort((a, b) => a - b);
      expect(back[CLIENTS / 2]).toBeLessThan(1_500);
      peaks += peakOf(back);
    }
    expect(peaks / HERDS).toBeLessThanOrEqual(0.07 * CLIENTS);
  }, 30_000);

  it(`T19: so do whole clients with every default, as the mean of ${REAL_HERDS} herds`, async () => {
    let peaks = 0;
    for (let herd = 1; herd <= REAL_HERDS; herd++) {
      const back = await stampede(herd);
      expect(back).toHaveLength(CLIENTS);
      expect(back[CLIENTS / 2]).toBeLessThan(1_500);
      peaks += peakOf(back);
    }
    expect(peaks / REAL_HERDS).toBeLessThanOrEqual(0.07 * CLIENTS);
  }, 60_000);

  /** What the machine makes of a cut after a stable connection: milliseconds until the dial. */
  function dialAfterCut(policy: Policy, random: number): number {
    const at = { now: 0, random, received: 0, suspended: false };
    const inputs: Input[] = [
      { type: 'connect' },
      { type: 'prepared', generation: 1 },
      { type: 'socketOpened', generation: 1 },
    ];
    const open = inputs.reduce<State>((state, input) => transition(state, input, at, policy)[0], { name: 'idle' });
    const cut: Input = { type: 'socketClosed', generation: 1, close: { code: 1006, reason: '', wasClean: false } };
    const [waiting] = transition(open, cut, { ...at, now: STABLE }, policy);
    return deadlineOf(waiting, false)! - STABLE;
  }

  /**
   * All clients of one server are cut at once; when is each of them back? They know nothing of one another, so a herd is
   * made of small worlds, each with a seed of its own.
   */
  async function stampede(herd: number): Promise<readonly number[]> {
    const back: number[] = [];
    for (let flock = 0; flock < CLIENTS / FLOCK; flock++) {
      const world = createWorld({ seed: herd * 1_000 + flock });
      const clients = Array.from({ length: FLOCK }, () =>
        createClient('ws://world.test/', { adapter: world.adapter() }),
      );
      await world.run(STABLE + 10);
      const cutAt = world.now;
      for (const client of clients) client.on('open', () => back.push(world.now - cutAt));
      for (const connection of world.server.connections) connection.cut();
      await world.run(2_600);
      for (const client of clients) void client.close();
      await world.run(100);
      expect(world.timers).toBe(0);
    }
    return back.sort((a, b) => a - b);
  }
});
