import { describe, expect, it } from 'vitest';
import { StopReconnecting, type Client, type Data, type DialContext, type HandshakeContext } from '@holdfast/core';
import { liveOf, newClient, newWorld, openClient, whilst } from './support/worlds.ts';
import type { World } from '@holdfast/testing';

const dials = (world: World): number => world.server.connections.length;

describe('an attempt', () => {
  it('T10: that gets no handshake is given up at the connect timeout, and the next dial follows the backoff', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { told } = newClient(world);
    await world.run(9_999);
    expect(told.closes).toEqual([]);
    await world.run(1);
    expect(told.closes).toMatchObject([
      { code: 1006, wasClean: false, opened: false, asked: false, cause: { code: 'CONNECT_TIMEOUT' } },
    ]);
    expect(world.server.last.wasTerminated).toBe(true);
    const { delay } = told.closes[0]!;
    await world.runUntil(() => dials(world) === 2);
    expect(world.now).toBe(Math.ceil(10_000 + delay!));
  });

  it('T10: has one timeout for everything, from the provider to the handshake', async () => {
    const world = newWorld();
    const slowly =
      <T>(ms: number, value: T) =>
      (): Promise<T> =>
        new Promise((resolve) => void world.adapter().wake(world.now + ms, () => resolve(value)));
    const { told } = newClient(world, {
      connectTimeout: 1_000,
      url: slowly(600, 'ws://world.test/'),
      handshake: slowly(600, undefined),
    });
    await world.runUntil(() => told.closes.length === 1);
    expect(world.now).toBe(1_000);
    expect(told.closes[0]).toMatchObject({ opened: false, cause: { code: 'CONNECT_TIMEOUT' } });
    await world.run(300); // what the handshake still waits for is nobody's
  });

  it.each(['error then close', 'close then error', 'only error', 'only close'])(
    'T11: that fails by %s counts once',
    async (kind) => {
      const world = newWorld();
      const inner = world.adapter();
      const fails = kind.split(' then ').length; // an adapter that forgets its law tells both
      const adapter: typeof inner = {
        ...inner,
        openSocket(request, events) {
          const socket = inner.openSocket(request, events);
          inner.wake(inner.now() + 3, () => {
            socket.terminate();
            for (let i = 0; i < fails; i++) events.closed({ code: 1006, reason: '', wasClean: false });
          });
          return socket;
        },
      };
      const { told } = newClient(world, { adapter });
      await world.run(4);
      expect(told.closes).toHaveLength(1);
      expect(told.closes[0]!.delay).toBeLessThanOrEqual(2_500);
      await world.runUntil(() => told.closes.length === 2);
      expect(dials(world)).toBe(2);
    },
  );

  it('T13: whose socket cannot even be made is a failed attempt, told once, and dialled again', async () => {
    const world = newWorld();
    const inner = world.adapter();
    let made = 0;
    const adapter: typeof inner = {
      ...inner,
      openSocket(request, events) {
        const socket = inner.openSocket(request, events);
        if (++made > 1) return socket;
        socket.terminate();
        void Promise.resolve().then(() =>
          events.closed({ code: 1006, reason: '', wasClean: false, cause: new Error('CSP') }),
        );
        return socket;
      },
    };
    const { client, told } = newClient(world, { adapter });
    await world.run(0);
    expect(told.closes).toMatchObject([{ opened: false, cause: { message: 'CSP' } }]);
    await world.runUntil(() => client.status === 'open', 2_600);
  });

  it('dials in the same turn in which it was asked for, where nothing has to be awaited', () => {
    const world = newWorld();
    newClient(world, { protocols: () => 'v1', headers: () => ({ a: 'b' }) });
    expect(world.server.last.request).toEqual({ url: 'ws://world.test/', protocols: ['v1'], headers: { a: 'b' } });
  });

  it('tells the protocol that the server chose', async () => {
    const world = newWorld();
    world.server.reception = { name: 'open', protocol: 'v2' };
    const { told } = await openClient(world, { protocols: ['v1', 'v2'] });
    expect(told.opens).toEqual([{ protocol: 'v2', reconnected: false }]);
  });
});

describe('providers', () => {
  const nothing = undefined as unknown as string;
  const BAD: readonly (readonly [string, () => string | Promise<string>, string])[] = [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'PROVIDER_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'PROVIDER_FAILED'],
    ['gives undefined', () => nothing, 'INVALID_URL'],
    ['gives a promise of undefined', () => Promise.resolve(nothing), 'INVALID_URL'],
    ['gives an http URL', () => 'http://world.test/', 'INVALID_URL'],
    ['never settles', () => new Promise<string>(() => {}), 'CONNECT_TIMEOUT'],
  ];

  it.each(BAD)('T12: a url provider that %s is a failed attempt, and is asked again', async (_name, bad, code) => {
    const world = newWorld();
    let asked = 0;
    const url = (): string | Promise<string> => (++asked === 1 ? bad() : 'ws://world.test/');
    const { client, told } = newClient(world, { url });
    await world.runUntil(() => client.status === 'open', 10_000 + 2_600);
    expect(told.closes).toMatchObject([{ code: 1006, opened: false, willReconnect: true, cause: { code } }]);
    expect(asked).toBe(2);
  });

  it.each([
    ['protocols', { protocols: () => ['a b'] }],
    ['protocols twice', { protocols: () => ['a', 'a'] }],
    ['headers', { headers: () => ({ a: 'x\r\ny: z' }) }],
    ['headers', { headers: () => ({ a: 1 }) as unknown as Record<string, string> }],
  ])('T12: nonsense from the %s provider is a failed attempt', async (_name, options) => {
    const world = newWorld();
    const { told } = newClient(world, options);
    await world.run(0);
    expect(told.closes).toMatchObject([{ opened: false, cause: { code: 'INVALID_OPTION' } }]);
    expect(dials(world)).toBe(0);
  });

  it('T12: close() ends the waiting for one, and what it says later dials nothing', async () => {
    const world = newWorld();
    let give = (_url: string): void => {};
    const { client, told } = newClient(world, { url: () => new Promise<string>((resolve) => (give = resolve)) });
    await Promise.all([client.close(), world.run(0)]);
    give('ws://world.test/');
    await world.run(60_000);
    expect(dials(world)).toBe(0);
    expect(told.ends).toEqual(['caller']);
  });

  it('T12: what one says after its attempt was given up dials nothing', async () => {
    const world = newWorld();
    const gives: ((url: string) => void)[] = [];
    newClient(world, { url: () => new Promise<string>((resolve) => gives.push(resolve)), connectTimeout: 100 });
    await world.runUntil(() => gives.length === 2);
    gives[0]!('ws://old.test/');
    await world.run(0);
    expect(dials(world)).toBe(0);
    gives[1]!('ws://new.test/');
    await world.run(0);
    expect(world.server.connections.map(({ request }) => request.url)).toEqual(['ws://new.test/']);
  });

  it('are told the attempt and how the last one ended', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused', status: 503 };
    const contexts: DialContext[] = [];
    const url = (context: DialContext): string => {
      contexts.push(context);
      return 'ws://world.test/';
    };
    const { client } = newClient(world, { url });
    await world.runUntil(() => contexts.length === 3);
    expect(contexts).toMatchObject([
      { attempt: 0, lastClose: undefined },
      { attempt: 1, lastClose: { status: 503 } },
      { attempt: 2, lastClose: { status: 503 } },
    ]);
    await Promise.all([client.close(), world.run(10)]);
    client.connect();
    expect(contexts[3]).toEqual({ attempt: 0, lastClose: undefined });
  });
});

describe('the handshake', () => {
  const greet = (world: World, ...frames: Data[]): void => {
    world.server.onOpen = (connection) => frames.forEach((frame) => connection.send(frame));
  };

  it('T14: a greeting behind the upgrade is read by it, and what it leaves is told after open, in order', async () => {
    const world = newWorld();
    greet(world, 'hello', 'a', 'b', 'c');
    const taken: Data[] = [];
    const { client, told } = newClient(world, {
      handshake: async ({ next }) => {
        await new Promise<void>((resolve) => void world.adapter().wake(world.now + 20, resolve)); // meanwhile all arrive
        taken.push(await next(), await next());
      },
    });
    const order: string[] = [];
    client.on('open', () => order.push('open')).on('message', (data) => order.push(String(data)));
    await world.run(100);
    expect(taken).toEqual(['hello', 'a']);
    expect(order).toEqual(['open', 'b', 'c']);
    expect(told.messages).toEqual(['b', 'c']);
  });

  it('T14: a greeting is received every time, without a handshake too', async () => {
    for (let i = 0; i < 100; i++) {
      const world = newWorld({ latency: i % 3 });
      greet(world, 'hello');
      const { told } = await openClient(world);
      await world.run(10);
      expect(told.messages).toEqual(['hello']);
    }
  });

  it('goes before the queue and before open; send inside it queues', async () => {
    const world = newWorld();
    const seen: unknown[] = [];
    let client: Client | undefined;
    const watched = newClient(world, {
      handshake: async ({ send, next, protocol, reconnected }) => {
        seen.push(protocol, reconnected, client!.status, client!.send('from inside'));
        send('auth');
        await next();
      },
    });
    client = watched.client;
    client.send('queued');
    await world.runUntil(() => dials(world) === 1 && world.server.last.received.length === 1);
    expect(world.server.last.received).toEqual(['auth']);
    expect(watched.told.opens).toEqual([]);
    world.server.last.send('welcome');
    await world.run(10);
    expect(world.server.last.received).toEqual(['auth', 'queued', 'from inside']);
    expect(seen).toEqual(['', false, 'connecting', 'queued']);
  });

  it('runs on every socket, and is told whether it is the first', async () => {
    const world = newWorld();
    const seen: boolean[] = [];
    const { told } = await openClient(world, { handshake: ({ reconnected }) => void seen.push(reconnected) });
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    expect(seen).toEqual([false, true]);
  });

  it('opened() and flush() inside it reject at once instead of waiting for themselves', async () => {
    const world = newWorld();
    const codes: string[] = [];
    let client: Client | undefined;
    const watched = newClient(world, {
      handshake: async () => {
        const note = ({ code }: { code: string }): void => void codes.push(code);
        await Promise.all([client!.opened().catch(note), client!.flush().catch(note)]);
      },
    });
    client = watched.client;
    await world.runUntil(() => client!.status === 'open', 100);
    expect(codes).toEqual(['IN_HANDSHAKE', 'IN_HANDSHAKE']);
  });

  it('that throws fails the attempt, with its error as the cause', async () => {
    const world = newWorld();
    const { told } = newClient(world, {
      handshake: ({ reconnected }) => {
        throw new Error(String(reconnected));
      },
    });
    await world.run(10);
    expect(told.closes).toMatchObject([
      { code: 1006, wasClean: false, opened: false, unconfirmed: 0, willReconnect: true, cause: { message: 'false' } },
    ]);
    expect(world.server.last.wasTerminated).toBe(true);
  });

  it('next() rejects when the socket dies, and so does one that asks later; send throws', async () => {
    const world = newWorld();
    const outcome: string[] = [];
    let context: HandshakeContext | undefined;
    newClient(world, {
      reconnect: false,
      handshake: async (given) => {
        context = given;
        await given.next().catch((error: { code: string }) => outcome.push(error.code));
      },
    });
    await world.run(10);
    world.server.last.cut();
    await world.run(10);
    await context!.next().catch((error: { code: string }) => outcome.push(error.code));
    expect(outcome).toEqual(['HANDSHAKE_FAILED', 'HANDSHAKE_FAILED']);
    expect(() => context!.send('x')).toThrow('the socket is gone');
  });

  it('of a socket that was left behind can neither open nor stop the next one', async () => {
    const world = newWorld();
    const ends: (() => void)[] = [];
    const { client, told } = newClient(world, {
      connectTimeout: 1_000,
      handshake: () => new Promise<void>((resolve) => ends.push(resolve)),
    });
    await world.runUntil(() => ends.length === 2);
    ends[0]!();
    await world.run(10);
    expect(client.status).not.toBe('open');
    ends[1]!();
    await world.run(10);
    expect(told.opens).toHaveLength(1);
  });

  it('close() meanwhile does the closing handshake, and tells no open', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { handshake: () => new Promise<void>(() => {}) });
    await world.run(10);
    await Promise.all([client.close(4000, 'bye'), world.run(100)]);
    expect(told.opens).toEqual([]);
    expect(told.closes).toMatchObject([{ code: 4000, reason: 'bye', wasClean: true, asked: true, opened: false }]);
    expect(told.ends).toEqual(['caller']);
  });

  it('StopReconnecting thrown by it ends the client', async () => {
    const world = newWorld();
    const { told } = newClient(world, { handshake: () => Promise.reject(new StopReconnecting('banned')) });
    await world.run(60_000);
    expect(told.ends).toEqual(['stopped']);
    expect(told.closes).toMatchObject([{ cause: { message: 'banned' } }]);
  });

  it('T5: no ping goes out before it is done', async () => {
    const world = newWorld();
    newClient(world, { connectTimeout: 1e9, handshake: () => new Promise<void>(() => {}) });
    await world.run(100_000);
    expect(world.server.last.pings).toBe(0);
  });
});

describe('opened()', () => {
  it('resolves at once when open, else at the next open', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    await whilst(client.opened(), world.run(5));
    await client.opened();
    client.reconnect();
    await whilst(client.opened(), world.run(5));
    expect(client.status).toBe('open');
  });

  it('of an idle client waits for connect()', async () => {
    const world = newWorld();
    const { client } = newClient(world, { autoConnect: false });
    const opened = client.opened();
    await world.run(60_000);
    expect(dials(world)).toBe(0);
    client.connect();
    await whilst(opened, world.run(10));
    expect(dials(world)).toBe(1);
  });

  it('rejects when the client ends, saying why', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused', status: 401 };
    const { client } = newClient(world);
    await expect(whilst(client.opened(), world.run(10))).rejects.toMatchObject({ code: 'ENDED', closeCode: 1006 });
    await expect(client.opened()).rejects.toThrow(/refused/);
  });
});

it('T15: connect() ten times in every state never makes a second socket', async () => {
  const world = newWorld();
  const { client, told } = newClient(world, { autoConnect: false });
  const hammer = (): void => {
    for (let i = 0; i < 10; i++) client.connect();
  };
  hammer();
  expect(dials(world)).toBe(1);
  await world.runUntil(() => client.status === 'open');
  hammer();
  world.server.last.cut();
  await world.run(1);
  hammer(); // waiting
  expect(dials(world)).toBe(1);
  await world.runUntil(() => told.opens.length === 2);
  expect(dials(world)).toBe(2);
  void client.close();
  hammer(); // the old life ends, a new one begins
  expect(liveOf(world)).toHaveLength(1);
  await world.run(10_000);
  expect(dials(world)).toBe(3);
});
