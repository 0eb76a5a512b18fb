import { describe, expect, it } from 'vitest';
import {
  newClient,
  newWorld,
  openClient,
  refusing,
  whilst,
  type NewClientOptions,
  type Told,
} from './support/worlds.ts';
import { slow } from './support/slow.ts';
import { tap } from './support/tap.ts';
import type { Client, SendResult } from '@holdfast/core';
import type { World, WorldConnection } from '@holdfast/testing';

const TIMEOUT = 10_000;
const PROOF_DELAY = 1_000;
const LEAST: NewClientOptions = { delivery: 'at-least-once' };

const texts = (n: number, prefix = 'm'): string[] => Array.from({ length: n }, (_, i) => `${prefix}${i}`);
const reasons = (told: Told): string[] => told.drops.map(({ data, reason }) => `${String(data)} ${reason}`);
const handedOver = ({ server }: World): string[][] =>
  server.connections.map((connection) => connection.handedOver.map(String));
const received = ({ server }: World): string[] => server.connections.flatMap((each) => each.received.map(String));

/** Open, and one proof has come, so that this peer is known to reply. */
async function provenClient(world: World, options: NewClientOptions = LEAST) {
  const watched = await openClient(world, { ...LEAST, ...options });
  watched.client.send('first');
  await Promise.all([watched.client.flush(), world.run(4 * world.latency + 10)]);
  return watched;
}

async function dies(world: World, told: Told, link: WorldConnection = world.server.last): Promise<void> {
  const closes = told.closes.length;
  link.cut();
  await world.runUntil(() => told.closes.length > closes);
}

/** Until the next socket is open. */
async function reopens(world: World, told: Told): Promise<void> {
  const opens = told.opens.length;
  await world.runUntil(() => told.opens.length > opens);
}

describe.each<[string, NewClientOptions]>([
  ['text pings', LEAST],
  ['ping frames', { ...LEAST, runtime: { pingFrames: true } }],
])('at least once, with %s', (_name, least) => {
  it('T31: what is not proven goes out again, first and in order; what is proven does not', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    for (const text of texts(3)) expect(client.send(text)).toBe('sent');
    await dies(world, told);
    expect(told.closes[0]!.unconfirmed).toBe(3);
    expect(client.queued).toBe(3);
    client.send('later');
    await reopens(world, told);
    client.send('last');
    await Promise.all([client.flush(), world.run(100)]);
    expect(handedOver(world)).toEqual([
      ['first', 'm0', 'm1', 'm2'],
      ['m0', 'm1', 'm2', 'later', 'last'],
    ]);
    expect(client.queued).toBe(0);
    expect(told.drops).toEqual([]);
  });

  it('T31: and only for those who asked for it', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { ...least, delivery: 'at-most-once' });
    client.send('x');
    await dies(world, told);
    await reopens(world, told);
    await world.run(10_000);
    expect(handedOver(world)).toEqual([['x'], []]);
  });

  it('T33: the link dies three times in the middle of 1 000: no loss, order kept, only what was unproven comes twice', async () => {
    const world = newWorld();
    const { adapter } = slow(world, () => 1, least.runtime);
    const { client, told } = newClient(world, { ...LEAST, adapter });
    const all = texts(1_000);
    for (const text of all) client.send(text);
    for (let death = 1; death <= 3; death++) {
      await world.runUntil(() => client.status === 'open' && client.queued < 1_000 - 200 * death);
      await dies(world, told);
    }
    await world.runUntil(() => client.queued === 0 && client.status === 'open');
    expect(told.drops).toEqual([]);
    expect(new Set(received(world))).toEqual(new Set(all));
    let proven = 0;
    handedOver(world).forEach((sent, i) => {
      expect(sent).toEqual(all.slice(proven, proven + sent.length)); // in order, from the first that is not proven
      proven += sent.length - (told.closes[i]?.unconfirmed ?? 0);
    });
    expect(proven).toBe(1_000);
  });

  it('T33: also where none of the three deaths leaves time for a proof', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, least);
    const all = texts(1_000);
    for (const text of all) client.send(text);
    let deaths = 0;
    world.server.onMessage = (connection) => {
      if (connection.received.length !== 300 || deaths === 3) return;
      deaths++;
      connection.cut();
      connection.silence();
    };
    await world.runUntil(() => deaths === 3 && client.queued === 0 && client.status === 'open');
    expect(told.drops).toEqual([]);
    expect(world.server.connections.length).toBe(4);
    expect(new Set(received(world))).toEqual(new Set(all));
  });

  it('a proof is asked for 1 s after the first message that is owed one, for all that came meanwhile', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world, least.runtime);
    const { client } = await openClient(world, { ...LEAST, adapter });
    const begin = world.now;
    for (let i = 0; i < 10; i++) {
      client.send(`m${i}`);
      await world.run(50);
    }
    await world.run(PROOF_DELAY);
    expect(pingTimes()).toEqual([begin + PROOF_DELAY]);
    expect(client.queued).toBe(0);
    await world.run(20_000);
    expect(pingTimes()).toHaveLength(1);
  });

  it('a proof is asked for when a quarter of the messages that are kept is owed one', async () => {
    const world = newWorld();
    const { adapter, written } = tap(world, least.runtime);
    const { client } = await openClient(world, { ...LEAST, adapter, queue: { maxMessages: 400 } });
    for (const text of texts(300)) client.send(text);
    expect(written.map(({ data }) => data).indexOf('m99')).toBe(99);
    expect(written[100]!.data).not.toBe('m100');
    await world.run(10);
    expect(client.queued).toBe(0);
  });

  it('a proof is asked for when a quarter of the bytes that are kept is owed one', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world, least.runtime);
    const { client } = await openClient(world, { ...LEAST, adapter, queue: { maxBytes: 1_048_576 } });
    for (let i = 0; i < 4; i++) client.send('x'.repeat(52_428)); // 209 712 of 262 144
    expect(pingTimes()).toHaveLength(0);
    client.send('x'.repeat(52_432));
    expect(pingTimes()).toHaveLength(1);
  });

  it('what is handed over in one go at an open costs one ping, not one per message', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world, least.runtime);
    const { client, told } = newClient(world, { ...LEAST, adapter });
    for (const text of texts(1_000)) client.send(text);
    await world.runUntil(() => client.queued === 0 && client.status === 'open');
    expect(pingTimes()).toHaveLength(1);
    for (const text of texts(1_000, 'again')) client.send(text);
    await dies(world, told);
    const before = pingTimes().length;
    void client.flush();
    await world.runUntil(() => client.queued === 0 && client.status === 'open');
    expect(pingTimes().length - before).toBe(1);
  });

  it.each([1, 4, 20])('a queue of %i messages asks at most eight times a second', async (maxMessages) => {
    const world = newWorld({ latency: 1 });
    const { adapter, pingTimes } = tap(world, least.runtime);
    const { client } = await openClient(world, { ...LEAST, adapter, queue: { maxMessages } });
    for (let i = 0; i < 5_000; i++) {
      client.send('x');
      await world.run(1);
    }
    const times = pingTimes();
    expect(times.length).toBeLessThanOrEqual(41);
    expect(times.length).toBeGreaterThan(30);
    expect(Math.min(...times.slice(1).map((at, i) => at - times[i]!))).toBeGreaterThanOrEqual(125);
  });

  it.each([
    ['200 messages a second', 5, 'x'],
    ['1 MiB a second', 50, 'x'.repeat(52_428)],
    ['one large message after the other', 250, 'x'.repeat(270_000)],
  ])("%s stay within a server's ten control frames a second", async (_what, every, text) => {
    const world = newWorld({ latency: 20 });
    const { adapter, pingTimes } = tap(world, least.runtime);
    const { client, told } = await openClient(world, { ...LEAST, adapter });
    const begin = world.now;
    for (let i = 0; i * every < 60_000; i++) {
      client.send(text);
      await world.run(every);
    }
    expect(pingTimes().length / ((world.now - begin) / 1_000)).toBeLessThan(9);
    expect(told.drops).toEqual([]);
  });

  it('at the next open, whoever sends again asks for the proof at once', async () => {
    const world = newWorld();
    const { adapter, written } = tap(world, least.runtime);
    const { client, told } = await openClient(world, { ...LEAST, adapter });
    client.send('a');
    client.send('b');
    await dies(world, told);
    await reopens(world, told);
    const again = written.filter(({ socket }) => socket === 2);
    expect(again.slice(0, 2).map(({ data }) => data)).toEqual(['a', 'b']);
    expect(again).toHaveLength(3);
    expect(again[2]!.at).toBe(again[0]!.at);
  });

  it('a proof that is owed for longer than the timeout is a verdict, whatever else arrives', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    const { last } = world.server;
    world.server.reply = undefined;
    client.send('x');
    const begin = world.now;
    while (told.closes.length === 0) {
      last.send('news');
      await world.run(100);
    }
    const late = world.now - begin - PROOF_DELAY - TIMEOUT;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(100);
    expect(told.closes[0]).toMatchObject({ code: 1006, unconfirmed: 1, cause: { code: 'HEARTBEAT_TIMEOUT' } });
    expect(last.wasTerminated).toBe(true);
    world.server.reply = 'pong';
    await world.runUntil(() => client.queued === 0);
    expect(world.server.last.received).toEqual(['x']);
  });

  it('a socket that has proven nothing yet is not judged so', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world, { ...least, heartbeat: { expectReply: 'auto' } });
    client.send('x');
    for (let i = 0; i < 600; i++) {
      world.server.last.send('news');
      await world.run(100);
    }
    expect(told.closes).toEqual([]);
    expect(client.queued).toBe(1);
  });

  it('a ping that was to prove nothing is not taken for one that does', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, { ...least, heartbeat: { interval: 8_000 } });
    world.server.reply = undefined;
    const talk = async (ms: number): Promise<void> => {
      for (let i = 0; i < ms; i += 100) {
        world.server.last.send('news');
        await world.run(100);
      }
    };
    await talk(8_000); // the heartbeat's ping is out; nothing is owed
    client.send('x');
    await talk(PROOF_DELAY + TIMEOUT - 200);
    expect(told.closes).toEqual([]);
    await talk(300);
    expect(told.closes).toHaveLength(1);
  });

  it('T6: a verdict gives pending input its turn first', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    client.send('x');
    await world.run(PROOF_DELAY - 1);
    world.latency = 5_100; // so the proof comes 10.2 s after it is asked for
    await world.run(1);
    world.server.last.send('news');
    await world.run(9_900);
    await world.sleep(400); // the loop is blocked across the deadline, and the proof has come meanwhile
    await world.run(100);
    expect(told.closes).toEqual([]);
    expect(client.queued).toBe(0);
  });

  it('T6: a deadline that fires very late gives the proof another 5 s', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    client.send('x');
    await world.run(PROOF_DELAY);
    await world.sleep(60_000, true);
    await world.run(100);
    expect(told.closes).toEqual([]);
    expect(client.queued).toBe(0);
  });

  it('T6: but once, and then however late', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    world.server.reply = undefined;
    client.send('x');
    await world.run(PROOF_DELAY);
    world.throttleTimers(60_000);
    const begin = world.now;
    while (told.closes.length === 0 && world.now - begin < 300_000) {
      world.server.last.send('news');
      await world.run(1_000);
    }
    expect(told.closes).toHaveLength(1);
    expect(world.now - begin).toBeLessThanOrEqual(181_000);
  });

  it('a host that has suspended us stops the term; resumed, the proof gets the whole of it anew', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, least);
    world.server.reply = undefined;
    client.send('x');
    await world.run(PROOF_DELAY + 8_000);
    world.hint('suspend');
    const { last } = world.server;
    const talk = async (ms: number): Promise<void> => {
      for (let i = 0; i < ms && last.isLive; i += 100) {
        last.send('news');
        await world.run(100);
      }
    };
    await talk(60_000);
    world.hint('resume');
    await talk(TIMEOUT - 100);
    expect(told.closes).toEqual([]);
    await talk(300);
    expect(told.closes).toHaveLength(1);
  });

  it('close() waits for the proofs of what it hands over', async () => {
    const world = newWorld({ latency: 100 });
    const { client, told } = await provenClient(world, least);
    for (const text of texts(5)) client.send(text);
    const begin = world.now;
    let doneAt = 0;
    const closed = client.close().then(() => (doneAt = world.now));
    await Promise.all([closed, world.run(1_000)]);
    expect(doneAt - begin).toBe(400); // the proof there and back, then the closing handshake
    expect(told.drops).toEqual([]);
    expect(told.closes[0]).toMatchObject({ code: 1000, wasClean: true, unconfirmed: 0 });
  });

  it('T27: but on a dead link no longer than closeTimeout, and then each is told as unconfirmed', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, { ...least, closeTimeout: 500 });
    for (const text of texts(3)) client.send(text);
    world.server.last.silence();
    const begin = world.now;
    let doneAt = 0;
    await Promise.all([client.close().then(() => (doneAt = world.now)), world.run(1_000)]);
    expect(doneAt - begin).toBe(500);
    expect(reasons(told)).toEqual(['m0 unconfirmed', 'm1 unconfirmed', 'm2 unconfirmed']);
    expect(client.queued).toBe(0);
  });

  it('close() does not wait for a peer that never proved anything', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world, least);
    client.send('x');
    const begin = world.now;
    let doneAt = 0;
    await Promise.all([client.close().then(() => (doneAt = world.now)), world.run(1_000)]);
    expect(doneAt - begin).toBe(10);
    expect(reasons(told)).toEqual(['x unconfirmed']);
  });

  it('flush() waits for the next socket instead of giving up', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, least);
    world.server.last.silence();
    client.send('a');
    let isDone = false;
    const flushed = client.flush().then(() => (isDone = true));
    await dies(world, told);
    await world.run(0);
    expect(isDone).toBe(false);
    await reopens(world, told);
    await Promise.all([flushed, world.run(20)]);
    expect(world.server.last.received).toEqual(['a']);
  });
});

describe('at least once, a message that kills', () => {
  /** A server that dies of a message before it has replied to anything behind it. */
  const allergicTo = (world: World, isBad: (text: string) => boolean): void => {
    world.server.onMessage = (connection, data) => {
      if (!isBad(String(data))) return;
      connection.cut();
      connection.silence();
    };
  };

  it('is dropped as poison after the third socket in a row that dies with it; all others arrive, in order', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    allergicTo(world, (text) => text === 'bad');
    client.send('m0');
    await Promise.all([client.flush(), world.run(100)]);
    ['bad', 'm1', 'm2'].forEach((text) => client.send(text));
    await world.runUntil(() => client.queued === 0);
    expect(reasons(told)).toEqual(['bad poison']);
    expect(world.server.connections).toHaveLength(5); // the first had proven something, and is not counted
    expect(world.server.last.received).toEqual(['m1', 'm2']);
  });

  it('is alone on the third socket, so that nothing else can be at fault', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    allergicTo(world, (text) => text === 'bad');
    client.send('bad');
    client.send('m1');
    await world.runUntil(() => told.drops.length === 1);
    expect(handedOver(world)).toEqual([['bad', 'm1'], ['bad', 'm1'], ['bad']]);
  });

  it('is not the first one, if that is proven alone: the one behind it is found', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    allergicTo(world, (text) => text === 'bad');
    ['m0', 'm1', 'bad', 'm3'].forEach((text) => client.send(text));
    await world.runUntil(() => client.queued === 0 && client.status === 'open', 4_000_000);
    expect(reasons(told)).toEqual(['bad poison']);
    expect(new Set(received(world))).toEqual(new Set(['m0', 'm1', 'bad', 'm3']));
  });

  it('while it is tried alone, what is sent waits behind it, and volatile messages are refused', async () => {
    const world = newWorld({ latency: 50 });
    const { client, told } = await openClient(world, LEAST);
    let deaths = 0;
    world.server.onMessage = (connection) => {
      if (++deaths > 2) return;
      connection.cut();
      connection.silence();
    };
    client.send('suspect');
    await world.runUntil(() => told.opens.length === 3);
    expect(world.server.last.handedOver).toEqual(['suspect']);
    expect(client.send('behind')).toBe('queued');
    expect(client.send('v', { volatile: true })).toBe(false);
    await world.run(160);
    expect(world.server.last.handedOver).toEqual(['suspect', 'behind']);
    await world.run(2_000);
    expect(reasons(told)).toEqual(['v full']);
    expect(told.writables).toBe(1);
  });

  it('a peer that replies to nothing has its time to, then the rest follows', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world, LEAST);
    client.send('a');
    client.send('b');
    for (let i = 0; i < 2; i++) {
      await dies(world, told);
      await reopens(world, told);
    }
    expect(world.server.last.handedOver).toEqual(['a']);
    await world.run(TIMEOUT + 60);
    expect(world.server.last.handedOver).toEqual(['a', 'b']);
  });

  it("is no message that only our own reconnect() or the host's suspension cut off", async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world, LEAST);
    client.send('a');
    for (let i = 0; i < 5; i++) {
      client.reconnect();
      await reopens(world, told);
    }
    for (let i = 0; i < 5; i++) {
      world.hint('suspend');
      await dies(world, told);
      world.hint('resume');
      await reopens(world, told);
    }
    expect(told.drops).toEqual([]);
    expect(client.queued).toBe(1);
  });

  it('three deaths in a row it takes: a proof in between clears it', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    for (let i = 0; i < 9; i++) {
      client.send(`m${i}`);
      if (i % 3 === 2) await Promise.all([client.flush(), world.run(1_000)]);
      else {
        await dies(world, told);
        await reopens(world, told);
      }
    }
    expect(told.drops).toEqual([]);
    expect(new Set(received(world))).toEqual(new Set(texts(9)));
  });
});

describe('at least once, flush()', () => {
  it('rejects NO_PROOF only where this socket has never proven anything', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client } = await openClient(world, LEAST);
    client.send('a');
    await expect(whilst(client.flush(), world.run(TIMEOUT))).rejects.toMatchObject({ code: 'NO_PROOF' });

    const other = newWorld();
    const proven = await provenClient(other);
    other.server.reply = undefined;
    proven.client.send('a');
    let isOver = false;
    const flushed = proven.client.flush().finally(() => (isOver = true));
    await other.run(TIMEOUT - 1);
    expect([isOver, proven.told.closes.length]).toEqual([false, 0]);
    other.server.reply = 'pong';
    await Promise.all([flushed, other.run(60_000)]); // a verdict, and the next socket proves it
    expect(proven.told.closes).toHaveLength(1);
  });

  it('rejects ENDED when the life ends first', async () => {
    const world = newWorld();
    const { client } = await provenClient(world);
    client.send('a');
    const flushed = client.flush();
    world.server.last.close(4400);
    await expect(whilst(flushed, world.run(20))).rejects.toMatchObject({ code: 'ENDED' });
  });

  it('resolves when all that it waits for was dropped', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, { queue: { maxMessages: 2, overflow: 'drop-oldest' } });
    world.server.reply = undefined;
    client.send('a');
    client.send('b');
    const flushed = client.flush();
    client.send('c');
    client.send('d');
    await Promise.all([flushed, world.run(1)]);
    expect(reasons(told)).toEqual(['a unconfirmed', 'b unconfirmed']);
  });

  it('does not wait for what was sent after it', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('a');
    await dies(world, told);
    const flushed = client.flush();
    client.send('later');
    await reopens(world, told);
    await Promise.all([flushed, world.run(20)]);
    expect(world.server.last.received[0]).toBe('a');
  });
});

describe('at least once, what is held', () => {
  it('T35: counts into the bounds until it is proven; refuse keeps the old', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { ...LEAST, queue: { maxMessages: 3 } });
    expect(texts(5).map((text) => client.send(text))).toEqual(['sent', 'sent', 'sent', false, false]);
    expect(reasons(told)).toEqual(['m3 full', 'm4 full']);
    expect(told.writables).toBe(0);
    await world.run(PROOF_DELAY + 10);
    expect([client.queued, told.writables]).toEqual([0, 1]);
    expect(client.send('again')).toBe('sent');
  });

  it('T35: drop-oldest lets go of what may have arrived as unconfirmed, and of what has not as full', async () => {
    const world = newWorld();
    const options: NewClientOptions = {
      ...LEAST,
      queue: { maxMessages: 3, overflow: 'drop-oldest', highWaterMark: 3 },
      heartbeat: { message: 'p' },
    };
    world.server.ping = 'p';
    const { client, told } = await openClient(world, options);
    world.server.last.stall(true);
    const results = texts(7).map((text) => client.send(text));
    expect(results).toEqual(['sent', 'sent', 'queued', 'queued', 'queued', 'queued', 'queued']);
    expect(reasons(told)).toEqual(['m0 unconfirmed', 'm1 unconfirmed', 'm2 full', 'm3 full']);
    world.server.last.stall(false);
    await Promise.all([client.flush(), world.run(100)]);
    expect(received(world)).toEqual(['m0', 'm1', 'm4', 'm5', 'm6']);
    expect(client.queued).toBe(0);
  });

  it('writable is told when half of the bounds is free again, by proofs', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world, { queue: { maxMessages: 10 } });
    for (const text of texts(11)) client.send(text);
    client.once('writable', () => expect(client.queued).toBeLessThanOrEqual(5));
    await world.run(2_000);
    expect(told.writables).toBe(1);
  });

  it('T36: bytes that the caller changes after send() come the second time as they were', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    const mine = new Uint8Array([1, 2, 3, 4]);
    expect(client.send(mine.subarray(1, 3))).toBe('sent');
    mine.fill(9);
    await dies(world, told);
    await reopens(world, told);
    expect(world.server.last.handedOver).toEqual([new Uint8Array([2, 3])]);
  });

  it.each([0, 1, 1_048_576, 16_777_216])('T40: %i bytes come the same the second time', async (size) => {
    const world = newWorld();
    const { client, told } = await openClient(world, { ...LEAST, queue: { maxBytes: Infinity } });
    const binary = new Uint8Array(size + 8).fill(7).subarray(4, 4 + size);
    const text = 'x'.repeat(size);
    client.send(binary);
    client.send(text);
    await dies(world, told);
    await reopens(world, told);
    const [first, second] = world.server.last.handedOver as [Uint8Array, string];
    expect(Buffer.compare(first, binary)).toBe(0);
    expect(second === text).toBe(true);
  });

  it('T37: 200 000 that go out a second time do so in slices of at most 8 ms', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { adapter, slices } = slow(world, () => 0.003);
    const queue = { maxMessages: Infinity, maxBytes: Infinity };
    const { client, told } = newClient(world, { ...LEAST, adapter, queue, heartbeat: { interval: 1e6 } });
    const all = texts(200_000);
    for (const text of all) client.send(text);
    await world.runUntil(() => told.opens.length > 0 && world.server.last.handedOver.length >= all.length);
    await dies(world, told);
    slices.length = 0;
    await reopens(world, told);
    world.server.reply = 'pong';
    await Promise.all([client.flush(), world.run(20_000)]);
    expect(world.server.last.received.every((data, i) => data === all[i])).toBe(true);
    expect(client.queued).toBe(0);
    expect(Math.max(...slices)).toBeLessThanOrEqual(8.01);
  }, 30_000);

  it('T38: ifOpen and maxAge bind also what a socket has taken: it is not carried to the next, and told', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { client, told } = await openClient(world, LEAST);
    expect(client.send('bound', { ifOpen: true })).toBe('sent');
    expect(client.send('short', { maxAge: 100 })).toBe('sent');
    client.send('kept');
    world.server.reception = { name: 'hanging' };
    await world.run(500);
    expect(told.drops).toEqual([]); // the socket may yet prove them
    await dies(world, told);
    await world.run(1);
    expect(reasons(told)).toEqual(['bound unconfirmed', 'short unconfirmed']);
    world.server.reception = { name: 'open' };
    await world.runUntil(() => told.opens.length === 2, 60_000);
    expect(world.server.last.handedOver).toEqual(['kept']);
  });

  it('T38: what no socket has taken expires as ever', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { ...LEAST, autoConnect: false });
    client.send('x', { maxAge: 100 });
    await world.run(100);
    expect(reasons(told)).toEqual(['x expired']);
  });

  it('T34: a handshake speaks before what is sent again, the open listener behind it', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { ...LEAST, handshake: ({ send }) => send('auth') });
    client.send('a');
    await dies(world, told);
    client.on('open', () => client.send('after'));
    await reopens(world, told);
    await world.run(0);
    expect(world.server.last.handedOver).toEqual(['auth', 'a', 'after']);
  });

  it('T39: after the end send fails at once, and nothing is held', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('held');
    world.server.last.close(4400);
    await world.run(10);
    for (const text of texts(3)) expect(client.send(text)).toBe(false);
    expect(client.queued).toBe(0);
    expect(reasons(told)).toEqual(['held unconfirmed', 'm0 ended', 'm1 ended', 'm2 ended']);
  });

  it('T42: above the high-water mark nothing is handed over; what waits goes behind what is held', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { ...LEAST, queue: { highWaterMark: 100 } });
    const link = world.server.last;
    link.stall(true);
    const all = texts(60);
    const results = all.map((text) => client.send(text));
    expect(results.filter((result) => result === 'sent')).toHaveLength(37);
    await world.run(900);
    expect(link.handedOver).toHaveLength(37);
    link.stall(false);
    await world.run(2_000);
    expect(link.received).toEqual(all);
    expect([client.queued, told.writables]).toEqual([0, 1]);
  });

  it('the second life begins with nothing of the first', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('a');
    await Promise.all([client.close(), world.run(100)]);
    client.connect();
    await reopens(world, told);
    client.send('b');
    await Promise.all([client.flush(), world.run(20)]);
    expect(world.server.last.handedOver).toEqual(['b']);
    expect([client.queued, reasons(told)]).toEqual([0, ['a unconfirmed']]);
  });

  it.each<[string, NewClientOptions]>([
    ['heartbeat', { heartbeat: false }],
    ['queue', { queue: false }],
    ['queue', { queue: { maxMessages: 0 } }],
  ])('needs a %s: %j is refused at the door', (name, options) => {
    const world = newWorld();
    expect(() => newClient(world, { ...LEAST, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(`${name} must be`) }) as Error,
    );
  });
});

describe('at least once, a message that the platform rejects', () => {
  it('T32: fails alone, at the call and from the queue', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { ...LEAST, adapter: refusing(world, (data) => data === 'bad') });
    ['m0', 'bad', 'm1'].forEach((text) => client.send(text));
    await world.runUntil(() => client.status === 'open');
    expect(client.send('bad')).toBe(false);
    expect(client.send('m2')).toBe('sent');
    await Promise.all([client.flush(), world.run(20)]);
    expect(reasons(told)).toEqual(['bad rejected', 'bad rejected']);
    expect(told.drops[0]!.cause).toMatchObject({ message: 'too strange' });
    expect(received(world)).toEqual(['m0', 'm1', 'm2']);
    expect(client.queued).toBe(0);
  });

  it('T32: a second time, it may have arrived the first time', async () => {
    const world = newWorld();
    let isBad = false;
    const { client, told } = await openClient(world, { ...LEAST, adapter: refusing(world, () => isBad) });
    world.server.last.silence();
    client.send('x');
    isBad = true;
    await dies(world, told);
    await reopens(world, told);
    await world.run(0);
    expect(told.drops).toMatchObject([{ data: 'x', reason: 'unconfirmed', cause: { message: 'too strange' } }]);
    isBad = false;
  });

  it.each(['send', 'close'] as const)('T30: a drop listener that calls %s() harms no other message', async (what) => {
    const world = newWorld();
    const { client, told } = await openClient(world, {
      ...LEAST,
      adapter: refusing(world, (data) => data === 'bad'),
      queue: { highWaterMark: 0 },
    });
    world.server.last.stall(true);
    ['m0', 'bad', 'm1'].forEach((text) => client.send(text));
    client.once('drop', () => void (what === 'send' ? client.send('m2') : client.close()));
    world.server.last.stall(false);
    await world.run(100);
    expect(received(world)).toEqual(what === 'send' ? ['m0', 'm1', 'm2'] : ['m0', 'm1']);
    expect(reasons(told).filter((text) => text.startsWith('bad'))).toEqual(['bad rejected']);
    expect(reasons(told).filter((text) => text.endsWith('rejected'))).toHaveLength(1);
  });

  it.each<[string, string | Uint8Array]>([
    ['text', 'x'],
    ['binary, in the memory of the host', new Uint8Array([1, 2])],
  ])(
    "T32: a host's late verdict (%s) is told once, when a proof shows that the socket outlives it",
    async (_, data) => {
      const world = newWorld();
      const { client, told } = await openClient(world, LEAST);
      client.send('before');
      client.send(data);
      client.send('behind');
      world.server.last.reject(typeof data === 'string' ? data : data.slice(), new Error('late'));
      expect(told.drops).toEqual([]);
      await world.run(PROOF_DELAY + 10);
      expect(told.drops).toMatchObject([{ data, reason: 'rejected', cause: { message: 'late' } }]);
      expect(client.queued).toBe(0);
      await dies(world, told);
      await reopens(world, told);
      expect(world.server.last.handedOver).toEqual([]);
    },
  );

  it('T32: of two equal messages both verdicts are told', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('+1');
    client.send('+1');
    for (let i = 0; i < 2; i++) world.server.last.reject('+1', new Error('late'));
    await Promise.all([client.flush(), world.run(PROOF_DELAY + 10)]);
    expect(reasons(told)).toEqual(['+1 rejected', '+1 rejected']);
  });

  it('T26: nothing is told after the end, not even the reply that made the room whose listener ended it all', async () => {
    const world = newWorld();
    const { client } = await openClient(world, { ...LEAST, queue: { maxMessages: 2 } });
    const order: string[] = [];
    client.on('pong', () => order.push('pong')).on('end', () => order.push('end'));
    client.on('writable', () => {
      client.reconnect();
      void client.close();
    });
    for (const text of ['a', 'b', 'refused']) client.send(text);
    await world.run(3_000);
    expect(order).toEqual(['pong', 'end']);
  });

  it('T32: a verdict that comes while the client is closing is told, too', async () => {
    const world = newWorld();
    const { client, told } = await provenClient(world);
    client.send('x');
    const closed = client.close();
    world.server.last.reject('x', new Error('late'));
    await Promise.all([closed, world.run(3_000)]);
    expect(reasons(told)).toEqual(['x rejected']);
  });

  it.each(['at-most-once', 'at-least-once'] as const)(
    'T32: a verdict on a ping is none on a message, %s',
    async (delivery) => {
      const world = newWorld();
      const { told } = await openClient(world, { delivery, heartbeat: { interval: 1_000, timeout: 500 } });
      await world.run(1_001);
      world.server.last.reject('ping', new Error('late'));
      await world.run(100);
      expect(told.drops).toEqual([]);
    },
  );

  it('T32: a verdict on what a handshake says is told to nobody', async () => {
    const world = newWorld();
    const handshake: NewClientOptions['handshake'] = async ({ send, next }) => {
      send('secret');
      await next();
    };
    const { told } = newClient(world, { handshake });
    await world.run(20);
    world.server.last.reject('secret', new Error('late'));
    expect(told.drops).toEqual([]);
  });

  it.each(['at-most-once', 'at-least-once'] as const)(
    'a ping that the platform refuses is owed no reply, %s',
    async (delivery) => {
      const world = newWorld();
      let refusals = 0;
      const adapter = refusing(world, (data) => data === 'ping' && refusals-- > 0);
      const { client, told } = await openClient(world, { delivery, adapter });
      client.send('first');
      await whilst(client.flush(), world.run(100));
      refusals = 1;
      const flushes: Promise<void>[] = [];
      for (const text of ['a', 'b']) {
        client.send(text);
        flushes.push(client.flush());
        await world.run(200);
      }
      await whilst(Promise.all(flushes), world.run(30_000));
      expect(told.closes).toEqual([]);
    },
  );

  it('T32: a verdict that the socket does not outlive was about the socket: the message goes out on the next', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('x');
    world.server.last.reject('x', new Error('sendSocketMessage:fail not connected'));
    await dies(world, told);
    await reopens(world, told);
    await Promise.all([client.flush(), world.run(20)]);
    expect(world.server.last.received).toEqual(['x']);
    expect(told.drops).toEqual([]);
  });

  it('T32: a verdict on what is let go of meanwhile is told with its cause', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, LEAST);
    client.send('x');
    world.server.last.reject('x', new Error('late'));
    world.server.last.close(4400);
    await world.run(20);
    expect(told.drops).toMatchObject([{ data: 'x', reason: 'rejected', cause: { message: 'late' } }]);
  });

  it('T32: a verdict on a message that is not held, or waits, is told as it comes', async () => {
    const world = newWorld();
    const { told } = await provenClient(world);
    world.server.last.reject('first', new Error('after its proof'));
    expect(reasons(told)).toEqual(['first rejected']);
  });
});

describe.each(['at-most-once', 'at-least-once'] as const)('volatile, %s', (delivery) => {
  it('goes to the open socket at once, past what waits, and is never sent again', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { delivery });
    const link = world.server.last;
    expect(client.send('v', { volatile: true })).toBe('sent');
    expect(client.queued).toBe(0);
    await dies(world, told, link);
    expect(told.closes[0]!.unconfirmed).toBe(0);
    await reopens(world, told);
    await world.run(2_000);
    expect(handedOver(world)).toEqual([['v'], []]);
  });

  it('is refused where no socket is open, and not queued', async () => {
    const world = newWorld();
    const { client, told } = newClient(world, { delivery });
    expect(client.send('v', { volatile: true })).toBe(false);
    await world.runUntil(() => client.status === 'open');
    void client.close();
    expect(client.send('w', { volatile: true })).toBe(false);
    await world.run(100);
    expect(client.send('x', { volatile: true })).toBe(false);
    expect(reasons(told)).toEqual(['v not-open', 'w closed', 'x closed']);
    expect(received(world)).toEqual([]);
  });

  it('T42: is refused as full above the high-water mark, and writable says when it will do', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, {
      delivery,
      heartbeat: { interval: 1e6 },
      queue: { highWaterMark: 0 },
    });
    world.server.last.stall(true);
    client.send('v0', { volatile: true });
    expect(client.send('v1', { volatile: true })).toBe(false);
    await world.run(1_000);
    expect([reasons(told), told.writables]).toEqual([['v1 full'], 0]);
    world.server.last.stall(false);
    await world.run(50);
    expect(told.writables).toBe(1);
    expect(client.send('v2', { volatile: true })).toBe('sent');
  });

  it('T32: that the platform rejects is told', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world, { delivery });
    client.send('v', { volatile: true });
    world.server.last.reject('v', new Error('late'));
    expect(told.drops).toMatchObject([{ data: 'v', reason: 'rejected' }]);
  });
});

it('T30: in a crowd of sends, at least once, every one is either proven or told', async () => {
  const world = newWorld({ seed: 31 });
  const { client, told } = newClient(world, {
    ...LEAST,
    queue: { maxMessages: 20, overflow: 'drop-oldest', maxAge: 700 },
    reconnect: { initialDelay: 300 },
  });
  const accepted = new Map<string, SendResult>();
  const drops = new Map<string, number>();
  client.on('drop', ({ data }) => drops.set(String(data), (drops.get(String(data)) ?? 0) + 1));
  for (let i = 0; i < 2_000; i++) {
    accepted.set(`m${i}`, sendAny(client, i));
    await world.run(world.random() * 20);
    if (world.random() < 0.02) world.server.last.cut();
  }
  await Promise.all([client.close(), world.run(5_000)]);
  const arrived = new Set(received(world));
  const fates = [...accepted].map(([text, result]) => ({ text, result, drops: drops.get(text) ?? 0 }));
  expect(fates.filter((fate) => fate.drops > 1 || (fate.result === false && fate.drops === 0))).toEqual([]);
  expect(fates.filter(({ text, drops: told }) => told === 0 && !arrived.has(text))).toEqual([]);
  expect(new Set(told.drops.map(({ reason }) => reason))).toEqual(
    new Set(['full', 'expired', 'not-open', 'unconfirmed', 'closed']),
  );

  function sendAny(to: Client, i: number): SendResult {
    return to.send(`m${i}`, i % 7 === 0 ? { ifOpen: true } : i % 5 === 0 ? { maxAge: 50 } : undefined);
  }
});
