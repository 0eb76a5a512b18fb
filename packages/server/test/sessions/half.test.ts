// What does an application have of its sessions, and what does a node do for them? Ends, time, leaving, limits.
import { describe, expect, test, vi } from 'vitest';
import { END } from '@holdfast/session/wire';
import type { SessionStore } from '../../src/sessions/store.ts';
import { createGate, createWorld, each, late, settled, type Node } from './world.ts';

const names = (node: Node) => node.told.map(({ name }) => name);

describe('a session', () => {
  test('is the same object when its client comes back to this node, with the identity of the newest upgrade', async () => {
    const node = createWorld().node();
    const socket = node.join();
    const { session } = node;
    expect(node.half.get(session.sid)).toBe(session);
    socket.break();
    expect(session.isConnected).toBe(false);
    expect(node.half.get(session.sid)).toBe(session);
    const again = node.dial(undefined, 'newer').resume_({ ...socket.memory, attempt: 2 });
    expect(again.ready.sid).toBe(session.sid);
    expect(node.sessions).toEqual([
      { session, resumed: false },
      { session, resumed: true },
    ]);
    expect(session).toMatchObject({ isConnected: true, identity: 'newer' });
    expect(names(node)).toEqual(['close']);
  });

  test('takes messages while nobody is there, and the client gets them when it comes back, anywhere', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const socket = one.join();
    socket.break();
    expect(await one.session.send('a')).toBe(true);
    expect(await other.half.send(socket.ready.sid, 'b')).toBe(true);
    expect(other.rejoin(socket).messages.map(([, data]) => data)).toEqual(['a', 'b']);
  });

  test('is the same object also if a socket in between went while the store was asked', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node();
    const socket = await node.joinLate();
    const { session } = node;
    socket.break();
    await world.time.pass(10);
    node.rejoin(socket).break();
    await world.time.pass(10);
    node.rejoin(socket);
    await world.time.pass(10);
    expect(node.session).toBe(session);
    expect(names(node)).toEqual(['close']);
  });

  test('that a listener throws in harms nobody, and is reported', async () => {
    const node = createWorld().node();
    const socket = node.join();
    node.session.on('close', () => {
      throw new Error('typo');
    });
    socket.break();
    await settled();
    expect(node.errors.map(({ code }) => code)).toEqual(['LISTENER_THREW']);
    expect(node.rejoin(socket).ready).toBeDefined();
  });
});

describe('end()', () => {
  test('tells the client, and the application what it had not acknowledged; once', async () => {
    const node = createWorld().node();
    const socket = node.join();
    await node.session.send('a');
    await node.session.send('b');
    socket.ack(1);
    const { session } = node;
    await Promise.all([session.end(), session.end()]);
    expect(socket.last).toEqual({ type: 'end' });
    expect(socket.closed?.code).toBe(1000);
    expect(names(node)).toEqual(['close', 'ended']);
    expect(node.told[1]!.value).toMatchObject({ reason: 'ended', undelivered: [{ seq: 2, data: 'b' }] });
    await session.end();
    expect(await session.send('late')).toBe(false);
    expect(session.isConnected).toBe(false);
    expect(node.half.get(session.sid)).toBeUndefined();
    expect(node.rejoin(socket).last).toEqual({ type: 'lost', reason: 'ended' });
  });

  test('with a store that answers later tells the same, although its news come first', async () => {
    const world = createWorld((store) => late(store));
    const node = world.node();
    const socket = node.dial().open();
    await settled();
    await node.session.send('a');
    await node.session.end();
    expect(socket.closed?.code).toBe(1000);
    expect(node.told[1]).toMatchObject({ name: 'ended', value: { reason: 'ended', undelivered: [{ data: 'a' }] } });
  });

  test('while the session overflows tells what the client had not acknowledged, whichever the store takes first', async () => {
    const world = createWorld((store) => late(store));
    const node = world.node({ maxMessages: 1 });
    const socket = await node.joinLate();
    await node.session.send('a');
    socket.break();
    await world.time.pass(10);
    const { session } = node;
    await Promise.all([session.send('b'), session.end()]);
    await world.time.pass(10);
    expect(names(node)).toEqual(['close', 'ended']);
    expect(node.told[1]!.value).toMatchObject({ undelivered: [{ seq: 1, data: 'a' }] });
  });

  test('from another node ends the session where it is served', async () => {
    const world = createWorld();
    const [owner, other] = [world.node(), world.node()];
    const socket = owner.join();
    expect(await other.half.end(socket.ready.sid)).toBe(true);
    expect(socket.last).toEqual({ type: 'end' });
    expect(names(owner)).toEqual(['close', 'ended']);
    expect(await other.half.end(socket.ready.sid)).toBe(false);
  });

  test('while nobody is there', async () => {
    const node = createWorld().node();
    const socket = node.join();
    socket.break();
    await node.session.end();
    expect(names(node)).toEqual(['close', 'ended']);
    expect(node.rejoin(socket).last).toEqual({ type: 'lost', reason: 'ended' });
  });

  test('called by a handler: its message is handled, and nothing more is', async () => {
    const node = createWorld().node();
    node.handle = (message, session) => (message.seq === 1 ? session.end() : undefined);
    const socket = node.join();
    socket.sendMessages(1, 2);
    await settled();
    expect(node.seqs).toEqual([1]);
    expect(socket.closed?.code).toBe(1000);
    expect(node.errors).toEqual([]);
  });

  test('called before the first message, by whoever hears of the session', async () => {
    const world = createWorld();
    const node = world.node();
    const sessions = vi.spyOn(node.sessions, 'push').mockImplementation((...told) => {
      for (const { session } of told) void session.end();
      return told.length;
    });
    const socket = node.dial().open();
    await settled();
    expect(socket.frames.map(({ type }) => type)).toEqual(['hello', 'ready', 'end']);
    expect(sessions).toHaveBeenCalledOnce();
  });

  test('rejects if the store fails, and may be called again', async () => {
    const world = createWorld();
    let isDown = true;
    const end: SessionStore['end'] = (...args) =>
      isDown ? Promise.reject(new Error('down')) : world.memory.end(...args);
    const node = world.node({ store: { ...world.memory, end } });
    const socket = node.join();
    await expect(node.session.end()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(socket.closed).toBeUndefined();
    isDown = false;
    await node.session.end();
    expect(names(node)).toEqual(['close', 'ended']);
  });
});

describe('time', () => {
  test('I6: a session lives for as long as its socket does', async () => {
    const world = createWorld();
    const node = world.node();
    const socket = node.join();
    await world.time.pass(3_600_000);
    socket.sendMessages(1);
    expect(node.seqs).toEqual([1]);
  });

  test('I6: and for ttl without one; then it ends as expired, with what was not delivered', async () => {
    const world = createWorld();
    const node = world.node();
    const [early, late] = [node.join(), node.join()];
    await node.session.send('kept');
    early.break();
    late.break();
    await world.time.pass(119_999);
    expect(node.rejoin(early).ready.received).toBe(0);
    expect(names(node)).toEqual(['close', 'close']);
    await world.time.pass(30_001); // a beat
    expect(node.told.slice(2)).toEqual([
      { name: 'ended', value: { reason: 'expired', undelivered: [expect.objectContaining({ data: 'kept' })] } },
    ]);
    expect(node.rejoin(late).last).toEqual({ type: 'lost', reason: 'expired' });
  });

  test('I6: and ends as expired also if a socket in between went while the store was asked', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node();
    const socket = await node.joinLate();
    socket.break();
    await world.time.pass(10);
    await Promise.all([node.session.send('kept'), world.time.pass(10)]);
    node.rejoin(socket).break();
    await world.time.pass(600_000);
    expect(node.told.at(-1)).toMatchObject({
      name: 'ended',
      value: { reason: 'expired', undelivered: [{ data: 'kept' }] },
    });
  });

  test('I6: and also if a handler goes on for longer than that', async () => {
    const world = createWorld();
    const node = world.node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    await node.session.send('kept');
    socket.sendMessages(1);
    socket.break();
    await world.time.pass(400_000);
    gate.open();
    await world.time.pass(400_000);
    expect(names(node)).toEqual(['close', 'ended']);
    expect(node.told[1]!.value).toMatchObject({ reason: 'expired', undelivered: [{ data: 'kept' }] });
  });

  test('I6: and for all of it after a handler that took as long, though the store is slow to take the session back', async () => {
    const world = createWorld();
    const answered = createGate();
    const store = each(world.memory, (ask, name) => {
      const answer = ask();
      return name === 'release' ? answered.promise.then(() => answer) : answer;
    });
    const node = world.node({ store });
    const handled = createGate();
    node.handle = () => handled.promise;
    const socket = node.join();
    socket.sendMessages(1);
    await world.time.pass(10);
    socket.break();
    await world.time.pass(149_989); // just before a beat
    handled.open();
    await world.time.pass(1_000);
    answered.open();
    await settled();
    expect(node.rejoin(socket, { sent: 1 }).ready.received).toBe(1);
  });

  test('I6: also of one whose client has said its end, while what came before it is handled', async () => {
    const world = createWorld();
    const node = world.node({ ttl: 1_000 });
    const gates = [createGate(), createGate()];
    node.handle = ({ seq }) => gates[seq - 1]!.promise;
    const socket = node.join();
    socket.sendMessages(1, 2);
    socket.say(END);
    socket.break();
    await world.time.pass(3_000);
    for (const gate of gates) {
      gate.open();
      await world.time.pass(10);
    }
    expect(node.seqs).toEqual([1, 2]);
    expect(node.told.at(-1)).toMatchObject({ name: 'ended', value: { reason: 'ended' } });
  });

  test('I6: it lives for ttl also when its node dies with the socket', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const socket = one.join();
    await world.time.pass(100_000);
    // nothing more is heard of `one`
    const touch = vi.spyOn(world.memory, 'touch').mockReturnValue([]);
    await world.time.pass(119_000);
    touch.mockRestore();
    expect(other.rejoin(socket).ready.received).toBe(0);
  });

  test('a session that went to another node does not end on this one', async () => {
    const world = createWorld((store) => ({ ...store, watch: () => () => {} }));
    const [one, other] = [world.node(), world.node()];
    const socket = one.join();
    socket.break();
    other.rejoin(socket);
    await world.time.pass(300_000);
    expect(names(one)).toEqual(['close']);
    expect(one.half.get(socket.ready.sid)).toBeUndefined();
    expect(other.session.isConnected).toBe(true);
  });

  test('one timer serves all sessions, and none is armed without any', async () => {
    const world = createWorld();
    const node = world.node();
    const sockets = Array.from({ length: 50 }, () => node.join());
    expect(world.time.armed).toBe(1);
    for (const socket of sockets) socket.break();
    await world.time.pass(180_000);
    expect(world.time.armed).toBe(0);
  });

  test('a touch names many leases, and a session that is gone is found by it: the client comes to hear why', async () => {
    const world = createWorld((store) => ({ ...store, watch: () => () => {} }));
    const touch = vi.fn<SessionStore['touch']>(world.memory.touch);
    const node = world.node({ store: { ...world.memory, touch } });
    const sockets = Array.from({ length: 300 }, (_, i) => node.join({ auth: `${i}` }));
    world.memory.end({ sid: sockets[7]!.ready.sid }, 'overflow', 1_000);
    await world.time.pass(30_000);
    expect(touch.mock.calls.map(([leases]) => leases.length)).toEqual([1, 256, 43]);
    expect(sockets.filter(({ closed }) => closed)).toEqual([sockets[7]]);
  });

  test('a store that does not answer a touch closes nobody: all would come back at once', async () => {
    const world = createWorld();
    const touch: SessionStore['touch'] = () => Promise.reject(new Error('down'));
    const node = world.node({ store: { ...world.memory, touch } });
    const socket = node.join();
    await world.time.pass(30_000);
    expect(node.errors.map(({ code }) => code)).toEqual(['STORE_FAILED']);
    expect(socket.closed).toBeUndefined();
  });
});

describe('a session that the store says is gone', () => {
  test('for a reason: the client comes again at once, and is told then', async () => {
    const world = createWorld();
    const node = world.node();
    const socket = node.join();
    world.memory.end({ sid: socket.ready.sid }, 'overflow', 1_000);
    expect(socket.closed).toEqual({ code: 1012, reason: 'retry-after=0.000' });
    expect(node.told.at(-1)).toEqual({ name: 'ended', value: { reason: 'overflow', undelivered: [] } });
    expect(node.rejoin(socket).last).toEqual({ type: 'lost', reason: 'overflow' });
  });

  test('only in old news is not: the store is asked first', async () => {
    const world = createWorld();
    let hear: (sid: string) => void = () => {};
    const watch: SessionStore['watch'] = (_, tell) => {
      hear = (sid) => tell({ name: 'gone', sid, reason: 'ended' });
      return () => {};
    };
    const node = world.node({ store: { ...world.memory, watch } });
    const socket = node.join();
    hear(socket.ready.sid);
    hear('somebody else');
    expect(socket.closed).toBeUndefined();
  });
});

describe('a node that leaves', () => {
  test('lets the handler in flight finish, commits and acknowledges that, and begins nothing more', async () => {
    const node = createWorld().node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    socket.sendMessages(1, 2);
    const rested = node.half.rest();
    socket.sendMessages(3);
    gate.open();
    await rested;
    expect(socket.acked).toBe(1);
    expect(node.seqs).toEqual([1]);
    expect(socket.closed).toBeUndefined();
  });

  test('takes nobody in while it rests', async () => {
    const node = createWorld().node();
    const early = node.dial();
    const socket = node.join();
    await node.half.rest();
    expect(early.open().closed?.code).toBe(1012);
    expect(node.dial().closed?.code).toBe(1012);
    expect(socket.closed).toBeUndefined();
  });

  test('waits for a handler no longer than it is told', async () => {
    const world = createWorld();
    const node = world.node();
    const gate = createGate();
    node.handle = () => gate.promise;
    node.join().sendMessages(1);
    let isOver = false;
    void node.half.rest(300).then(() => (isOver = true));
    await world.time.pass(299);
    expect(isOver).toBe(false);
    await world.time.pass(1);
    expect(isOver).toBe(true);
    gate.open();
    await settled();
  });

  test('closes with 1012 and gives its leases back, so that a full session without a client is noticed', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node({ maxMessages: 1 })];
    const socket = one.join();
    await one.half.close();
    expect(socket.closed?.code).toBe(1012);
    expect(names(one)).toEqual(['close']);
    expect(await other.half.send(socket.ready.sid, 'a')).toBe(true);
    expect(await other.half.send(socket.ready.sid, 'b')).toBe(false);
    expect(other.rejoin(socket).last).toEqual({ type: 'lost', reason: 'overflow' });
    await one.half.close();
  });

  test('leaves nothing that another node has to wait for', async () => {
    const world = createWorld((store) => late(store));
    const [one, other] = [world.node(), world.node()];
    const socket = one.dial().open();
    await settled();
    socket.sendMessages(1, 100);
    await one.half.close();
    const memory = { sid: socket.ready.sid, token: socket.ready.token! };
    const after = other.dial().resume_({ ...memory, attempt: 2, sent: 100 });
    await settled();
    expect(after.ready.received).toBe(one.seqs.length);
  });

  test('keeps its sessions alive for as long as it waits for their handlers, longer than ttl also', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const gate = createGate();
    one.handle = () => gate.promise;
    const socket = one.join();
    socket.sendMessages(1);
    const closed = one.half.close(600_000);
    await world.time.pass(400_000);
    gate.open();
    await closed;
    expect(socket.closed?.code).toBe(1012);
    expect(socket.acked).toBe(1);
    expect(other.rejoin(socket, { acked: 1, sent: 1 }).ready.received).toBe(1);
  });

  test.each(['is there', 'is gone'])(
    'begins nothing more for a client that has said its end, whose socket %s, and does not wait for it',
    async (socketIs) => {
      const world = createWorld();
      const node = world.node();
      const gate = createGate();
      node.handle = () => gate.promise;
      const socket = node.join();
      socket.sendMessages(1, 3);
      socket.say(END);
      if (socketIs === 'is gone') socket.break();
      const closed = node.half.close(5_000);
      gate.open();
      await Promise.all([closed, world.time.pass(10)]);
      await world.time.pass(10_000);
      expect(node.seqs).toEqual([1]);
    },
    1_000,
  );

  test('begins nothing for such a client either that goes while the node rests', async () => {
    const world = createWorld();
    const node = world.node();
    const gate = createGate();
    node.handle = () => gate.promise;
    const socket = node.join();
    socket.sendMessages(1, 2);
    socket.say(END);
    const rested = node.half.rest(1_000);
    gate.open();
    await rested;
    socket.break();
    await world.time.pass(10);
    expect(node.seqs).toEqual([1]);
  });

  test('lets the store answer that is ending a session for its client', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node();
    const socket = await node.joinLate();
    await Promise.all([node.session.send('a'), world.time.pass(10)]);
    socket.say(END);
    const closed = node.half.close(1_000);
    for (let i = 0; i < 10; i++) await settled();
    await closed;
    expect(node.told.at(-1)).toMatchObject({ name: 'ended', value: { reason: 'ended', undelivered: [{ data: 'a' }] } });
    expect(socket.closed?.code).toBe(1000);
  });

  test('a handler that outlives it still commits, if the lease stands', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const gate = createGate();
    one.handle = () => gate.promise;
    const socket = one.join();
    socket.sendMessages(1);
    const closed = one.half.close(100);
    await world.time.pass(200);
    await closed;
    gate.open();
    await settled();
    expect(other.rejoin(socket, { sent: 1 }).ready.received).toBe(1);
  });

  test('a client that was promised the session meanwhile is sent away, and loses nothing', async () => {
    const world = createWorld();
    const asked = createGate();
    const node = world.node({
      store: each(world.memory, (ask, name) => (name === 'resume' ? asked.promise.then(ask) : ask())),
    });
    const socket = node.join();
    const after = node.rejoin(socket);
    await node.half.rest();
    asked.open();
    await settled();
    expect(after.closed?.code).toBe(1012);
    await world.time.pass(10);
    const other = world.node();
    expect(other.dial().resume_({ ...socket.memory, attempt: 9 }).ready.received).toBe(0);
  });
});

describe('limits', () => {
  test('a session that waits for its client counts to maxSessions, one that has ended does not', async () => {
    const world = createWorld();
    const node = world.node({ maxSessions: 1 });
    const socket = node.join();
    socket.break();
    expect(node.dial().open().last).toEqual({ type: 'lost', reason: 'limit' });
    expect(node.rejoin(socket).ready).toBeDefined();
    await node.session.end();
    expect(node.dial().open().last?.type).toBe('ready');
  });

  test('maxSessions counts those that the store has not answered for yet', async () => {
    const world = createWorld((store) => late(store, settled));
    const [node, other] = [world.node({ maxSessions: 2 }), world.node()];
    const there = await other.joinLate();
    const sockets = Array.from({ length: 5 }, (_, i) => node.dial().open({ auth: `user-${i}` }));
    const back = node.rejoin(there);
    await world.time.pass(100);
    expect(sockets.map(({ last }) => last?.type)).toEqual(['ready', 'ready', 'lost', 'lost', 'lost']);
    expect(back.closed?.code).toBe(1013);
    sockets[0]!.say(END);
    sockets[1]!.break();
    await world.time.pass(100);
    const more = [node.dial().open(), node.dial().open()];
    await world.time.pass(100);
    expect(more.map(({ last }) => last?.type)).toEqual(['ready', 'lost']);
  });
});

describe('room for more', () => {
  test('is told to nobody whose session has ended', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node({ maxMessages: 1 });
    const socket = await node.joinLate();
    const { session } = node;
    await Promise.all([session.send('a'), world.time.pass(10)]);
    const refused = session.send('b');
    socket.ack(1);
    await refused;
    const ended = session.end();
    for (let i = 0; i < 10; i++) await settled();
    await ended;
    await world.time.pass(10);
    expect(node.told.at(-1)!.name).toBe('ended');
  });

  test('that was made while the store refused a message is told to whoever waits for it then', async () => {
    const world = createWorld((store) =>
      each(store, async (ask, name) => {
        const answer = await ask();
        if (name === 'append') for (let hop = 0; hop < 9; hop++) await answer;
        return answer;
      }),
    );
    const node = world.node({ maxMessages: 2 });
    const socket = await node.joinLate();
    const { session } = node;
    await session.send('a');
    await session.send('b');
    let writables = 0;
    const refused = session.send('c').then((isStored) => {
      session.on('writable', () => writables++);
      return !isStored;
    });
    socket.ack(2);
    expect(await refused).toBe(true);
    await world.time.pass(0);
    expect(writables).toBe(1);
  });
});
