import { describe, expect, it } from 'vitest';
import { newClient, newWorld, openClient } from './support/worlds.ts';
import { slow } from './support/slow.ts';
import { tap } from './support/tap.ts';
import type { Data } from '@holdfast/core';
import type { World } from '@holdfast/testing';

const everythingReceived = (world: World): Data[] => world.server.connections.flatMap(({ received }) => [...received]);
const texts = (n: number, prefix = 'm'): string[] => Array.from({ length: n }, (_, i) => `${prefix}${i}`);
const reasons = (told: { drops: { data: unknown; reason: string }[] }): string[] =>
  told.drops.map(({ data, reason }) => `${String(data)} ${reason}`);

describe('at the call', () => {
  it('T30: sent, queued and refused are told apart, and every refusal is told by drop', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { queue: { maxMessages: 1 } });
    expect(client.send('waits')).toBe('queued');
    expect(client.send('too many')).toBe(false);
    await world.runUntil(() => client.status === 'open');
    expect(client.send('goes')).toBe('sent');
    void client.close();
    expect(client.send('too late')).toBe(false);
    await world.run(100);
    expect(client.send('much too late')).toBe(false);
    expect(reasons(told)).toEqual(['too many full', 'too late closed', 'much too late closed']);
    expect(everythingReceived(world)).toEqual(['waits', 'goes']);
  });

  it.each([
    ['number', 1],
    ['null', null],
    ['plain object', {}],
    ['array', [1, 2]],
    ['Blob', new Blob([])],
  ])('a %s is neither string nor binary, and throws', async (_name, value) => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    expect(() => client.send(value as unknown as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA', value }) as Error,
    );
    expect(told.drops).toEqual([]);
  });

  it.each([-1, NaN, '5'])('a maxAge of %s throws', async (maxAge) => {
    const world = newWorld();
    const { client } = newClient(world);
    expect(() => client.send('x', { maxAge: maxAge as number })).toThrow(/maxAge must be .* got/);
  });

  it('T39: after the end send fails at once, and the queue does not grow', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    world.server.last.close(4400);
    await world.run(10);
    for (const text of texts(50)) expect(client.send(text)).toBe(false);
    expect(client.queued).toBe(0);
    expect(new Set(told.drops.map(({ reason }) => reason))).toEqual(new Set(['ended']));
  });

  it('T39: send is refused inside close and end listeners of close()', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const results: unknown[] = [];
    client.on('close', () => results.push(client.send('a'))).on('end', () => results.push(client.send('b')));
    await Promise.all([client.close(), world.run(100)]);
    expect(results).toEqual([false, false]);
  });
});

describe('the queue', () => {
  it('T33: goes out in order upon open, ahead of what an open listener sends', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    for (const text of texts(100)) client.send(text);
    client.on('open', () => client.send('from the open listener'));
    await world.run(100);
    expect(everythingReceived(world)).toEqual([...texts(100), 'from the open listener']);
  });

  it('T34: a handshake speaks before the queue, the open listener behind it', async () => {
    const world = newWorld();
    const { client } = newClient(world, { handshake: ({ send }) => send('auth') });
    client.send('queued');
    client.on('open', () => client.send('after'));
    await world.run(100);
    expect(everythingReceived(world)).toEqual(['auth', 'queued', 'after']);
  });

  it('T33: the link dies three times in the middle of 1 000: nothing is sent twice, order is kept, each loss is counted', async () => {
    const world = newWorld();
    const { adapter } = slow(world, () => 1);
    const { client, told } = newClient(world, { adapter });
    const all = texts(1_000);
    for (const text of all) client.send(text);
    for (let death = 1; death <= 3; death++) {
      await world.runUntil(() => client.queued < 1_000 - 250 * death);
      world.server.last.cut();
      await world.runUntil(() => told.closes.length === death);
    }
    await world.runUntil(() => client.queued === 0 && client.status === 'open');
    await world.run(100);
    const handedOver = world.server.connections.flatMap((connection) => [...connection.handedOver]);
    expect(handedOver).toEqual(all);
    const lost = all.length - everythingReceived(world).length;
    expect(lost).toBeLessThan(all.length);
    expect(told.closes.map(({ unconfirmed }) => unconfirmed)).toEqual([undefined, undefined, undefined]); // never proven
    expect(told.drops).toEqual([]);
  });

  it('T35: counts UTF-8 and binary bytes', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { queue: { maxBytes: 10 } });
    expect(client.send('ä€')).toBe('queued'); // 2 + 3
    expect(client.send('😀')).toBe('queued'); // 4
    expect(client.send(new Uint8Array(2))).toBe(false);
    expect(client.send(new Uint16Array(1).subarray(0, 0))).toBe('queued');
    expect(client.send(new Uint8Array(1))).toBe('queued');
    expect(client.send('😀😀😀')).toBe(false);
    expect(told.drops.map(({ reason }) => reason)).toEqual([]);
    await world.run(0);
    expect(told.drops.map(({ reason }) => reason)).toEqual(['full', 'too-large']);
  });

  it('T35: refuse keeps the old, drop-oldest keeps the new, and both say so', async () => {
    const world = newWorld();
    const refusing = newClient(world, { queue: { maxMessages: 3 } });
    const dropping = newClient(world, { queue: { maxMessages: 3, overflow: 'drop-oldest' } });
    await world.run(0);
    const [refused, dropped] = [refusing, dropping].map(({ client }) => texts(5).map((text) => client.send(text)));
    expect(refused).toEqual(['queued', 'queued', 'queued', false, false]);
    expect(dropped).toEqual(Array(5).fill('queued'));
    await world.run(100);
    expect(reasons(refusing.told)).toEqual(['m3 full', 'm4 full']);
    expect(reasons(dropping.told)).toEqual(['m0 full', 'm1 full']);
    expect(world.server.connections.map(({ received }) => received)).toEqual([
      ['m0', 'm1', 'm2'],
      ['m2', 'm3', 'm4'],
    ]);
  });

  it('T35: drop-oldest makes room for one large message by several small ones', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { queue: { maxBytes: 4, overflow: 'drop-oldest' } });
    await world.run(0);
    for (const text of ['a', 'b', 'c', 'd', 'xyz']) expect(client.send(text)).toBe('queued');
    expect(client.queued).toBe(2);
    expect(client.send('12345')).toBe(false);
    expect(reasons(told)).toEqual(['a full', 'b full', 'c full', '12345 too-large']);
  });

  it('T36: bytes that the caller changes after send() arrive as they were', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    const backing = new Uint8Array([0, 1, 2, 3, 4]);
    client.send(backing.subarray(1, 4));
    client.send(backing.buffer);
    client.send(new DataView(backing.buffer, 2, 2));
    backing.fill(9);
    await world.run(100);
    expect(everythingReceived(world)).toEqual([
      new Uint8Array([1, 2, 3]),
      new Uint8Array([0, 1, 2, 3, 4]),
      new Uint8Array([2, 3]),
    ]);
  });

  it.each([0, 1, 1_048_576, 16_777_216])('T40: %i bytes arrive the same, online and from the queue', async (size) => {
    const world = newWorld();
    const { client } = newClient(world, { queue: { maxBytes: Infinity } });
    const binary = new Uint8Array(size + 8).fill(7).subarray(4, 4 + size);
    const text = 'x'.repeat(size);
    const send = (): void => [binary, text].forEach((data) => client.send(data));
    send();
    await world.runUntil(() => client.status === 'open');
    send();
    await world.run(100);
    const received = everythingReceived(world);
    expect(received).toHaveLength(4);
    expect(
      received.every((data, i) => (i % 2 ? data === text : Buffer.compare(data as Uint8Array, binary) === 0)),
    ).toBe(true);
  });

  it('T38: what was sent with ifOpen is not replayed on the next socket', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: { highWaterMark: 0 } });
    world.server.last.stall(true);
    client.send('fills the platform');
    expect(client.send('unsubscribe', { ifOpen: true })).toBe('queued');
    expect(client.send('keep')).toBe('queued');
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    await world.run(100);
    expect(world.server.last.received).toEqual(['keep']);
    expect(client.send('now', { ifOpen: true })).toBe('sent');
    world.server.last.cut();
    await world.run(0);
    expect(client.send('never', { ifOpen: true })).toBe(false);
    expect(reasons(told)).toEqual(['unsubscribe not-open', 'never not-open']);
  });

  it('T38: a message is dropped when its maxAge has passed, at that moment and not at the next open', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client, told } = newClient(world, { queue: { maxAge: 5_000 } });
    client.send('default');
    client.send('short', { maxAge: 100 });
    client.send('long', { maxAge: 1e9 });
    await world.run(99);
    expect(told.drops).toEqual([]);
    await world.run(1);
    expect(reasons(told)).toEqual(['short expired']);
    await world.run(4_900);
    expect(reasons(told)).toEqual(['short expired', 'default expired']);
    world.server.reception = { name: 'open' };
    await world.run(60_000);
    expect(everythingReceived(world)).toEqual(['long']);
  });

  it('T38: also in an idle client', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { autoConnect: false });
    client.send('x', { maxAge: 100 });
    await world.run(100);
    expect(reasons(told)).toEqual(['x expired']);
    expect(world.timers).toBe(0);
  });

  it('what expired makes room at once', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client, told } = newClient(world, { queue: { maxMessages: 1 } });
    await world.run(0);
    client.send('a', { maxAge: 100 });
    await world.sleep(200); // nothing has fired yet
    expect(client.send('b')).toBe('queued');
    expect(reasons(told)).toEqual(['a expired']);
  });

  it('queue: false keeps nothing', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { queue: false });
    expect(client.send('x')).toBe(false);
    await world.runUntil(() => client.status === 'open');
    expect(client.send('y')).toBe('sent');
    expect(reasons(told)).toEqual(['x not-open']);
  });

  it('queue: false under pressure refuses as full, and says when it is writable again', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: false, heartbeat: false });
    world.server.last.stall(true);
    client.send('x'.repeat(1_048_577));
    expect(client.send('y')).toBe(false);
    expect(reasons(told)).toEqual(['y full']);
    await world.run(1_000);
    expect(told.writables).toBe(0);
    world.server.last.stall(false);
    await world.run(50);
    expect(told.writables).toBe(1);
    expect(client.send('z')).toBe('sent');
    expect(world.timers).toBe(0);
  });

  it('T30: a drop listener that closes the client leaves nothing in its queue', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { client, told } = newClient(world, { queue: { maxMessages: 2, overflow: 'drop-oldest' } });
    await world.run(10);
    client.once('drop', () => void client.close());
    for (const text of texts(3)) expect(client.send(text)).toBe('queued');
    expect(client.queued).toBe(0);
    await world.run(10);
    expect(reasons(told)).toEqual(['m0 full', 'm1 closed', 'm2 closed']);
  });

  it('T30: a drop listener that sends does not overtake the message that made it speak', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client } = newClient(world, { queue: { maxMessages: 3, overflow: 'drop-oldest' } });
    await world.run(10);
    for (const text of texts(3)) client.send(text);
    client.once('drop', () => client.send('again'));
    client.send('new');
    world.server.reception = { name: 'open' };
    await world.runUntil(() => client.status === 'open');
    expect(world.server.last.handedOver).toEqual(['m2', 'new', 'again']);
  });
});

describe('a message that the platform rejects', () => {
  const refuse = (world: World, isBad: (data: Data) => boolean) => {
    const inner = world.adapter();
    return {
      ...inner,
      openSocket: ((request, events) => {
        const socket = inner.openSocket(request, events);
        const send = (data: Data): void => {
          if (isBad(data)) throw new Error('too strange');
          socket.send(data);
        };
        return Object.assign(Object.create(socket) as typeof socket, { send });
      }) satisfies typeof inner.openSocket,
    };
  };

  it('T32: fails alone: those before it are not sent twice, those after it go out', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { adapter: refuse(world, (data) => data === 'm3') });
    for (const text of texts(6)) client.send(text);
    await world.run(100);
    expect(everythingReceived(world)).toEqual(['m0', 'm1', 'm2', 'm4', 'm5']);
    expect(told.drops).toMatchObject([{ data: 'm3', reason: 'rejected', cause: { message: 'too strange' } }]);
    expect(client.send('m3')).toBe(false);
    expect(client.send('m6')).toBe('sent');
    expect(told.drops).toHaveLength(2);
  });

  it("T32: a host's late verdict is told too", async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    client.send('x');
    world.server.last.reject('x', new Error('late'));
    expect(told.drops).toMatchObject([{ data: 'x', reason: 'rejected', cause: { message: 'late' } }]);
  });
});

describe('backpressure', () => {
  it('T42: above the high-water mark nothing is handed over; below it all goes on, in order, and writable is told', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: { highWaterMark: 100 }, heartbeat: false });
    const link = world.server.last;
    link.stall(true);
    const all = texts(200);
    const results = all.map((text) => client.send(text));
    expect(results.filter((result) => result === 'sent').length).toBe(37); // 10 of 2 bytes and 27 of 3
    expect(results.slice(37).every((result) => result === 'queued')).toBe(true);
    expect(client.bufferedAmount).toBeGreaterThan(100);
    expect(client.bufferedAmount).toBeLessThan(104);
    await world.run(10_000);
    expect(link.handedOver).toHaveLength(37);
    expect(told.writables).toBe(0);
    link.stall(false);
    await world.run(50);
    expect(link.handedOver).toEqual(all);
    expect(told.writables).toBe(1);
    expect(world.timers).toBe(0);
    expect(client.send('at once')).toBe('sent');
  });

  it('writable is told once room is there again after a refusal', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { queue: { maxMessages: 1 } });
    client.send('a');
    client.send('b');
    await world.run(100);
    expect(told.writables).toBe(1);
  });

  it('nothing overtakes a flush that is going on', async () => {
    const world = newWorld();
    const { client } = await openClient(world, { queue: { highWaterMark: 0 } });
    world.server.last.stall(true);
    client.send('a');
    client.send('b');
    world.server.last.stall(false);
    expect(client.send('c')).toBe('queued'); // the platform could take it, but 'b' is first
    await world.run(100);
    expect(everythingReceived(world)).toEqual(['a', 'b', 'c']);
  });
});

describe('many messages', () => {
  it.each([
    [20_000, 0.003],
    [200_000, 0.003],
    [1_000, 1],
  ])(
    'T37: %i of them at %d ms each are handed over in slices of at most 8 ms, without recursion',
    async (n, cost) => {
      const world = newWorld();
      const { adapter, slices } = slow(world, () => cost);
      const { client } = newClient(world, { adapter, queue: { maxMessages: Infinity, maxBytes: Infinity } });
      for (let i = 0; i < n; i++) client.send(`${i}`);
      await world.runUntil(() => client.status === 'open' && client.queued === 0);
      expect(Math.max(...slices)).toBeLessThanOrEqual(8 + cost + 1e-6);
      expect(slices.length).toBeGreaterThanOrEqual(Math.floor((n * cost) / 8.1));
      const { handedOver } = world.server.last;
      expect(handedOver).toHaveLength(n);
      expect(handedOver.every((data, i) => data === `${i}`)).toBe(true);
    },
    30_000,
  );

  it('T37: by time and not by count: one slice takes as many as the time allows', async () => {
    const world = newWorld();
    const { adapter, slices } = slow(world, () => 0);
    const { client } = newClient(world, { adapter, queue: { maxMessages: Infinity, maxBytes: Infinity } });
    for (let i = 0; i < 20_000; i++) client.send('x');
    await world.runUntil(() => client.status === 'open');
    expect(client.queued).toBe(0);
    expect(slices).toHaveLength(1);
  });

  it('T37: messages that are received meanwhile are told between the slices', async () => {
    const world = newWorld();
    const { adapter } = slow(world, () => 4);
    const { client, told } = newClient(world, { adapter });
    for (let i = 0; i < 100; i++) client.send('x');
    let queuedAtFirst = 0;
    client.once('message', () => (queuedAtFirst = client.queued));
    world.server.onOpen = (connection) => connection.send('hello');
    world.latency = 0;
    await world.runUntil(() => told.messages.length > 0);
    expect(queuedAtFirst).toBeGreaterThan(0);
  });
});

it('T15: every frame that a client writes goes to an open socket', async () => {
  const world = newWorld();
  const { adapter, written } = tap(world);
  const { client } = newClient(world, { adapter });
  for (let i = 0; i < 20; i++) {
    client.send(`m${i}`);
    if (i % 3 === 0) client.reconnect();
    await world.run(i * 7);
  }
  await world.run(1_000);
  expect(written.filter(({ isOpen }) => !isOpen)).toEqual([]);
});
