// How does a client get its session back, while its old socket lives, or its handler is in flight, here or elsewhere?
import { describe, expect, test } from 'vitest';
import { CLOSE, END } from '@holdfast/session/wire';
import type { SessionStore } from '../../src/sessions/store.ts';
import { createGate, createWorld, each, settled, type Gate, type Node } from './world.ts';

/** Handlers that wait for the test. */
function gated(node: Node): Gate[] {
  const gates: Gate[] = [];
  node.handle = () => {
    const gate = createGate();
    gates.push(gate);
    return gate.promise;
  };
  return gates;
}

describe('while the old socket lives', () => {
  test('on the same node: the old one is closed with 4802, and the application keeps its session', () => {
    const node = createWorld().node();
    const before = node.join();
    const { session } = node;
    const after = node.rejoin(before);
    expect(before.closed?.code).toBe(CLOSE.superseded);
    expect(node.session).toBe(session);
    expect(session.isConnected).toBe(true);
    before.sendMessages(1); // late frames of the old one
    after.sendMessages(1);
    expect(node.seqs).toEqual([1]);
    before.break();
    expect(session.isConnected).toBe(true);
    expect(node.told).toEqual([{ name: 'close' }]);
  });

  test('on the same node: what a listener of close sends goes to the new one, and may be an end', async () => {
    const world = createWorld();
    const node = world.node();
    const socket = node.join();
    const { session } = node;
    session.once('close', () => void session.send('you were away'));
    const second = node.rejoin(socket);
    await settled();
    expect(second.messages).toEqual([[1, 'you were away']]);
    session.once('close', () => void session.end());
    const third = node.rejoin(socket);
    await settled();
    expect(third.last).toEqual({ type: 'end' });
    expect([session.isConnected, node.half.get(session.sid)]).toEqual([false, undefined]);
  });

  test('on another node: the old one is closed with 4802 as soon as it hears of it, and has no session any more', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const before = one.join();
    other.rejoin(before);
    expect(before.closed?.code).toBe(CLOSE.superseded);
    expect(one.half.get(before.ready.sid)).toBeUndefined();
    expect(one.told).toEqual([{ name: 'close' }]);
    expect(await one.session.send('from where it was')).toBe(true);
    expect(other.sessions).toEqual([{ session: other.session, resumed: true }]);
  });

  test('and no news comes: the old one is fenced at its next step, or at its next beat, and does nothing', async () => {
    const world = createWorld((store) => ({ ...store, watch: () => () => {} }));
    const [one, other] = [world.node(), world.node()];
    const [first, second] = [one.join(), one.join()];
    const [a, b] = [other.rejoin(first, { sent: 1 }), other.rejoin(second)];
    first.sendMessages(1);
    expect(one.handled).toEqual([]);
    expect(first.closed?.code).toBe(CLOSE.superseded);
    expect(second.closed).toBeUndefined();
    await world.time.pass(30_000);
    expect(second.closed?.code).toBe(CLOSE.superseded);
    expect([a.closed, b.closed]).toEqual([undefined, undefined]);
  });

  test('I15: news about an earlier lease does not close the newest socket', async () => {
    const world = createWorld();
    const late: (() => void)[] = [];
    const store: SessionStore = {
      ...world.memory,
      watch: (node, hear) => world.memory.watch(node, (news) => void late.push(() => hear(news))),
    };
    const [one, other] = [world.node({ store }), world.node({ store })];
    const first = one.join();
    const second = other.rejoin(first);
    const third = one.rejoin(second);
    for (const hear of late) hear();
    await settled();
    expect(third.closed).toBeUndefined();
    third.sendMessages(1);
    expect(one.seqs).toEqual([1]);
  });
});

describe('while a handler is in flight', () => {
  test('on the same node: it finishes and is committed first, then the session is given, at once', async () => {
    const node = createWorld().node();
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1, 3);
    const after = node.rejoin(before, { sent: 3 });
    expect(after.last?.type).toBe('hello');
    gates[0]!.open();
    await settled();
    expect(after.ready.received).toBe(1);
    after.sendMessages(2, 3);
    expect(node.seqs).toEqual([1, 2]);
    gates[1]!.open();
    await settled();
    gates[2]!.open();
    await settled();
    expect(node.seqs).toEqual([1, 2, 3]);
  });

  test('on the same node whose socket is gone already: the same', async () => {
    const node = createWorld().node();
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1);
    before.break();
    const after = node.rejoin(before, { sent: 1 });
    expect(after.last?.type).toBe('hello');
    gates[0]!.open();
    await settled();
    expect(after.ready.received).toBe(1);
  });

  test('on another node: that one hears of it, stops after the message in hand, and the session is given at the next asking', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const [gates, before] = [gated(one), one.join()];
    before.sendMessages(1, 3);
    const after = other.rejoin(before, { sent: 3 });
    await world.time.pass(2_000);
    expect(after.last?.type).toBe('hello');
    gates[0]!.open();
    await world.time.pass(200);
    expect(after.ready.received).toBe(1);
    expect(one.seqs).toEqual([1]);
    after.sendMessages(2, 3);
    expect(other.seqs).toEqual([2, 3]);
  });

  test('I10: it is handled twice only when takeoverTimeout has run out, and then its node is fenced', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const [gates, before] = [gated(one), one.join()];
    before.sendMessages(1);
    const after = other.rejoin(before, { sent: 1 });
    await world.time.pass(4_999);
    expect(after.last?.type).toBe('hello');
    await world.time.pass(1);
    expect(after.ready.received).toBe(0);
    after.sendMessages(1);
    expect(other.seqs).toEqual([1]);
    gates[0]!.open();
    await settled();
    other.half.get(before.ready.sid);
    after.say('p0');
    expect(after.acked).toBe(1);
  });

  test('the wait is bounded on the same node too', async () => {
    const world = createWorld();
    const node = world.node();
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1);
    const after = node.rejoin(before, { sent: 1 });
    await world.time.pass(5_000);
    expect(after.ready.received).toBe(0);
    after.sendMessages(1);
    gates[0]!.open(); // of the old lease: it counts for nothing
    await settled();
    after.say('p0');
    expect(after.acked).toBe(0);
    gates[1]!.open();
    await settled();
    after.say('p0');
    expect(after.acked).toBe(1);
  });

  test('a batch is cut at the message in hand, and what was handled of it is committed', async () => {
    const world = createWorld();
    const [one, other] = [
      world.node({ store: each(world.memory, (ask) => Promise.resolve().then(ask)) }),
      world.node(),
    ];
    const gates = gated(one);
    const socket = one.dial().open();
    await settled();
    const before = Object.assign(socket, { memory: { sid: socket.ready.sid, token: socket.ready.token! } });
    before.sendMessages(1, 9);
    await settled();
    gates[0]!.open();
    await settled();
    expect(one.seqs).toEqual([1, 2]); // 2 to 9 are one batch
    const after = other.rejoin(before, { sent: 9 });
    gates[1]!.open();
    await world.time.pass(100);
    expect(after.ready.received).toBe(2);
    expect(one.seqs).toEqual([1, 2]);
  });

  test('a client that gives up its wait leaves the session where it was, and that node goes on after a second', async () => {
    const world = createWorld();
    const [one, other] = [world.node(), world.node()];
    const [gates, before] = [gated(one), one.join()];
    before.sendMessages(1, 2);
    const after = other.rejoin(before, { sent: 2 });
    after.break();
    gates[0]!.open();
    await world.time.pass(999);
    expect(one.seqs).toEqual([1]);
    await world.time.pass(1);
    expect(one.seqs).toEqual([1, 2]);
    gates[1]!.open();
    await settled();
    before.say('p0');
    expect(before.acked).toBe(2);
    expect(before.closed).toBeUndefined();
  });

  test('a client that has said its end and gone is not waited for by a node that stands back', async () => {
    const world = createWorld();
    const node = world.node();
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1, 2);
    const stranger = node.rejoin(before, { sent: 2 });
    stranger.break();
    before.say(END);
    before.break();
    gates[0]!.open();
    await settled();
    gates[1]!.open();
    await settled();
    expect(node.seqs).toEqual([1, 2]);
    expect(node.told.map(({ name }) => name)).toEqual(['close', 'ended']);
  });

  test('a client that has said its end has all its messages handled first, also by a node that stands back', async () => {
    const world = createWorld();
    const node = world.node();
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1, 2);
    node.rejoin(before, { sent: 2 }).break();
    before.say(END);
    gates[0]!.open();
    await world.time.pass(1_000);
    expect(before.closed).toBeUndefined();
    gates[1]!.open();
    await settled();
    expect(node.seqs).toEqual([1, 2]);
    expect(before.closed?.code).toBe(1000);
  });

  test('of two that wait the newer gets it, and the older hears that it is stale', async () => {
    const world = createWorld();
    const [one, two] = [world.node(), world.node()];
    const [gates, before] = [gated(one), one.join()];
    before.sendMessages(1);
    const older = two.rejoin(before, { sent: 1 });
    const newer = one.rejoin(before, { sent: 1 });
    gates[0]!.open();
    await world.time.pass(1_000);
    expect(newer.ready.received).toBe(1);
    expect(older.closed?.code).toBe(CLOSE.stale);
    expect(newer.closed).toBeUndefined();
  });

  test('a store that fails meanwhile closes with 4804', async () => {
    const world = createWorld();
    let asked = 0;
    const resume: SessionStore['resume'] = (...args) => {
      if (++asked > 1) throw new Error('down');
      return world.memory.resume(...args);
    };
    const node = world.node({ store: { ...world.memory, resume } });
    const [gates, before] = [gated(node), node.join()];
    before.sendMessages(1);
    const after = node.rejoin(before, { sent: 1 });
    await world.time.pass(25);
    expect(after.closed?.code).toBe(CLOSE.store);
    gates[0]!.open();
    await settled();
  });
});
