// How does a message get to the client? Stored first, then forwarded, in the order of the store, whoever stored it.
import { describe, expect, test, vi } from 'vitest';
import { CLOSE } from '@holdfast/session/wire';
import { createMemoryState } from '../../src/sessions/memory-state.ts';
import { createMemoryStore } from '../../src/sessions/memory-store.ts';
import type { SessionStore } from '../../src/sessions/store.ts';
import { createGate, createWorld, each, late, settled, Socket } from './world.ts';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('send', () => {
  test('resolves true when the message is stored, and it is with the client by then', async () => {
    const node = createWorld().node();
    const socket = node.join();
    expect(await node.session.send('text')).toBe(true);
    expect(await node.session.send(Uint8Array.of(1, 2))).toBe(true);
    expect(socket.messages).toEqual([
      [1, 'text'],
      [2, Uint8Array.of(1, 2)],
    ]);
  });

  test('nothing that a client saw is missing in the store: it is forwarded when the store has it, and not before', async () => {
    const gate = createGate();
    const world = createWorld();
    const node = world.node({
      store: each(world.memory, (ask, name) => (name === 'append' ? gate.promise.then(ask) : ask())),
    });
    const socket = node.join();
    const sent = node.session.send('one');
    await settled();
    expect(socket.messages).toEqual([]);
    gate.open();
    expect(await sent).toBe(true);
    expect(socket.messages).toEqual([[1, 'one']]);
  });

  test('to a store that answers later keeps its order', async () => {
    const world = createWorld((store) => late(store));
    const node = world.node();
    const socket = node.dial().open();
    await settled();
    await Promise.all(numbers(1, 100).map((i) => node.session.send(`${i}`)));
    expect(socket.messages).toEqual(numbers(1, 100).map((i) => [i, `${i}`]));
  });

  test('gives each message a tag of 32 random bits, the same whenever it is sent again', async () => {
    const node = createWorld().node();
    const socket = node.join();
    await node.session.send('one');
    await node.session.send('two');
    socket.break();
    const tags = socket.frames.flatMap((frame) => (frame.type === 'message' ? [frame.tag] : []));
    expect(new Set(tags).size).toBe(2);
    const after = node.rejoin(socket, { received: 1, tag: tags[0]! });
    expect(after.last).toMatchObject({ type: 'message', seq: 2, tag: tags[1] });
  });

  test('copies binary, so that what the caller does to his afterwards changes nothing', async () => {
    const world = createWorld((store) => late(store));
    const node = world.node();
    const socket = node.dial().open();
    await settled();
    const bytes = Uint8Array.of(9, 1, 2, 9);
    const sent = node.session.send(bytes.subarray(1, 3));
    bytes.fill(0);
    await sent;
    expect(socket.messages).toEqual([[1, Uint8Array.of(1, 2)]]);
  });

  test('reads nothing back that this node has just stored', async () => {
    const world = createWorld();
    const read = vi.fn<SessionStore['read']>(world.memory.read);
    for (const wrap of [
      (store: SessionStore) => store,
      (store: SessionStore) => each(store, (ask) => Promise.resolve().then(ask)),
    ]) {
      const node = world.node({ store: wrap({ ...world.memory, read }) });
      const socket = node.dial().open();
      await settled();
      await Promise.all(numbers(1, 50).map((i) => node.session.send(`${i}`)));
      expect(socket.messages).toHaveLength(50);
      expect(read).not.toHaveBeenCalled();
    }
  });

  test.each([
    ['neither text nor binary', {} as string],
    ['more than maxMessage bytes', 'é'.repeat(6)],
  ])('rejects %s', async (_, data) => {
    const node = createWorld().node({ maxMessage: 11 });
    node.join();
    await expect(node.session.send(data)).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('rejects if the store %s, and the socket stays', async (_, append) => {
    const world = createWorld();
    const node = world.node({ store: { ...world.memory, append } });
    const socket = node.join();
    await expect(node.session.send('x')).rejects.toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) });
    expect(socket.closed).toBeUndefined();
  });
});

describe('I4: at the bound', () => {
  test.each([
    ['messages', { maxMessages: 2 }, ['a', 'b']],
    ['bytes', { maxBytes: 4 }, ['éé']],
  ])('of %s send resolves false and stores nothing, until the client has made room', async (_, bounds, fill) => {
    const node = createWorld().node(bounds);
    const socket = node.join();
    for (const data of fill) expect(await node.session.send(data)).toBe(true);
    expect(await node.session.send('c')).toBe(false);
    expect(await node.session.send('c')).toBe(false);
    expect(socket.messages).toHaveLength(fill.length);
    expect(node.told).toEqual([]);
    socket.ack(1);
    expect(node.told).toEqual([{ name: 'writable' }]);
    expect(await node.session.send('c')).toBe(true);
    socket.ack(fill.length + 1);
    expect(node.told).toHaveLength(1); // told once for each time that it was refused
  });

  test('L3: room that a resume makes is told too, for a client that acknowledged on a socket which was dead', async () => {
    const node = createWorld().node({ maxMessages: 1 });
    const socket = node.join();
    await node.session.send('a');
    expect(await node.session.send('b')).toBe(false);
    const tag = socket.last?.type === 'message' ? socket.last.tag : 0;
    node.rejoin(socket, { received: 1, tag });
    expect(node.told.map(({ name }) => name)).toEqual(['close', 'writable']);
    expect(await node.session.send('b')).toBe(true);
  });

  test('with no client there the session ends as overflow, and the application has what it held', async () => {
    const node = createWorld().node({ maxMessages: 1 });
    const socket = node.join();
    socket.break();
    expect(await node.session.send('kept')).toBe(true);
    expect(await node.session.send('too much')).toBe(false);
    expect(node.told.at(-1)).toMatchObject({
      name: 'ended',
      value: { reason: 'overflow', undelivered: [{ seq: 1, data: 'kept' }] },
    });
    expect(node.rejoin(socket).last).toEqual({ type: 'lost', reason: 'overflow' });
    expect(await node.session.send('after')).toBe(false);
  });
});

describe('messages of other nodes', () => {
  test('are forwarded in the order of the store, among those of this one', async () => {
    const world = createWorld();
    const [owner, other] = [world.node(), world.node()];
    const socket = owner.join();
    const { sid } = socket.ready;
    expect(await other.half.send(sid, 'a')).toBe(true);
    expect(await owner.half.send(sid, 'b')).toBe(true);
    expect(await other.half.send(sid, 'c')).toBe(true);
    expect(socket.messages.map(([, data]) => data)).toEqual(['a', 'b', 'c']);
  });

  test('are found when the news of them was lost: with the next of our own, or with the next beat', async () => {
    const world = createWorld((store) => ({ ...store, watch: () => () => {} }));
    const [owner, other] = [world.node(), world.node()];
    const socket = owner.join();
    const { sid } = socket.ready;
    await other.half.send(sid, 'a');
    expect(socket.messages).toEqual([]);
    await owner.half.send(sid, 'b');
    expect(socket.messages.map(([, data]) => data)).toEqual(['a', 'b']);
    await other.half.send(sid, 'c');
    await world.time.pass(30_000);
    expect(socket.messages.map(([, data]) => data)).toEqual(['a', 'b', 'c']);
  });

  test('whose news says no number, comes twice, late or for nothing do no harm', async () => {
    const world = createWorld();
    const watch = vi.spyOn(world, 'store', 'get');
    watch.mockRestore();
    let tell: (sid: string) => void = () => {};
    const store: SessionStore = {
      ...world.memory,
      watch(node, hear) {
        tell = (sid) => hear({ name: 'appended', sid });
        return world.memory.watch(node, hear);
      },
    };
    const node = world.node({ store });
    const socket = node.join();
    const { sid } = socket.ready;
    tell(sid);
    tell('somebody else');
    await node.session.send('a');
    tell(sid);
    tell(sid);
    expect(socket.messages.map(([, data]) => data)).toEqual(['a']);
    await node.session.send('b');
    expect(socket.messages.map(([, data]) => data)).toEqual(['a', 'b']);
    socket.break();
    tell(sid);
  });

  test('that were stored while a read found nothing are not forgotten when that read answers', async () => {
    const world = createWorld();
    const reading = createGate();
    const store: SessionStore = {
      ...world.memory,
      read(...args) {
        const entries = world.memory.read(...args);
        return reading.promise.then(() => entries);
      },
    };
    const node = world.node({ store });
    const socket = node.join();
    await world.time.pass(30_000); // a beat asks, and finds nothing
    await node.session.send('a');
    expect(socket.messages).toEqual([]);
    reading.open();
    await settled();
    expect(socket.messages).toEqual([[1, 'a']]);
  });

  test('that were answered late by the store are not lost by a read that came before them', async () => {
    const world = createWorld();
    const reading = createGate();
    const store = each(world.memory, (ask, name) => {
      if (name !== 'read') return ask();
      const answer = ask(); // as of now, told later
      return reading.promise.then(() => answer);
    });
    const node = world.node({ store });
    const socket = node.join();
    const { sid } = socket.ready;
    world.memory.append(sid, { tag: 1, data: 'a' }, 1, {
      ttl: 1_000,
      maxBytes: 100,
      maxMessages: 100,
      maxPerPrincipal: 1,
    });
    await node.session.send('b');
    await node.session.send('c');
    expect(socket.messages).toEqual([]);
    reading.open();
    await settled();
    expect(socket.messages.map(([, data]) => data)).toEqual(['a', 'b', 'c']);
  });
});

describe('a client that reads slowly', () => {
  test('is sent no more than the high-water mark allows; the rest waits in the store until it acknowledges', async () => {
    const node = createWorld().node({ highWaterMark: 1_000 });
    const socket = node.join();
    socket.bufferedAmount = 1_000;
    for (const i of numbers(1, 100)) expect(await node.session.send(`${i}`)).toBe(true);
    expect(socket.messages).toEqual([]);
    socket.bufferedAmount = 0;
    socket.ack(0);
    expect(socket.messages).toEqual(numbers(1, 100).map((i) => [i, `${i}`]));
  });

  test('in the middle of what was read: nothing is skipped', async () => {
    const node = createWorld().node({ highWaterMark: 10 });
    const socket = node.join();
    socket.bufferedAmount = 10;
    for (const i of numbers(1, 50)) await node.session.send(`${i}`);
    const send = vi.spyOn(socket, 'send').mockImplementation((data) => {
      socket.raw.push(data);
      socket.bufferedAmount += 1;
    });
    while (socket.messages.length < 50) {
      socket.bufferedAmount = 0;
      const before = socket.messages.length;
      socket.say('p0');
      expect(socket.messages.length - before).toBeLessThanOrEqual(10);
      expect(socket.messages.length).toBeGreaterThan(before);
    }
    expect(socket.messages).toEqual(numbers(1, 50).map((i) => [i, `${i}`]));
    send.mockRestore();
  });

  test('gets volatile messages only while there is room, so that they stop no others', async () => {
    const node = createWorld().node({ highWaterMark: 1_000 });
    const socket = node.join();
    socket.bufferedAmount = 499;
    expect(await node.session.send('v', { volatile: true })).toBe(true);
    socket.bufferedAmount = 500;
    expect(await node.session.send('v', { volatile: true })).toBe(false);
    expect(await node.session.send('d')).toBe(true);
    expect(socket.messages).toEqual([[1, 'd']]);
    socket.break();
    expect(await node.session.send('v', { volatile: true })).toBe(false);
  });
});

describe('acknowledgements of the client', () => {
  test('make the store forget, once for each number', async () => {
    const world = createWorld();
    const acknowledge = vi.fn<SessionStore['acknowledge']>(world.memory.acknowledge);
    const node = world.node({ store: { ...world.memory, acknowledge } });
    const socket = node.join();
    for (const i of numbers(1, 3)) await node.session.send(`${i}`);
    socket.ack(2);
    socket.ack(2);
    socket.ack(1);
    socket.say('p3');
    expect(acknowledge.mock.calls.map(([, seq]) => seq)).toEqual([2, 3]);
  });

  test('go to a store that answers later one at a time, the newest number next', async () => {
    const world = createWorld();
    const seqs: number[] = [];
    const acknowledge: SessionStore['acknowledge'] = async (lease, seq) => {
      seqs.push(seq);
      await settled();
      return world.memory.acknowledge(lease, seq);
    };
    const node = world.node({ store: { ...world.memory, acknowledge } });
    const socket = node.join();
    for (const i of numbers(1, 9)) await node.session.send(`${i}`);
    for (const i of numbers(1, 9)) socket.ack(i);
    await settled();
    await settled();
    expect(seqs).toEqual([1, 9]);
  });

  test.each(['a2', 'p2'])('above what was sent close with 4803: %s', async (frame) => {
    const node = createWorld().node();
    const socket = node.join();
    await node.session.send('one');
    socket.say(frame);
    expect(socket.closed).toEqual({ code: CLOSE.protocol, reason: 'ack above sent' });
  });
});

describe('a resume', () => {
  test('sends again what the client has not, oldest first, before anything new', async () => {
    const node = createWorld().node();
    const socket = node.join();
    for (const i of numbers(1, 100)) await node.session.send(`${i}`);
    socket.break();
    await node.session.send('101');
    const tag = socket.frames.flatMap((frame) => (frame.type === 'message' && frame.seq === 40 ? [frame.tag] : []))[0]!;
    const after = node.rejoin(socket, { received: 40, tag });
    await node.session.send('102');
    expect(after.messages).toEqual(numbers(41, 102).map((i) => [i, `${i}`]));
    expect(after.ready.stored).toBe(101);
  });

  test('reads the store in chunks, and waits for each', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node();
    const first = node.dial().open();
    await world.time.pass(10);
    await Promise.all(numbers(1, 100).map((i) => node.session.send(`${i}`)));
    const memory = { sid: first.ready.sid, token: first.ready.token! };
    first.break();
    await world.time.pass(10);
    const after = node.dial(new Socket()).resume_({ ...memory, attempt: 2 });
    for (let i = 0; i < 20; i++) await settled();
    expect(after.messages).toEqual(numbers(1, 100).map((i) => [i, `${i}`]));
  });
});

describe('a store that went back in time under a living lease', () => {
  /** A store that can be set back to where it was. */
  function reversible() {
    const world = createWorld();
    const state = createMemoryState();
    let current = createMemoryStore({ now: world.time.now, state });
    let saved = structuredClone(state);
    const store = { ...current } as Record<string, unknown>;
    for (const name of Object.keys(current) as (keyof SessionStore)[]) {
      store[name] = (...args: unknown[]) => (current[name] as (...args: unknown[]) => unknown)(...args);
    }
    world.store = store as unknown as SessionStore;
    return {
      world,
      save: () => void (saved = structuredClone(state)),
      setBack: () => void (current = createMemoryStore({ now: world.time.now, state: saved })),
    };
  }

  test.each([
    ['with the next message, whose number was given before', 0],
    ['also when another node got the lost number, so that ours is the next', 1],
    ['also when others got more than was lost', 3],
  ])('is noticed before anything is forwarded from it, %s: the client hears regressed', async (_, stolen) => {
    const { world, save, setBack } = reversible();
    const [node, other] = [world.node(), world.node()];
    const socket = node.join();
    save();
    await node.session.send('forgotten');
    setBack();
    for (let i = 0; i < stolen; i++) await other.half.send(socket.ready.sid, 'another first');
    await node.session.send('after it');
    expect(socket.messages).toEqual([[1, 'forgotten']]);
    expect(socket.closed).toEqual({ code: 1012, reason: 'retry-after=0.000' });
    expect(node.told.map(({ name }) => name)).toEqual(['close', 'ended']);
    expect(node.rejoin(socket).last).toEqual({ type: 'lost', reason: 'regressed' });
  });

  test('and has a hole closes with 4804 and forwards nothing behind it', async () => {
    const world = createWorld();
    const read: SessionStore['read'] = (...args) => {
      const entries = world.memory.read(...args);
      return typeof entries === 'string' ? entries : entries.slice(1);
    };
    const [node, other] = [world.node({ store: { ...world.memory, read } }), world.node()];
    const socket = node.join();
    socket.bufferedAmount = 1e9;
    await other.half.send(socket.ready.sid, 'a');
    await other.half.send(socket.ready.sid, 'b');
    socket.bufferedAmount = 0;
    socket.ack(0);
    expect(socket.messages).toEqual([]);
    expect(socket.closed?.code).toBe(CLOSE.store);
  });
});
