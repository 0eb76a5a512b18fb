import { describe, expect, it } from 'vitest';
import { newClient, newWorld, openClient, whilst } from './support/worlds.ts';

describe('messages()', () => {
  it('gives every message from now on, in order, over reconnects, and ends with the client', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    world.server.last.send('before');
    await world.run(10);
    const read: unknown[] = [];
    const reading = (async () => {
      for await (const message of client.messages()) read.push(message);
    })();
    world.server.last.send('a');
    await world.run(10);
    client.reconnect();
    await world.runUntil(() => told.opens.length === 2);
    world.server.last.send('b');
    world.server.last.send('c');
    await world.run(10);
    await whilst(client.close(), world.run(100));
    await reading;
    expect(read).toEqual(['a', 'b', 'c']);
  });

  it('keeps at most 1 000 that nobody reads: those are given, then it rejects MESSAGES_OVERFLOW, then it is over', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    const reader = client.messages();
    for (let i = 0; i < 1_500; i++) world.server.last.send(`${i}`);
    await world.run(10);
    for (let i = 0; i < 1_000; i++) {
      const { value } = await reader.next();
      if (value !== `${i}`) throw new Error(`${String(value)} at ${i}`);
    }
    await expect(reader.next()).rejects.toMatchObject({ code: 'MESSAGES_OVERFLOW' });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(told.messages).toHaveLength(1_500);
  });

  it('leaving the loop stops it, and forgets what was waiting', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const reader = client.messages();
    for (const text of ['a', 'b', 'c']) world.server.last.send(text);
    await world.run(10);
    for await (const message of reader) if (message === 'a') break;
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('of an ended client is over at once; what was waiting at the end is still given', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const reader = client.messages();
    world.server.last.send('last');
    await world.run(10);
    await whilst(client.close(), world.run(100));
    expect(await reader.next()).toEqual({ done: false, value: 'last' });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(await client.messages().next()).toEqual({ done: true, value: undefined });
  });

  it('those who wait are served in the order in which they asked', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const reader = client.messages();
    const both = Promise.all([reader.next(), reader.next()]);
    world.server.last.send('a');
    world.server.last.send('b');
    expect((await whilst(both, world.run(10))).map(({ value }) => value)).toEqual(['a', 'b']);
  });

  it('goes on when all message listeners are taken off', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    const reader = client.messages();
    client.off('message');
    world.server.last.send('x');
    await world.run(10);
    expect(told.messages).toEqual([]);
    expect((await reader.next()).value).toBe('x');
  });

  it('two readers each get everything', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    const readers = [client.messages(), client.messages()];
    await world.run(10);
    world.server.last.send('x');
    await world.run(10);
    expect((await Promise.all(readers.map((reader) => reader.next()))).map(({ value }) => value)).toEqual(['x', 'x']);
  });
});
