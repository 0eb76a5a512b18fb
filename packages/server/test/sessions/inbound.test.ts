// What becomes of a client's message? Strictly one at a time and in order: begin → handler → commit → ack.
import { describe, expect, test, vi } from 'vitest';
import { CLOSE, END, encodeMessage, encodeVolatile } from '@holdfast/session/wire';
import type { SessionStore } from '../../src/sessions/store.ts';
import { createGate, createWorld, each, late, settled, type Gate } from './world.ts';

/** What a store was asked, as `begin 1-3`. */
function ranges(store: SessionStore): { store: SessionStore; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    store: {
      ...store,
      begin(lease, from, to) {
        asked.push(`begin ${from}-${to}`);
        return store.begin(lease, from, to);
      },
      commit(lease, from, to, ...transaction) {
        asked.push(`commit ${from}-${to}`);
        return store.commit(lease, from, to, ...transaction);
      },
      abandon(lease) {
        asked.push('abandon');
        return store.abandon(lease);
      },
    },
  };
}

describe('messages', () => {
  test('come in order, text as text and binary as binary, each with its name', () => {
    const node = createWorld().node();
    const socket = node.join();
    socket.say(encodeMessage(1, 0, 'grüß'));
    socket.say(encodeMessage(2, 0, Uint8Array.of(1, 2, 3)));
    socket.say(encodeMessage(3, 0, ''));
    expect(node.handled.map(({ sid, seq, data }) => [sid, seq, data])).toEqual([
      [socket.ready.sid, 1, 'grüß'],
      [socket.ready.sid, 2, Uint8Array.of(1, 2, 3)],
      [socket.ready.sid, 3, ''],
    ]);
  });

  test('with a store that answers at once, one is handled and committed before the next frame is read', () => {
    const world = createWorld();
    const { store, asked } = ranges(world.memory);
    world.store = store;
    const node = world.node();
    node.handle = ({ seq }) => void asked.push(`handle ${seq}`);
    node.join().sendMessages(1, 2);
    expect(asked).toEqual(['begin 1-1', 'handle 1', 'commit 1-1', 'begin 2-2', 'handle 2', 'commit 2-2']);
  });

  test('that come while others are handled are the next batch, of at most 64', async () => {
    const world = createWorld();
    const { store, asked } = ranges(late(world.memory));
    world.store = store;
    const node = world.node();
    const socket = node.dial().open();
    await settled();
    socket.sendMessages(1, 100);
    await settled();
    expect(node.seqs).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(asked).toEqual(['begin 1-1', 'commit 1-1', 'begin 2-65', 'commit 2-65', 'begin 66-100', 'commit 66-100']);
  });

  test('I10: handlers of one session never overlap, those of two sessions may', async () => {
    const world = createWorld();
    const node = world.node();
    const gates: Gate[] = [];
    let running = 0;
    let most = 0;
    node.handle = async () => {
      most = Math.max(most, ++running);
      const gate = createGate();
      gates.push(gate);
      await gate.promise;
      running--;
    };
    const socket = node.join();
    socket.sendMessages(1, 3);
    for (let i = 0; i < 3; i++) {
      expect(gates).toHaveLength(i + 1);
      gates[i]!.open();
      await settled();
    }
    expect(most).toBe(1);
    node.join().sendMessages(1);
    node.join().sendMessages(1);
    expect(running).toBe(2);
    for (const gate of gates) gate.open();
    await settled();
  });

  test('that were committed already are dropped, and acknowledged again', async () => {
    const world = createWorld();
    const node = world.node();
    const socket = node.join();
    socket.sendMessages(1, 2);
    await world.time.pass(250);
    const { length } = socket.raw;
    socket.sendMessages(1);
    expect(node.seqs).toEqual([1, 2]);
    await world.time.pass(250);
    expect(socket.frames.slice(length)).toEqual([{ type: 'ack', received: 2 }]);
  });

  test('with a gap before them close with 4803, and the session lives', () => {
    const node = createWorld().node();
    const socket = node.join();
    socket.sendMessages(1);
    socket.sendMessages(3);
    expect(socket.closed).toEqual({ code: CLOSE.protocol, reason: 'gap' });
    expect(node.seqs).toEqual([1]);
    expect(node.rejoin(socket, { sent: 3 }).ready.received).toBe(1);
  });

  test('that are no frames close with 4803 and a reason that repeats nothing of them', () => {
    const socket = createWorld().node().join();
    socket.say('d1.0');
    expect(socket.closed?.code).toBe(CLOSE.protocol);
    expect(socket.closed?.reason).toMatch(/^malformed/);
  });

  test('above maxMessage close with 1009, by which a client knows a message that never gets through', () => {
    const node = createWorld().node({ maxMessage: 10 });
    const [small, large, huge] = [node.join(), node.join(), node.join()];
    small.say(encodeMessage(1, 0, 'é'.repeat(5)));
    expect(small.closed).toBeUndefined();
    large.say(encodeMessage(1, 0, 'é'.repeat(5) + 'x'));
    huge.say(encodeMessage(1, 0, new Uint8Array(1_000)));
    expect([large.closed?.code, huge.closed?.code]).toEqual([1009, 1009]);
    expect(node.handled).toHaveLength(1);
  });

  test('that are volatile are told by an event, before the session ends, and are no part of the order', () => {
    const node = createWorld().node();
    const socket = node.join();
    socket.say(encodeVolatile('here'));
    socket.say(encodeVolatile(Uint8Array.of(7)));
    expect(node.told).toEqual([
      { name: 'volatile', value: 'here' },
      { name: 'volatile', value: Uint8Array.of(7) },
    ]);
    expect(node.handled).toEqual([]);
  });
});

describe('a handler that fails', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('typo');
      },
    ],
    ['rejects', () => Promise.reject(new Error('typo'))],
  ])('because it %s is reported, and its message counts', async (_, handle) => {
    const node = createWorld().node();
    node.handle = handle;
    const socket = node.join();
    socket.sendMessages(1, 2);
    await settled();
    expect(node.seqs).toEqual([1, 2]);
    expect(node.errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
      ['HANDLER_FAILED', 'typo'],
      ['HANDLER_FAILED', 'typo'],
    ]);
    expect(socket.closed).toBeUndefined();
    socket.say('p0');
    expect(socket.acked).toBe(2);
  });
});

describe('acknowledgements', () => {
  test('I3: nothing is acknowledged before it is committed', async () => {
    const world = createWorld();
    const commit = createGate();
    world.store = { ...world.memory, commit: (...args) => commit.promise.then(() => world.memory.commit(...args)) };
    const node = world.node();
    const handler = createGate();
    node.handle = () => handler.promise;
    const socket = node.join();
    socket.sendMessages(1);
    socket.say('p0');
    await world.time.pass(1_000);
    handler.open();
    await world.time.pass(1_000);
    socket.say('p0');
    expect(socket.acked).toBe(0);
    commit.open();
    await world.time.pass(250);
    expect(socket.acked).toBe(1);
  });

  test('come after 32 messages', () => {
    const socket = createWorld().node().join();
    socket.sendMessages(1, 31);
    expect(socket.acked).toBe(0);
    socket.sendMessages(32);
    expect(socket.acked).toBe(32);
    socket.sendMessages(33, 63);
    expect(socket.acked).toBe(32);
  });

  test('come after a quarter of the bytes that the client keeps', () => {
    const socket = createWorld().node().join({ window: 400 });
    socket.say(encodeMessage(1, 0, 'x'.repeat(99)));
    expect(socket.acked).toBe(0);
    socket.say(encodeMessage(2, 0, 'x'));
    expect(socket.acked).toBe(2);
  });

  test('come 250 ms after the first message, and at no other time', async () => {
    const world = createWorld();
    const socket = world.node().join();
    socket.sendMessages(1);
    await world.time.pass(200);
    socket.sendMessages(2);
    await world.time.pass(49);
    expect(socket.acked).toBe(0);
    await world.time.pass(1);
    expect(socket.acked).toBe(2);
    const { length } = socket.raw;
    await world.time.pass(10_000);
    expect(socket.raw).toHaveLength(length);
  });

  test('come with every answer to a ping, and then nothing more is owed', async () => {
    const world = createWorld();
    const socket = world.node().join();
    socket.sendMessages(1, 3);
    socket.say('p0');
    expect(socket.last).toEqual({ type: 'pong', received: 3 });
    const { length } = socket.raw;
    await world.time.pass(1_000);
    expect(socket.raw).toHaveLength(length);
  });

  test('that were early do not make the next one late: 250 ms count from the first message that is owed', async () => {
    const world = createWorld();
    const socket = world.node().join();
    socket.sendMessages(1, 32); // arms at 0, acknowledged at once
    await world.time.pass(200);
    socket.sendMessages(33);
    await world.time.pass(249);
    expect(socket.acked).toBe(32);
    await world.time.pass(1);
    expect(socket.acked).toBe(33);
  });

  test('cost at most one wake in 250 ms, however many messages come', () => {
    const world = createWorld();
    const wake = vi.spyOn(world.time, 'wake');
    const socket = world.node().join();
    const before = wake.mock.calls.length;
    socket.sendMessages(1, 10_000);
    expect(wake.mock.calls.length - before).toBeLessThanOrEqual(1);
  });
});

describe('I13: a client that sends faster than its messages are handled', () => {
  test.each([
    ['messages', { maxMessages: 10 }],
    ['bytes', { maxBytes: 20 }],
  ])('is not read above the bound of %s, and again below half of it', async (_, bounds) => {
    const node = createWorld().node(bounds);
    const gates: Gate[] = [];
    node.handle = () => {
      const gate = createGate();
      gates.push(gate);
      return gate.promise;
    };
    const socket = node.join();
    const say = (seq: number) => socket.say(encodeMessage(seq, 0, 'xx'));
    for (let seq = 1; seq <= 10; seq++) say(seq);
    expect(socket.reading).toBe('flowing');
    say(11);
    expect(socket.reading).toBe('paused');
    for (let seq = 1; seq <= 11; seq++) {
      gates[seq - 1]!.open();
      await settled();
    }
    expect(socket.reading).toBe('flowing');
    expect(node.seqs).toHaveLength(11);
  });
});

describe('batches of slow handlers', () => {
  test('are committed as far as they got after 50 ms, so that the client hears of it', async () => {
    const world = createWorld();
    const { store, asked } = ranges(world.memory);
    world.store = store;
    const node = world.node();
    node.handle = () => new Promise<void>((resolve) => world.time.wake(world.time.now() + 30, resolve));
    const socket = node.join();
    socket.sendMessages(1, 6);
    await world.time.pass(180);
    expect(asked).toEqual([
      'begin 1-1',
      'commit 1-1',
      'begin 2-6',
      'commit 2-3',
      'begin 4-6',
      'commit 4-5',
      'begin 6-6',
      'commit 6-6',
    ]);
    await world.time.pass(250);
    expect(socket.acked).toBe(6);
  });
});

describe('a handler that is in flight when the socket goes', () => {
  test('finishes, and its message is committed; what waited behind it comes again from the client', async () => {
    const node = createWorld().node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    socket.sendMessages(1, 3);
    socket.break();
    expect(node.told).toEqual([{ name: 'close' }]);
    gate.open();
    await settled();
    expect(node.seqs).toEqual([1]);
    const after = node.rejoin(socket, { sent: 3 });
    expect(after.ready.received).toBe(1);
    after.sendMessages(2, 3);
    await settled();
    expect(node.seqs).toEqual([1, 2, 3]);
  });
});

describe('an end that the client says', () => {
  test('waits for the messages before it, and tells what the client had not acknowledged', async () => {
    const node = createWorld().node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    await node.session.send('a');
    await node.session.send('b');
    socket.ack(1);
    socket.sendMessages(1, 2);
    socket.say(END);
    expect(socket.closed).toBeUndefined();
    gate.open();
    await settled();
    expect(node.seqs).toEqual([1, 2]);
    expect(socket.closed?.code).toBe(1000);
    expect(node.told).toEqual([
      { name: 'close' },
      { name: 'ended', value: { reason: 'ended', undelivered: [expect.objectContaining({ seq: 2, data: 'b' })] } },
    ]);
    expect(node.rejoin(socket, { received: 2, sent: 2 }).last).toEqual({ type: 'lost', reason: 'ended' });
  });

  test('counts although the socket goes right after it: that client does not come back', async () => {
    const node = createWorld().node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    socket.sendMessages(1, 2);
    socket.say(END);
    socket.break();
    gate.open();
    await settled();
    expect(node.seqs).toEqual([1, 2]);
    expect(node.told.at(-1)).toEqual({ name: 'ended', value: { reason: 'ended', undelivered: [] } });
  });
});

describe('a store that fails', () => {
  const failures = [
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ] as const;

  test.each(failures)('and %s at begin: 4804, nothing is handled, and the session lives', async (_, begin) => {
    const world = createWorld();
    const node = world.node({ store: { ...world.memory, begin } });
    const socket = node.join();
    socket.sendMessages(1);
    await settled();
    expect(socket.closed?.code).toBe(CLOSE.store);
    expect(node.handled).toEqual([]);
    expect(node.errors.map(({ code }) => code)).toEqual(['STORE_FAILED']);
    expect(node.rejoin(socket, { sent: 1 }).ready.received).toBe(0);
  });

  test.each(failures)(
    'and %s at commit: what was handled is committed when it comes again, and not handled twice',
    async (_, fail) => {
      const world = createWorld();
      let isDown = true;
      const commit: SessionStore['commit'] = (...args) => (isDown ? fail() : world.memory.commit(...args));
      const node = world.node({ store: { ...world.memory, commit } });
      const socket = node.join();
      socket.sendMessages(1);
      await settled();
      expect(socket.closed?.code).toBe(CLOSE.store);
      isDown = false;
      const after = node.rejoin(socket, { sent: 1 });
      expect(after.ready.received).toBe(0);
      after.sendMessages(1, 2);
      expect(node.seqs).toEqual([1, 2]);
      after.say('p0');
      expect(after.acked).toBe(2);
    },
  );

  test('nor if the next socket breaks before it has come again', () => {
    const world = createWorld();
    let isDown = true;
    const store = each(world.memory, (ask, name) => {
      if (name === 'commit' && isDown) throw new Error('down');
      return ask();
    });
    const node = world.node({ store });
    const socket = node.join();
    socket.sendMessages(1);
    isDown = false;
    node.rejoin(socket, { sent: 1 }).break();
    node.rejoin(socket, { sent: 1 }).sendMessages(1);
    expect(node.seqs).toEqual([1]);
  });

  test('nor if that socket went while the store was asked for the session', async () => {
    const world = createWorld((store) => late(store, settled));
    let isDown = true;
    const store = each(world.store, (ask, name) =>
      name === 'commit' && isDown ? Promise.reject(new Error('down')) : ask(),
    );
    const node = world.node({ store });
    const socket = await node.joinLate();
    socket.sendMessages(1);
    await world.time.pass(10);
    isDown = false;
    node.rejoin(socket, { sent: 1 }).break();
    await world.time.pass(10);
    const last = node.rejoin(socket, { sent: 1 });
    await world.time.pass(10);
    last.sendMessages(1);
    await world.time.pass(10);
    expect(node.seqs).toEqual([1]);
  });

  test('in between on another node, it is handled again: that node knows nothing of it', async () => {
    const world = createWorld();
    let isDown = true;
    const commit: SessionStore['commit'] = (...args) => {
      if (isDown) throw new Error('down');
      return world.memory.commit(...args);
    };
    world.store = { ...world.memory, commit };
    const [one, other] = [world.node(), world.node()];
    const socket = one.join();
    socket.sendMessages(1);
    isDown = false;
    const away = other.rejoin(socket, { sent: 1 });
    away.break();
    const back = one.rejoin(away, { sent: 1 });
    back.sendMessages(1);
    expect(one.seqs).toEqual([1, 1]);
  });

  test.each(['duplicate', 'gap'] as const)('and answers %s, which cannot be, closes with 4804', (answer) => {
    const world = createWorld();
    const node = world.node({ store: { ...world.memory, begin: () => answer } });
    const socket = node.join();
    socket.sendMessages(1);
    expect(socket.closed?.code).toBe(CLOSE.store);
  });

  test('I7: a commit that is fenced closes with 4802, and acknowledges nothing', async () => {
    const world = createWorld();
    const [one, other] = [world.node({ takeoverTimeout: 100 }), world.node({ takeoverTimeout: 100 })];
    const gate = createGate();
    one.handle = () => gate.promise;
    const socket = one.join();
    socket.sendMessages(1);
    const after = other.rejoin(socket, { sent: 1 });
    await world.time.pass(100);
    expect(after.ready.received).toBe(0);
    gate.open();
    await world.time.pass(1_000);
    expect(socket.closed?.code).toBe(CLOSE.superseded);
    expect(socket.acked).toBe(0);
    expect(one.told).toEqual([{ name: 'close' }]);
  });
});

describe('message.commit()', () => {
  /** A store that can commit in a transaction: until that is over, what it committed is not there. */
  function transactional() {
    const world = createWorld();
    const commits: unknown[] = [];
    world.store = {
      ...world.memory,
      commit(lease, from, to, transaction) {
        commits.push([from, to, transaction]);
        return Promise.resolve(transaction === 'rolled back' ? 'ok' : world.memory.commit(lease, from, to));
      },
    };
    return { world, commits };
  }

  test('commits in the transaction of the application, and the half does not commit that message again', async () => {
    const { world, commits } = transactional();
    const node = world.node();
    node.handle = (message) => message.commit('tx');
    const socket = node.join();
    socket.sendMessages(1, 3);
    await settled();
    expect(commits).toEqual([
      [1, 1, 'tx'],
      [2, 2, 'tx'],
      [3, 3, 'tx'],
    ]);
    socket.say('p0');
    expect(socket.acked).toBe(3);
  });

  test('commits what was handled before it too', async () => {
    const { world, commits } = transactional();
    const node = world.node();
    const first = createGate();
    node.handle = (message) => (message.seq === 1 ? first.promise : message.seq === 4 ? message.commit() : undefined);
    const socket = node.join();
    socket.sendMessages(1, 5);
    first.open();
    await settled();
    expect(commits).toEqual([
      [1, 1, undefined],
      [2, 4, undefined],
      [5, 5, undefined],
    ]);
  });

  test('is waited for although the handler does not', async () => {
    const { world, commits } = transactional();
    const node = world.node();
    node.handle = (message) => void message.commit();
    node.join().sendMessages(1, 2);
    await settled();
    expect(commits).toEqual([
      [1, 1, undefined],
      [2, 2, undefined],
    ]);
  });

  test('tells the client when the handler is done, since a transaction may still be rolled back', async () => {
    const { world } = transactional();
    const node = world.node();
    const gate = createGate();
    node.handle = async (message) => {
      await message.commit('tx');
      await gate.promise;
    };
    const socket = node.join();
    socket.sendMessages(1);
    await settled();
    socket.say('p0');
    expect(socket.acked).toBe(0);
    gate.open();
    await settled();
    socket.say('p0');
    expect(socket.acked).toBe(1);
  });

  test('that was rolled back with its transaction is made up for when the handler throws', async () => {
    const { world, commits } = transactional();
    const node = world.node();
    node.handle = async (message) => {
      await message.commit(message.seq === 2 ? 'rolled back' : 'tx');
      if (message.seq === 2) throw new Error('serialization failure');
    };
    const socket = node.join();
    socket.sendMessages(1, 3);
    await settled();
    expect(commits).toEqual([
      [1, 1, 'tx'],
      [2, 2, 'rolled back'],
      [2, 2, undefined],
      [3, 3, 'tx'],
    ]);
    expect(node.errors.map(({ code }) => code)).toEqual(['HANDLER_FAILED']);
    socket.say('p0');
    expect(socket.acked).toBe(3);
  });

  test('that went through counts although the handler throws afterwards', async () => {
    const { world } = transactional();
    const node = world.node();
    node.handle = async (message) => {
      await message.commit('tx');
      throw new Error('afterwards');
    };
    const socket = node.join();
    socket.sendMessages(1, 2);
    await settled();
    expect(socket.closed).toBeUndefined();
    socket.say('p0');
    expect(socket.acked).toBe(2);
  });

  test('rejects when somebody else has the session, so that the transaction rolls back; that is no fault of the handler', async () => {
    const { world } = transactional();
    const [one, other] = [world.node({ takeoverTimeout: 100 }), world.node({ takeoverTimeout: 100 })];
    const gate = createGate();
    let rejection: unknown;
    one.handle = async (message) => {
      await gate.promise;
      try {
        await message.commit('tx');
      } catch (cause) {
        rejection = cause;
        throw cause;
      }
    };
    const socket = one.join();
    socket.sendMessages(1);
    other.rejoin(socket, { sent: 1 });
    await world.time.pass(100);
    gate.open();
    await world.time.pass(10);
    expect(rejection).toMatchObject({ code: 'SESSION_FENCED' });
    expect(one.errors).toEqual([]);
    expect(socket.closed?.code).toBe(CLOSE.superseded);
  });

  test('rejects when the session has ended', async () => {
    const { world } = transactional();
    const node = world.node();
    const gate = createGate();
    const commits: Promise<void>[] = [];
    node.handle = async (message) => {
      await gate.promise;
      const commit = message.commit('tx');
      commits.push(commit);
      await commit;
    };
    const socket = node.join();
    socket.sendMessages(1);
    world.memory.end({ sid: socket.ready.sid }, 'ended', 1_000);
    gate.open();
    await expect(Promise.all(commits.length ? commits : [settled().then(() => commits[0])])).rejects.toMatchObject({
      code: expect.stringMatching(/^SESSION_/),
    });
  });

  test('rejects when the store fails, and the message is not counted: it comes again', async () => {
    const world = createWorld();
    let isDown = true;
    const commit: SessionStore['commit'] = (lease, from, to) =>
      isDown ? Promise.reject(new Error('down')) : world.memory.commit(lease, from, to);
    const node = world.node({ store: { ...world.memory, commit } });
    let rejection: unknown;
    node.handle = async (message) => {
      await message.commit('tx').catch((cause: unknown) => {
        rejection = cause;
        throw cause;
      });
    };
    const socket = node.join();
    socket.sendMessages(1);
    await settled();
    expect(rejection).toMatchObject({ code: 'STORE_FAILED' });
    expect(socket.closed?.code).toBe(CLOSE.store);
    isDown = false;
    node.rejoin(socket, { sent: 1 }).sendMessages(1);
    await settled();
    expect(node.seqs).toEqual([1, 1]);
  });

  test('with a transaction that the store cannot join is misuse, and the message is committed as ever', async () => {
    const node = createWorld().node();
    const rejections: unknown[] = [];
    node.handle = (message) => message.commit('tx').catch((cause: unknown) => rejections.push(cause));
    const socket = node.join();
    socket.sendMessages(1);
    await settled();
    expect(rejections).toEqual([expect.objectContaining({ code: 'INVALID_OPTION' })]);
    socket.say('p0');
    expect(socket.acked).toBe(1);
  });

  test('after its handler is done is too late, unless it is committed anyway', async () => {
    const world = createWorld();
    const node = world.node({
      store: each(world.memory, (ask, name) => (name === 'commit' ? settled().then(ask) : ask())),
    });
    const socket = node.join();
    socket.sendMessages(1);
    const [message] = node.handled;
    await expect(message!.commit()).rejects.toMatchObject({ code: 'COMMIT_LATE' });
    await settled();
    await expect(message!.commit()).resolves.toBeUndefined();
  });
});
