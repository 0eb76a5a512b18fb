import { describe, expect, it } from 'vitest';
import { liveOf, newClient, newWorld, openClient, whilst, type Watched } from './support/worlds.ts';
import type { ClientOptions, Status } from '@holdfast/core';
import type { World } from '@holdfast/testing';

const dials = (world: World): number => world.server.connections.length;

/** How a client gets into each state. */
const STATES: readonly (readonly [string, Status, (world: World) => Promise<Watched>])[] = [
  ['idle', 'idle', (world) => Promise.resolve(newClient(world, { autoConnect: false }))],
  [
    'waiting for a provider',
    'connecting',
    (world) => Promise.resolve(newClient(world, { url: () => new Promise<string>(() => {}) })),
  ],
  [
    'dialling',
    'connecting',
    (world) => {
      world.server.reception = { name: 'hanging' };
      return Promise.resolve(newClient(world));
    },
  ],
  [
    'in the handshake',
    'connecting',
    async (world) => {
      const watched = newClient(world, { handshake: () => new Promise<void>(() => {}) });
      await world.run(10);
      return watched;
    },
  ],
  ['open', 'open', (world) => openClient(world)],
  [
    'closing',
    'closing',
    async (world) => {
      const watched = await openClient(world);
      void watched.client.close();
      return watched;
    },
  ],
  [
    'waiting for the next dial',
    'reconnecting',
    async (world) => {
      const watched = await openClient(world);
      world.server.last.cut();
      await world.run(0);
      return watched;
    },
  ],
  [
    'suspended',
    'suspended',
    async (world) => {
      const watched = await openClient(world);
      world.hint('suspend');
      world.server.last.cut();
      await world.run(0);
      return watched;
    },
  ],
];

describe('close()', () => {
  it.each(STATES)(
    'T24: while %s: one end, no dial in the next minute, no socket, no timer',
    async (_name, status, enter) => {
      const world = newWorld();
      const { client, told } = await enter(world);
      expect(client.status).toBe(status);
      const before = dials(world);
      await Promise.all([client.close(), world.run(60_000)]);
      world.hint('resume');
      world.hint('online');
      await world.run(60_000);
      expect(client.status).toBe('closed');
      expect(told.ends).toEqual(['caller']);
      expect(dials(world)).toBe(before);
      expect(liveOf(world)).toEqual([]);
      expect(world.timers).toBe(0);
      expect(told.statuses.at(-1)).toBe('closed');
    },
  );

  it.each(STATES)('T25: while %s, followed by connect() at once, connects once', async (name, _status, enter) => {
    const world = newWorld();
    const { client, told } = await enter(world);
    world.server.reception = { name: 'open' };
    world.hint('resume');
    const opens = told.opens.length;
    void client.close();
    client.connect();
    await world.run(30_000);
    expect(told.ends).toEqual(['caller']);
    expect(liveOf(world).length).toBeLessThanOrEqual(1);
    expect(told.opens.length - opens).toBe(name === 'in the handshake' || name.endsWith('provider') ? 0 : 1);
  });

  it('T25: from inside a close listener, connect() connects once', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    let opened: Promise<void> | undefined;
    client.once('close', () => {
      client.connect();
      opened = client.opened();
    });
    await whilst(client.close(), world.run(10_000));
    await opened;
    expect(client.status).toBe('open');
    expect(dials(world)).toBe(2);
    expect(told.ends).toEqual(['caller']);
    expect(told.opens).toMatchObject([{ reconnected: false }, { reconnected: false }]);
  });

  it('T25: a close() of the new life is not resolved by the end of the old one', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    let second: Promise<void> | undefined;
    let endsAtSecond = 0;
    client.once('close', () => {
      client.connect();
      second = client.close().then(() => void (endsAtSecond = told.ends.length));
    });
    await whilst(client.close(), world.run(10_000));
    await second;
    expect(endsAtSecond).toBe(2);
  });

  it('T25: from inside an end listener, connect() begins a new life', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    client.once('end', () => client.connect());
    await whilst(client.close(), world.run(10_000));
    expect(client.status).toBe('open');
    expect(dials(world)).toBe(2);
  });

  it('T26: code and reason reach the server, and its answer reaches the user', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await whilst(client.close(4001, 'bye'), world.run(100));
    expect(told.closes).toMatchObject([
      { code: 4001, reason: 'bye', wasClean: true, asked: true, opened: true, willReconnect: false, delay: undefined },
    ]);
  });

  it('T26: a close of the server is told unchanged: an empty reason stays empty, no code is 1005', async () => {
    for (const [code, reason] of [
      [undefined, ''],
      [1001, ''],
      [4999, 'ein Grund – mit Ümläut'],
    ] as const) {
      const world = newWorld();
      const { told } = await openClient(world);
      world.server.last.close(code, reason);
      await world.run(10);
      expect(told.closes).toMatchObject([{ code: code ?? 1005, reason, wasClean: true, asked: false }]);
    }
  });

  it('T26: a link that breaks is 1006 and not clean', async () => {
    const world = newWorld();
    const { told } = await openClient(world);
    world.server.last.cut();
    await world.run(10);
    expect(told.closes).toMatchObject([{ code: 1006, reason: '', wasClean: false, asked: false }]);
  });

  it('T26: while dialling nothing was said, so nothing clean is told', async () => {
    const world = newWorld();
    const { client, told } = newClient(world);
    await whilst(client.close(), world.run(10));
    expect(told.closes).toMatchObject([{ code: 1006, reason: '', wasClean: false, asked: true, opened: false }]);
  });

  it.each([undefined, 300])('T27: on a dead link resolves within closeTimeout (%s ms)', async (closeTimeout) => {
    const world = newWorld();
    const { client, told } = await openClient(world, { closeTimeout });
    world.server.last.silence();
    const begin = world.now;
    let doneAt = 0;
    await whilst(
      client.close().then(() => (doneAt = world.now)),
      world.run(60_000),
    );
    expect(doneAt - begin).toBe(closeTimeout ?? 2_000);
    expect(told.closes).toMatchObject([{ code: 1006, wasClean: false, asked: true, cause: { code: 'CLOSE_TIMEOUT' } }]);
    expect(world.server.last.wasTerminated).toBe(true);
  });

  it('hands over what is queued before it closes', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: { highWaterMark: 3 } });
    world.server.last.stall(true);
    for (const text of ['aaaa', 'b', 'c']) client.send(text);
    const closed = client.close();
    await world.run(1_000);
    expect(client.status).toBe('closing');
    world.server.last.stall(false);
    await whilst(closed, world.run(200));
    expect(world.server.last.received).toEqual(['aaaa', 'b', 'c']);
    expect(told.drops).toEqual([]);
    expect(told.closes).toMatchObject([{ code: 1000, wasClean: true }]);
  });

  it('T27: what it cannot hand over in time is dropped and told as closed', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: { highWaterMark: 3 } });
    world.server.last.stall(true);
    for (const text of ['aaaa', 'b', 'c']) client.send(text);
    const begin = world.now;
    await world.run(0);
    void client.close();
    await world.runUntil(() => told.ends.length === 1);
    expect(world.now - begin).toBe(2_000);
    expect(told.drops.map(({ data, reason }) => [data, reason])).toEqual([
      ['b', 'closed'],
      ['c', 'closed'],
    ]);
  });

  it('twice is one end, and both calls resolve; after the end it resolves at once', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await whilst(Promise.all([client.close(), client.close(4000)]), world.run(100));
    await client.close();
    expect(told.ends).toEqual(['caller']);
    expect(told.closes).toMatchObject([{ code: 1000 }]);
  });

  it.each([0, 999, 1001, 1005, 1006, 2999, 5000, 1000.5, NaN, '1000'])(
    'refuses the code %s by throwing',
    async (code) => {
      const world = newWorld();
      const { client } = await openClient(world);
      expect(() => client.close(code as number)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
      expect(client.status).toBe('open');
    },
  );

  it('cuts the reason between two characters at 123 bytes', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await whilst(client.close(1000, 'ä'.repeat(100)), world.run(100));
    expect(told.closes[0]!.reason).toBe('ä'.repeat(61));
  });
});

describe('what a client holds on to', () => {
  it('T46: the platform is watched while a life goes on, and nothing is held before and after', async () => {
    const world = newWorld();
    const inner = world.adapter();
    let watches = 0;
    const adapter: typeof inner = {
      ...inner,
      watch(tell) {
        watches++;
        const stop = inner.watch!(tell);
        return () => {
          watches--;
          stop();
        };
      },
    };
    const { client, told } = newClient(world, { adapter, autoConnect: false });
    expect(watches).toBe(0);
    for (let life = 1; life <= 3; life++) {
      client.connect();
      expect(watches).toBe(1);
      await world.runUntil(() => client.status === 'open');
      world.server.last.cut();
      await world.runUntil(() => told.opens.length === 2 * life);
      expect(watches).toBe(1);
      await whilst(client.close(), world.run(100));
      expect(watches).toBe(0);
      expect(world.timers).toBe(0);
    }
  });

  it('T46: no timer outlives a client that was refused, exhausted or stopped', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused', status: 401 };
    newClient(world).client.send('x', { maxAge: 60_000 });
    newClient(world, { reconnect: false }).client.send('x', { maxAge: 60_000 });
    await world.run(10);
    expect(world.timers).toBe(0);
  });
});

describe('a signal', () => {
  /** One that counts who listens. */
  function watchedSignal() {
    const controller = new AbortController();
    const listeners = new Set<() => void>();
    const signal: ClientOptions['signal'] = {
      get aborted() {
        return controller.signal.aborted;
      },
      addEventListener: (_type, listener) => void listeners.add(listener),
      removeEventListener: (_type, listener) => void listeners.delete(listener),
    };
    const abort = (): void => {
      controller.abort();
      listeners.forEach((listener) => listener());
    };
    return { signal, listeners, abort };
  }

  it('that aborts closes without handing over, and ends as aborted', async () => {
    const world = newWorld();
    const { signal, listeners, abort } = watchedSignal();
    const { client, told } = await openClient(world, { signal });
    abort();
    await world.run(100);
    expect(client.status).toBe('closed');
    expect(told.ends).toEqual(['aborted']);
    expect(told.closes).toMatchObject([{ asked: true, wasClean: true }]);
    expect(listeners.size).toBe(0);
  });

  it('that has aborted already never dials', async () => {
    const world = newWorld();
    const { told } = newClient(world, { signal: AbortSignal.abort() });
    await world.run(60_000);
    expect(dials(world)).toBe(0);
    expect(told.ends).toEqual(['aborted']);
  });

  it('has no listener left when the life is over, even one that ended within connect()', async () => {
    const world = newWorld();
    const { signal, listeners } = watchedSignal();
    const throws = (): never => {
      throw new Error('no url');
    };
    newClient(world, { signal, url: throws, reconnect: false });
    await world.run(0);
    expect(listeners.size).toBe(0);
    const other = await openClient(world, { signal });
    other.client.connect();
    expect(listeners.size).toBe(1);
    void other.client.close();
    other.client.connect();
    expect(listeners.size).toBe(1);
    await world.run(100);
    await whilst(other.client.close(), world.run(100));
    expect(listeners.size).toBe(0);
  });
});

describe('the end of a life', () => {
  it('T26: names the last close also when close() comes between two sockets', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const ended = new Promise((resolve) => client.once('end', resolve));
    world.server.last.close(4000, 'for now');
    await world.run(10);
    void client.close();
    expect(await ended).toMatchObject({ reason: 'caller', lastClose: { code: 4000, reason: 'for now' } });
  });
});
