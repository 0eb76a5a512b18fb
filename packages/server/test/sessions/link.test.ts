// What does one socket go through before its session is ready? PROTOCOL.md, "Who may say what, and when".
import { describe, expect, test, vi } from 'vitest';
import { CLOSE, END, encodeOpen } from '@holdfast/session/wire';
import { createGate, createWorld, each, late, settled, Socket } from './world.ts';

describe('the greeting', () => {
  test('the server speaks first, and says what it holds and bears', () => {
    const node = createWorld().node();
    const socket = node.dial();
    expect(socket.frames).toEqual([
      { type: 'hello', version: 1, ttl: 120_000, maxMessage: 65_536, heartbeat: 30_000, window: 1_048_576 },
    ]);
  });

  test('a client that says nothing is closed with 4805 after readyTimeout, and not before', async () => {
    const world = createWorld();
    const socket = world.node().dial();
    await world.time.pass(9_999);
    expect(socket.closed).toBeUndefined();
    await world.time.pass(1);
    expect(socket.closed?.code).toBe(CLOSE.notReady);
  });

  test('nothing is counted against one that is gone', async () => {
    const world = createWorld();
    world.node().dial().break();
    expect(world.time.armed).toBe(0);
  });
});

describe('an open', () => {
  test('gets a name and a token that nobody can guess, and the store never sees the token', () => {
    const world = createWorld();
    const opened = vi.fn<(request: unknown) => void>();
    world.store = { ...world.memory, open: (request, bounds) => (opened(request), world.memory.open(request, bounds)) };
    const { ready } = world.node().join();
    expect(ready).toMatchObject({ received: 0, stored: 0 });
    expect(ready.sid).toMatch(/^[\w-]{22}$/);
    expect(ready.token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(opened.mock.calls)).not.toContain(ready.token);
    expect(opened).toHaveBeenCalledWith(
      expect.objectContaining({ tokenHash: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    );
  });

  test('authorize is told the request, the identity of the upgrade and what the client says of itself', () => {
    const authorize = vi.fn<(credentials: unknown) => string>(() => 'ada');
    createWorld()
      .node({ authorize })
      .join({ auth: { ticket: 7 } });
    expect(authorize).toHaveBeenCalledExactlyOnceWith({
      request: '/live',
      identity: 'from the upgrade',
      auth: { ticket: 7 },
    });
  });

  test('the application hears of the session before any of its messages, and after the client was told', () => {
    const node = createWorld().node();
    const socket = node.join();
    socket.sendMessages(1);
    expect(node.sessions).toEqual([{ session: node.session, resumed: false }]);
    expect(node.session).toMatchObject({ principal: 'ada', identity: 'from the upgrade', isConnected: true });
    expect(node.session.sid).toBe(socket.ready.sid);
  });

  test('that authorize refuses is closed with 4401, which core takes for a refusal', () => {
    const socket = createWorld()
      .node({ authorize: () => false })
      .dial()
      .open();
    expect(socket.closed?.code).toBe(4401);
    expect(socket.frames.map(({ type }) => type)).toEqual(['hello']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['gives no text', () => 7 as unknown as string],
    ['gives an empty text', () => ''],
  ])('is asked to come back later if authorize %s', async (_, authorize) => {
    const node = createWorld().node({ authorize });
    const socket = node.dial().open();
    await settled();
    expect(socket.closed).toEqual({ code: 1013, reason: 'retry-after=5.000' });
    expect(node.errors.map(({ code }) => code)).toEqual(['AUTHORIZE_FAILED']);
  });

  test('is asked to come back later if authorize gives no answer in time, whatever it says after that', async () => {
    const world = createWorld();
    let answer: (principal: string) => void = () => {};
    const node = world.node({ authorize: () => new Promise<string>((resolve) => (answer = resolve)) });
    const socket = node.dial().open();
    await world.time.pass(5_000);
    expect(socket.closed).toEqual({ code: 1013, reason: 'retry-after=5.000' });
    expect(node.errors.map(({ code }) => code)).toEqual(['ADMISSION_TIMEOUT']);
    answer('ada');
    await settled();
    expect(node.sessions).toEqual([]);
  });

  test('above maxSessions is lost as limit, and told to come back slowly', () => {
    const node = createWorld().node({ maxSessions: 1 });
    node.join();
    const socket = node.dial().open();
    expect(socket.last).toEqual({ type: 'lost', reason: 'limit' });
    expect(socket.closed).toEqual({ code: 1013, reason: 'retry-after=5.000' });
  });

  test('above maxSessionsPerPrincipal is lost as limit, and others are not', () => {
    const node = createWorld().node({ maxSessionsPerPrincipal: 1 });
    node.join();
    expect(node.dial().open().last).toEqual({ type: 'lost', reason: 'limit' });
    node.join({ auth: 'grace' });
  });

  test('whose client went while the store was asked leaves no session behind', async () => {
    const opened: string[] = [];
    const world = createWorld((store) => ({
      ...late(store),
      open(request, bounds) {
        opened.push(request.sid);
        return late(store).open(request, bounds);
      },
    }));
    const node = world.node();
    node.dial().open().break();
    await world.time.pass(10);
    expect(node.sessions).toEqual([]);
    expect(opened).toHaveLength(1);
    expect(await node.half.send(opened[0]!, 'anybody?')).toBe(false);
  });

  test('is closed with 4804 if the store throws or rejects', async () => {
    for (const fail of [
      () => {
        throw new Error('down');
      },
      () => Promise.reject(new Error('down')),
    ]) {
      const world = createWorld((store) => ({ ...store, open: fail }));
      const node = world.node();
      const socket = node.dial().open();
      await settled();
      expect(socket.closed?.code).toBe(CLOSE.store);
      expect(node.errors.map(({ code }) => code)).toEqual(['STORE_FAILED']);
    }
  });
});

describe('what is said out of turn', () => {
  test.each([
    ['a message', 'd1.0:x'],
    ['an ack', 'a1'],
    ['a volatile message', 'v:x'],
    ['no frame at all', 'hello'],
    ['an empty message', ''],
    ['a frame of more than 4096 bytes', encodeOpen({ attempt: 1, holders: [1], window: 1, auth: 'é'.repeat(2_048) })],
    ['a version that we do not speak', 'O{"v":2,"att":1,"by":[1],"win":1}'],
  ])('%s before the session is ready closes with 4803', (_, frame) => {
    const socket = createWorld().node().dial();
    socket.say(frame);
    expect(socket.closed?.code).toBe(CLOSE.protocol);
    socket.open(); // and then nothing means anything
    expect(socket.frames).toHaveLength(1);
  });

  test('a second open while the first is decided closes with 4803', () => {
    const node = createWorld().node({ authorize: () => new Promise<string>(() => {}) });
    const socket = node.dial().open();
    socket.open();
    expect(socket.closed?.code).toBe(CLOSE.protocol);
  });

  test('a second open once it is ready closes with 4803', () => {
    const socket = createWorld().node().join();
    socket.open();
    expect(socket.closed?.code).toBe(CLOSE.protocol);
  });

  test('a capital letter that nobody knows is ignored, before and after', () => {
    const socket = createWorld().node().dial();
    socket.say('Znothing');
    socket.open();
    socket.say('Znothing');
    expect(socket.closed).toBeUndefined();
    expect(socket.last?.type).toBe('ready');
  });

  test('a heart that beats while we decide is answered', () => {
    const node = createWorld().node({ authorize: () => new Promise<string>(() => {}) });
    const socket = node.dial().open();
    socket.say('p0');
    expect(socket.last).toEqual({ type: 'pong', received: 0 });
  });

  test('an end before the session is ready is a close', () => {
    const socket = createWorld().node().dial();
    socket.say(END);
    expect(socket.closed?.code).toBe(1000);
  });
});

describe('a resume', () => {
  test('gets what was missed, what is committed, and no second token', async () => {
    const world = createWorld();
    const node = world.node();
    const before = node.join();
    before.sendMessages(1, 3);
    before.break();
    await node.session.send('missed');
    const after = node.rejoin(before, { acked: 0, sent: 3 });
    expect(after.ready).toEqual({ type: 'ready', sid: before.memory.sid, received: 3, stored: 1, token: undefined });
    expect(after.messages).toEqual([[1, 'missed']]);
    expect(node.sessions.map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  test('of what nobody knows is lost as unknown, and an open follows on the same socket', () => {
    const node = createWorld().node();
    const socket = node.dial().resume_({ sid: 'nobody', token: 'nothing' });
    expect(socket.last).toEqual({ type: 'lost', reason: 'unknown' });
    expect(socket.closed).toBeUndefined();
    expect(socket.open().last?.type).toBe('ready');
  });

  test('after which nothing follows is closed with 4805', async () => {
    const world = createWorld();
    const socket = world.node().dial().resume_({ sid: 'nobody', token: 'nothing' });
    await world.time.pass(10_000);
    expect(socket.closed?.code).toBe(CLOSE.notReady);
  });

  test.each([
    ['with another token', { token: 'a'.repeat(43) }],
    ['as another principal', { auth: 'grace' }],
    ['as nobody', { auth: null }],
  ])('%s is lost as unauthorized, and touches nothing', (_, claim) => {
    const node = createWorld().node();
    const before = node.join();
    const thief = node.rejoin(before, claim);
    expect(thief.last).toEqual({ type: 'lost', reason: 'unauthorized' });
    expect(before.closed).toBeUndefined();
    before.sendMessages(1);
    expect(node.seqs).toEqual([1]);
  });

  test('authorize is asked again, since a token alone is no identity', () => {
    const authorize = vi.fn<() => string>(() => 'ada');
    const node = createWorld().node({ authorize });
    node.rejoin(node.join());
    expect(authorize).toHaveBeenCalledTimes(2);
  });

  test('I8: of a stale attempt is closed with 4801, and changes nothing', () => {
    const node = createWorld().node();
    const before = node.join();
    const newest = node.rejoin(before, { attempt: 5 });
    const stale = node.rejoin(before, { attempt: 5 });
    expect(stale.closed?.code).toBe(CLOSE.stale);
    expect(newest.closed).toBeUndefined();
    newest.sendMessages(1);
    expect(node.seqs).toEqual([1]);
  });

  test('that contradicts the store is lost as regressed, and the application is told', () => {
    const node = createWorld().node();
    const before = node.join();
    before.sendMessages(1, 2);
    before.break();
    const after = node.rejoin(before, { acked: 3, sent: 3 });
    expect(after.last).toEqual({ type: 'lost', reason: 'regressed' });
    expect(node.told).toEqual([{ name: 'close' }, { name: 'ended', value: { reason: 'regressed', undelivered: [] } }]);
  });

  test('to a node that is full goes elsewhere: the session lives', () => {
    const world = createWorld();
    const before = world.node().join();
    const full = world.node({ maxSessions: 1 });
    full.join({ auth: 'grace' });
    const refused = full.rejoin(before);
    expect(refused.closed).toEqual({ code: 1013, reason: 'retry-after=5.000' });
    expect(refused.frames.some(({ type }) => type === 'lost')).toBe(false);
    expect(world.nodes[0]!.rejoin(before).ready.received).toBe(0);
  });

  test('whose client went while the store was asked counts as nobody: a full session then ends', async () => {
    const world = createWorld();
    const asked = createGate();
    const store = each(world.memory, (ask, name) => (name === 'resume' ? asked.promise.then(ask) : ask()));
    const node = world.node({ store, maxMessages: 1 });
    const before = node.join();
    node.rejoin(before).break();
    asked.open();
    await settled();
    expect(before.closed?.code).toBe(CLOSE.superseded);
    expect(await node.half.send(before.memory.sid, 'a')).toBe(true);
    expect(await node.half.send(before.memory.sid, 'b')).toBe(false);
    const after = node.rejoin(before);
    await settled();
    expect(after.last).toEqual({ type: 'lost', reason: 'overflow' });
  });

  test('whose client went while the store was asked gives the lease back', async () => {
    const world = createWorld((store) => late(store, settled));
    const node = world.node();
    const before = Object.assign(node.dial().open(), { memory: { sid: '', token: '' } });
    await world.time.pass(10);
    before.memory = { sid: before.ready.sid, token: before.ready.token! };
    before.break();
    await world.time.pass(10);
    const gone = new Socket();
    node.dial(gone);
    gone.resume_({ ...before.memory, attempt: 2 });
    gone.break();
    await world.time.pass(10);
    await settled();
    expect(node.sessions).toHaveLength(1);
    const after = node.dial(new Socket()).resume_({ ...before.memory, attempt: 3 });
    await world.time.pass(10);
    expect(after.ready.received).toBe(0);
  });
});
