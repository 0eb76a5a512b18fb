import { describe, expect, it } from 'vitest';
import { newClient, newWorld, openClient, whilst } from './support/worlds.ts';
import { tap } from './support/tap.ts';

const INTERVAL = 30_000;
const TIMEOUT = 10_000;

describe('what a close says of the messages before it', () => {
  it('T31: nothing was handed over, so nothing is unconfirmed', async () => {
    const world = newWorld();
    const { told } = await openClient(world);
    world.server.last.cut();
    await world.run(10);
    expect(told.closes[0]!.unconfirmed).toBe(0);
  });

  it('T31: from a server that never proved anything the number is unknown', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world);
    client.send('x');
    world.server.last.cut();
    await world.run(10);
    expect(told.closes[0]!.unconfirmed).toBeUndefined();
  });

  it('T31: it is the last n handed over since the last proof', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    client.send('proven');
    await world.runUntil(() => told.pongs.length === 1);
    client.send('a');
    client.send('b');
    world.server.last.cut();
    await world.run(10);
    expect(told.closes[0]!.unconfirmed).toBe(2);
  });

  it('T31: a proof counts from the writing of its ping, not from the coming of its reply', async () => {
    const world = newWorld({ latency: 100 });
    const { client, told } = await openClient(world);
    await world.run(INTERVAL - 50);
    client.send('before the ping');
    await world.run(100);
    client.send('after the ping');
    await world.runUntil(() => told.pongs.length === 1);
    world.server.last.cut();
    await world.run(10);
    expect(told.closes[0]!.unconfirmed).toBe(1);
  });

  it('T31: a silent death leaves at most what was sent since the last proof ping, which comes every 5 s', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await world.run(INTERVAL + 10);
    for (let i = 0; i < 310; i++) {
      client.send(`m${i}`);
      await world.run(100);
    }
    world.server.last.silence();
    await world.runUntil(() => told.closes.length > 0);
    expect(told.closes[0]!.unconfirmed).toBeLessThanOrEqual(51);
    expect(told.closes[0]!.unconfirmed).toBeGreaterThan(0);
  });

  it('T31: within 1 s of quiet everything is proven', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await world.run(INTERVAL + 5_010);
    client.send('x');
    await world.run(1_010);
    world.server.last.cut();
    await world.run(10);
    expect(told.closes[0]!.unconfirmed).toBe(0);
  });

  it('T31: nothing is sent again on the next socket', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    client.send('x');
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    await world.run(1_000);
    expect(world.server.last.received).toEqual([]);
  });

  it('T31: each socket answers for its own messages', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await world.run(INTERVAL + 10);
    client.send('a');
    client.send('b');
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    client.send('c');
    world.server.last.cut();
    await world.run(10);
    expect(told.closes.map(({ unconfirmed }) => unconfirmed)).toEqual([2, 1]);
  });

  it('T31: an attempt that never opened has nothing unconfirmed', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { client, told } = newClient(world);
    client.send('x');
    await world.run(10);
    expect(told.closes[0]).toMatchObject({ opened: false, unconfirmed: 0 });
  });

  it('a new life knows nothing of the proofs of the old one', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    await world.run(INTERVAL + 10);
    await Promise.all([client.close(), world.run(100)]);
    client.connect();
    await world.runUntil(() => told.opens.length === 2);
    client.send('x');
    world.server.last.cut();
    await world.run(10);
    expect(told.closes.at(-1)!.unconfirmed).toBeUndefined();
  });
});

describe('flush()', () => {
  it('resolves when a reply has proven all that was sent', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    for (let i = 0; i < 10; i++) client.send(`m${i}`);
    const begin = world.now;
    let doneAt = 0;
    const flushed = client.flush().then(() => (doneAt = world.now));
    await world.run(100);
    await flushed;
    expect(doneAt - begin).toBe(10);
    expect(world.server.last.received).toHaveLength(10);
  });

  it('resolves at once where nothing waits and nothing is unproven', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    const { adapter, written } = tap(world);
    const idle = newClient(world, { adapter, autoConnect: false });
    await client.flush();
    await idle.client.flush();
    expect(written).toEqual([]);
  });

  it('waits for the socket, then for the queue, then for the reply', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    client.send('x');
    let isDone = false;
    void client.flush().then(() => (isDone = true));
    await world.run(9);
    expect([client.status, isDone]).toEqual(['open', false]);
    await world.run(100);
    expect(isDone).toBe(true);
  });

  it('covers what was sent before it, and does not wait for what is sent after it', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    client.send('a');
    const flushed = client.flush();
    for (let i = 0; i < 3; i++) {
      await world.run(4);
      client.send('later');
    }
    await flushed;
    expect(world.server.last.received[0]).toBe('a');
  });

  it('several at once share a ping', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { client } = await openClient(world, { adapter });
    client.send('a');
    await Promise.all([client.flush(), client.flush(), client.flush(), world.run(20)]);
    expect(pingTimes()).toHaveLength(1);
  });

  it('rejects NO_PROOF after the timeout against a server that never replies', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client } = await openClient(world);
    client.send('a');
    const begin = world.now;
    let rejectedAt = 0;
    const flushed = client.flush().finally(() => (rejectedAt = world.now));
    await expect(whilst(flushed, world.run(60_000))).rejects.toMatchObject({ code: 'NO_PROOF' });
    expect(rejectedAt - begin).toBe(TIMEOUT);
  });

  it('rejects NO_PROOF at once without a heartbeat', async () => {
    const world = newWorld();
    const { client } = await openClient(world, { heartbeat: false });
    client.send('a');
    await expect(client.flush()).rejects.toMatchObject({ code: 'NO_PROOF' });
  });

  it('rejects UNCONFIRMED when the link breaks first', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    client.send('a');
    const flushed = client.flush();
    world.server.last.cut();
    await expect(whilst(flushed, world.run(10))).rejects.toMatchObject({ code: 'UNCONFIRMED' });
  });

  it('rejects ENDED when the life ends first, and after it', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client } = newClient(world);
    client.send('a');
    const flushed = client.flush();
    void client.close();
    await expect(whilst(flushed, world.run(10))).rejects.toMatchObject({ code: 'ENDED' });
    await expect(client.flush()).rejects.toMatchObject({ code: 'ENDED' });
  });

  it('survives the loss of a socket as long as its messages are still queued', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { queue: { highWaterMark: 0 } });
    world.server.last.stall(true);
    client.send('lost');
    client.send('queued');
    const flushed = client.flush();
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    await Promise.all([flushed, world.run(100)]);
    expect(world.server.last.received).toEqual(['queued']);
  });

  it('is served when the messages that it waits for have expired or were dropped', async () => {
    const world = newWorld();
    world.server.reception = { name: 'hanging' };
    const { client } = newClient(world, { queue: { maxMessages: 1, overflow: 'drop-oldest' } });
    client.send('a', { maxAge: 100 });
    const expired = client.flush();
    await Promise.all([expired, world.run(200)]);
    client.send('b');
    const dropped = client.flush();
    client.send('c');
    await dropped;
    expect(client.queued).toBe(1);
  });

  it('with ping frames is proven by their answer', async () => {
    const world = newWorld();
    const { client } = await openClient(world, { runtime: { pingFrames: true } });
    client.send('a');
    await Promise.all([client.flush(), world.run(20)]);
    expect(world.server.last.received).toEqual(['a']);
  });
});

it('T30: in a crowd of sends every one has exactly one fate', async () => {
  const world = newWorld({ seed: 30 });
  const { client, told } = newClient(world, { queue: { maxMessages: 20, overflow: 'drop-oldest', maxAge: 700 } });
  const fates = new Map<string, string[]>();
  const note = (text: string, fate: string): void =>
    void (fates.get(text) ?? fates.set(text, []).get(text)!).push(fate);
  for (let i = 0; i < 2_000; i++) {
    client.send(`m${i}`, i % 7 === 0 ? { ifOpen: true } : i % 5 === 0 ? { maxAge: 50 } : undefined);
    await world.run(world.random() * 20);
    if (world.random() < 0.02) world.server.last.cut();
  }
  await Promise.all([client.close(), world.run(5_000)]);
  for (const { data, reason } of told.drops) note(String(data), reason);
  for (const { handedOver } of world.server.connections)
    for (const data of handedOver) note(String(data), 'handed over');
  expect(fates.size).toBe(2_000);
  expect([...fates].filter(([, all]) => all.length !== 1)).toEqual([]);
  expect(new Set([...fates.values()].flat())).toEqual(
    new Set(['handed over', 'full', 'expired', 'not-open', 'closed']),
  );
});
