// What can a client do to a server that it does not mean well?
//
// Whatever it says: it is refused by a code, the session of somebody else on the same node and store goes on as if nothing
// were, nothing throws, and what is held of it stays within the bounds. A random case that fails prints its seed.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  CLOSE,
  MAX_SEQ,
  MAX_TAG,
  encodeAck,
  encodeHello,
  encodeLost,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodePong,
  encodeReady,
  encodeResume,
  encodeVolatile,
} from '@holdfast/session/wire';
import type { Data } from '@holdfast/core';
import { createWorld, settled, type Node, type Socket, type World } from './world.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Ada, who means well, has a session with one message each way. The attacker is on her node. */
function stage(overrides: Parameters<World['node']>[0] = {}) {
  const world = createWorld();
  const node = world.node(overrides);
  const ada = node.join({ auth: 'ada' });
  ada.sendMessages(1);
  void node.session.send('for ada');
  return { world, node, ada, session: node.session };
}

/** Nothing of hers has changed: she goes on both ways, and comes back. */
async function expectUndisturbed(node: Node, ada: ReturnType<typeof stage>['ada'], seq = 2): Promise<void> {
  expect(ada.closed).toBeUndefined();
  ada.sendMessages(seq);
  ada.say(encodePing(1));
  expect(ada.acked).toBe(seq);
  await node.half.send(ada.memory.sid, 'still for ada');
  expect(ada.messages.at(-1)![1]).toBe('still for ada');
  ada.break();
  const back = node.rejoin(ada, { received: 1, tag: tagOf(ada, 1), acked: seq, sent: seq });
  expect(back.ready).toMatchObject({ sid: ada.memory.sid, received: seq });
  back.break();
}

const tagOf = (socket: Socket, seq: number): number =>
  socket.frames.flatMap((frame) => (frame.type === 'message' && frame.seq === seq ? [frame.tag] : []))[0]!;

describe('before there is a session', () => {
  const attacks: readonly (readonly [attack: string, frame: Data, code: number])[] = [
    ['a message', encodeMessage(1, 0, 'x'), CLOSE.protocol],
    ['a volatile message', encodeVolatile('x'), CLOSE.protocol],
    ['an acknowledgement', encodeAck(0), CLOSE.protocol],
    ['what only a server says', encodePong(0), CLOSE.protocol],
    ['nonsense', 'nonsense', CLOSE.protocol],
    ['nothing', '', CLOSE.protocol],
    ['binary nonsense', new Uint8Array([0, 1, 2]), CLOSE.protocol],
    ['an open of another version', 'O{"v":2,"att":1,"by":[1],"win":1}', CLOSE.protocol],
    ['an open without a number', 'O{"v":1,"by":[1],"win":1}', CLOSE.protocol],
    ['an attempt of zero', 'O{"v":1,"att":0,"by":[1],"win":1}', CLOSE.protocol],
    ['an attempt past 48 bits', 'O{"v":1,"att":281474976710656,"by":[1],"win":1}', CLOSE.protocol],
    ['an attempt that is a text', 'O{"v":1,"att":"1","by":[1],"win":1}', CLOSE.protocol],
    ['a window of nothing', 'O{"v":1,"att":1,"by":[1],"win":0}', CLOSE.protocol],
    ['JSON that is cut short', 'O{"v":1', CLOSE.protocol],
    ['JSON that is a list', 'O[1,1,1]', CLOSE.protocol],
    ['JSON nested a thousand deep', `O${'['.repeat(1_000)}`, CLOSE.protocol],
    [
      'a resume of a name with a path in it',
      'R{"v":1,"att":1,"by":[1],"win":1,"sid":"../x","tok":"t","rx":0,"tag":0,"acked":0,"sent":0}',
      CLOSE.protocol,
    ],
    [
      'a resume of a name with a key’s brackets in it',
      'R{"v":1,"att":1,"by":[1],"win":1,"sid":"{a}:b","tok":"t","rx":0,"tag":0,"acked":0,"sent":0}',
      CLOSE.protocol,
    ],
    [
      'a handshake of more than 4 KiB',
      encodeOpen({ attempt: 1, holders: [1], window: 1, auth: 'x'.repeat(4_096) }),
      CLOSE.protocol,
    ],
  ];

  test.each(attacks)('%s: closed by its code, and nobody else notices', async (_, frame, code) => {
    const { node, ada } = stage();
    const mallory = node.dial();
    mallory.say(frame);
    expect(mallory.closed?.code).toBe(code);
    await expectUndisturbed(node, ada);
  });

  test('two opens on one socket: closed with 4803', async () => {
    const never = new Promise<string>(() => {});
    const { node, ada } = stage({ authorize: ({ auth }) => (auth === 'ada' ? 'ada' : never) });
    const mallory = node.dial().open({ auth: 'mallory' }).open({ auth: 'mallory' });
    expect(mallory.closed?.code).toBe(CLOSE.protocol);
    await expectUndisturbed(node, ada);
  });

  test('silence: closed with 4805, and nothing is armed for it afterwards', async () => {
    const { world, node, ada } = stage();
    const mallory = node.dial();
    await world.time.pass(10_000);
    expect(mallory.closed?.code).toBe(CLOSE.notReady);
    await expectUndisturbed(node, ada);
  });

  test('prototype keys in credentials are data, and change no object', async () => {
    const authorize = vi.fn<(credentials: { auth: unknown }) => string>(() => 'mallory');
    const { node } = stage({ authorize });
    node
      .dial()
      .say(
        'O{"v":1,"att":1,"by":[1],"win":9,"__proto__":{"polluted":1},"auth":{"__proto__":{"polluted":1},"constructor":1}}',
      );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect((authorize.mock.lastCall![0].auth as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('a flood of sessions: as many as one may have, then lost with `limit` and asked to come back slowly', async () => {
    const { node, ada } = stage({ maxSessionsPerPrincipal: 3 });
    const sockets = Array.from({ length: 50 }, () => node.dial().open({ auth: 'mallory', attempt: 1 }));
    const [inside, outside] = [sockets.slice(0, 3), sockets.slice(3)];
    expect(inside.every((socket) => socket.last?.type === 'ready')).toBe(true);
    expect(outside.every((socket) => JSON.stringify(socket.last) === '{"type":"lost","reason":"limit"}')).toBe(true);
    expect(outside.every(({ closed }) => closed?.code === 1013 && /^retry-after=/.test(closed.reason))).toBe(true);
    await expectUndisturbed(node, ada);
  });

  test('a flood of sessions that are left at once: those that are left count too', async () => {
    const { node, ada } = stage({ maxSessionsPerPrincipal: 3 });
    let ready = 0;
    for (let i = 0; i < 50; i++) {
      const socket = node.dial().open({ auth: 'mallory', attempt: 1 });
      if (socket.last?.type === 'ready') ready++;
      socket.break();
    }
    expect(ready).toBe(3);
    await expectUndisturbed(node, ada);
  });

  test('a flood of sessions of everybody: as many as the node may keep', async () => {
    const { node, ada } = stage({ maxSessions: 10 });
    for (let i = 0; i < 50; i++) node.dial().open({ auth: `m${i}`, attempt: 1 });
    expect(node.sessions.length).toBe(10);
    await expectUndisturbed(node, ada);
  });
});

describe('with what is somebody else’s', () => {
  const claim = { received: 0, tag: 0, acked: 0, sent: 1 };

  test('a stolen token without its principal: lost as unauthorized, and nothing is touched', async () => {
    const { node, ada } = stage();
    const mallory = node.dial().resume_({ ...ada.memory, ...claim, auth: 'mallory', attempt: 99 });
    expect(mallory.last).toEqual({ type: 'lost', reason: 'unauthorized' });
    await expectUndisturbed(node, ada);
  });

  test('the right principal without the token: the same', async () => {
    const { node, ada } = stage();
    const mallory = node.dial().resume_({ ...ada.memory, token: 'x'.repeat(43), ...claim, attempt: 99 });
    expect(mallory.last).toEqual({ type: 'lost', reason: 'unauthorized' });
    await expectUndisturbed(node, ada);
  });

  test('credentials that are refused: lost as unauthorized', async () => {
    const { node, ada } = stage();
    const mallory = node.dial().resume_({ ...ada.memory, ...claim, auth: { no: 'text' }, attempt: 99 });
    expect(mallory.last).toEqual({ type: 'lost', reason: 'unauthorized' });
    await expectUndisturbed(node, ada);
  });

  test('a name that nobody has: lost as unknown', async () => {
    const { node, ada } = stage();
    const mallory = node.dial().resume_({ sid: 'nobody', token: 't', ...claim, auth: 'mallory' });
    expect(mallory.last).toEqual({ type: 'lost', reason: 'unknown' });
    await expectUndisturbed(node, ada);
  });

  test('a RESUME that was recorded and is played again: 4801, and the living socket stays', async () => {
    const { node, ada } = stage();
    ada.break();
    const back = node.rejoin(ada, { acked: 1, sent: 1, received: 1, tag: tagOf(ada, 1) });
    const replayed = node.dial().resume_({ ...ada.memory, ...claim, acked: 1, attempt: back.attempt });
    expect(replayed.closed?.code).toBe(CLOSE.stale);
    expect(back.closed).toBeUndefined();
    back.sendMessages(2);
    back.say(encodePing(1));
    expect(back.acked).toBe(2);
  });

  test('a copy whose place another holder has taken, with the highest number there is: 4801, and that one stays', async () => {
    const { node, ada } = stage();
    ada.break();
    const rightful = node.rejoin(ada, { holders: [1, 2], acked: 1, sent: 1, received: 1, tag: tagOf(ada, 1) });
    const copy = node.dial().resume_({ ...ada.memory, ...claim, acked: 1, sent: 2, attempt: MAX_SEQ });
    expect(copy.closed?.code).toBe(CLOSE.stale);
    expect(rightful.closed).toBeUndefined();
    rightful.sendMessages(2);
    rightful.say(encodePing(1));
    expect(rightful.acked).toBe(2);
  });

  test.each([
    ['more received than was ever stored', { received: 9, tag: 0, acked: 1, sent: 1 }],
    ['another tag than that of what was received', { received: 1, tag: 12_345, acked: 1, sent: 1 }],
    ['more acknowledged than was committed', { received: 0, tag: 0, acked: 9, sent: 9 }],
    ['less sent than was committed', { received: 0, tag: 0, acked: 0, sent: 0 }],
    ['the last numbers there are', { received: MAX_SEQ, tag: MAX_TAG, acked: MAX_SEQ, sent: MAX_SEQ }],
  ])('a claim that contradicts the store, %s: that session ends as regressed, no other does', async (_, told) => {
    const { node, ada } = stage();
    const mallory = node.join({ auth: 'mallory' });
    mallory.sendMessages(1);
    await node.session.send('for mallory');
    mallory.break();
    const back = node.rejoin(mallory, { ...told, auth: 'mallory' });
    expect(back.last).toEqual({ type: 'lost', reason: 'regressed' });
    await expectUndisturbed(node, ada);
  });
});

describe('in a session', () => {
  const attacks: readonly (readonly [attack: string, frame: Data, code: number])[] = [
    ['a gap', encodeMessage(3, 0, 'x'), CLOSE.protocol],
    ['the last number there is', encodeMessage(MAX_SEQ, 0, 'x'), CLOSE.protocol],
    ['a number of zero', 'd0.0:x', CLOSE.protocol],
    ['a number past 48 bits', 'd2rrvthnxtt.0:x', CLOSE.protocol],
    ['an acknowledgement of what was never sent', encodeAck(2), CLOSE.protocol],
    ['an acknowledgement of the last number there is', encodeAck(MAX_SEQ), CLOSE.protocol],
    ['a ping that acknowledges too much', encodePing(99), CLOSE.protocol],
    ['the plain heartbeat, which is a ping that acknowledges 24 172', 'ping', CLOSE.protocol],
    ['a second open', encodeOpen({ attempt: 2, holders: [1], window: 1, auth: 'mallory' }), CLOSE.protocol],
    [
      'a resume',
      encodeResume({
        attempt: 2,
        holders: [1],
        window: 1,
        auth: 'm',
        sid: 's',
        token: 't',
        received: 0,
        tag: 0,
        acked: 0,
        sent: 0,
      }),
      CLOSE.protocol,
    ],
    ['a small letter that nobody knows', 'x1', CLOSE.protocol],
    ['a message of more than maxMessage', encodeMessage(2, 0, 'x'.repeat(70_000)), 1009],
    ['a binary message of more than maxMessage', encodeMessage(2, 0, new Uint8Array(70_000)), 1009],
    ['a volatile message of more than maxMessage', encodeVolatile('x'.repeat(70_000)), 1009],
  ];

  test.each(attacks)('%s: closed by its code, and the session can be resumed', async (_, frame, code) => {
    const { node, ada } = stage();
    const mallory = node.join({ auth: 'mallory' });
    mallory.sendMessages(1);
    mallory.say(frame);
    expect(mallory.closed?.code).toBe(code);
    mallory.break();
    const back = node.rejoin(mallory, { auth: 'mallory', acked: 0, sent: 1 });
    expect(back.ready).toMatchObject({ sid: mallory.memory.sid, received: 1 });
    await expectUndisturbed(node, ada);
  });

  test.each([
    ['what only a server says', encodeHello({ ttl: 1, maxMessage: 1, heartbeat: 1, window: 1 })],
    ['another thing that only a server says', encodeReady({ sid: 's', token: 't', received: 0, stored: 0 })],
    ['a loss', encodeLost({ reason: 'expired' })],
  ])('%s: an unknown capital letter, and ignored', async (_, frame) => {
    const { node, ada } = stage();
    const mallory = node.join({ auth: 'mallory' });
    mallory.say(frame);
    expect(mallory.closed).toBeUndefined();
    await expectUndisturbed(node, ada);
  });

  test('the same message a thousand times is handled once', async () => {
    const { node, ada } = stage();
    const mallory = node.join({ auth: 'mallory' });
    for (let i = 0; i < 1_000; i++) mallory.sendMessages(1);
    expect(node.seqs.filter((seq) => seq === 1)).toHaveLength(2); // hers and his
    await expectUndisturbed(node, ada);
  });

  test('more than its bound while a handler thinks: it is not read any more, and again when there is room', async () => {
    const { node, ada } = stage({ maxMessages: 10 });
    let open = (): void => {};
    const thinking = new Promise<void>((resolve) => (open = resolve));
    node.handle = ({ data }) => (data === '1' ? thinking : undefined);
    const mallory = node.join({ auth: 'mallory' });
    mallory.sendMessages(1, 30);
    expect(mallory.reading).toBe('paused');
    node.handle = () => {};
    open();
    await settled();
    expect(mallory.reading).toBe('flowing');
    expect(node.seqs.at(-1)).toBe(30);
    await expectUndisturbed(node, ada);
  });

  test('never acknowledging: no more is stored for it than its bound, and the application is told', async () => {
    const { node, ada } = stage({ maxMessages: 10 });
    const mallory = node.join({ auth: 'mallory' });
    const { session } = node;
    const sent = await Promise.all(Array.from({ length: 100 }, (_, i) => session.send(`${i}`)));
    expect(sent.filter(Boolean)).toHaveLength(10);
    expect(mallory.messages).toHaveLength(10);
    await expectUndisturbed(node, ada);
  });

  test('never reading: what is stored waits in the store, not in the socket', async () => {
    const { node, ada } = stage({ highWaterMark: 1_000 });
    const mallory = node.join({ auth: 'mallory' });
    mallory.bufferedAmount = 2_000;
    const { session } = node;
    for (let i = 0; i < 100; i++) await session.send(`${i}`);
    expect(mallory.messages).toEqual([]);
    mallory.bufferedAmount = 0;
    mallory.say(encodePing(0));
    await settled();
    expect(mallory.messages).toHaveLength(100);
    await expectUndisturbed(node, ada);
  });

  test('an end in the middle of its own messages: what was handled is committed, the rest is nobody’s', async () => {
    const { node, ada } = stage();
    const mallory = node.join({ auth: 'mallory' });
    mallory.sendMessages(1);
    mallory.say('E');
    mallory.sendMessages(2);
    await settled();
    expect(node.told.map(({ name }) => name)).toContain('ended');
    expect(node.handled.filter(({ sid }) => sid === mallory.memory.sid).map(({ seq }) => seq)).toEqual([1]);
    await expectUndisturbed(node, ada);
  });

  test('a handler that its message makes throw: told, committed, and not handled for ever', async () => {
    const { node, ada } = stage();
    node.handle = ({ data }) => {
      if (data === '1') throw new Error('poison');
    };
    const mallory = node.join({ auth: 'mallory' });
    mallory.sendMessages(1, 2);
    mallory.say(encodePing(0));
    expect(mallory.acked).toBe(2);
    expect(node.errors.map(({ code }) => code)).toEqual(['HANDLER_FAILED']);
    await expectUndisturbed(node, ada);
  });
});

describe('4 000 fuzzed frames', () => {
  const good = [
    encodeOpen({ attempt: 1, holders: [1], window: 1_000, auth: 'mallory' }),
    encodeResume({
      attempt: 2,
      holders: [1],
      window: 9,
      auth: 'mallory',
      sid: 's',
      token: 't',
      received: 0,
      tag: 0,
      acked: 0,
      sent: 0,
    }),
    encodeMessage(1, 0, 'x'),
    encodeMessage(2, 0, 'y'),
    encodeAck(0),
    encodeAck(1),
    encodePing(0),
    'v:z',
    'E',
  ] as string[];
  const frames = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(...good),
    fc
      .tuple(fc.constantFrom(...good), fc.nat({ max: 80 }), fc.string({ maxLength: 3 }))
      .map(([frame, at, other]) => frame.slice(0, at) + other + frame.slice(at + 1)),
  );

  test('on sockets at every stage: nothing throws, nobody else notices, and nothing is left behind', async () => {
    const { world, node, ada } = stage({ maxSessionsPerPrincipal: 1_000 });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(frames, { minLength: 14, maxLength: 24 }), async (isReady, said) => {
        count += said.length;
        const mallory = isReady ? node.join({ auth: 'mallory' }) : node.dial();
        for (const frame of said) mallory.say(frame);
        await settled();
        mallory.break();
      }),
      { numRuns: 300 },
    );
    expect(count).toBeGreaterThanOrEqual(4_000);
    expect(ada.closed).toBeUndefined();
    expect(node.errors).toEqual([]);
    await expectUndisturbed(node, ada);
    await world.time.pass(1_000_000); // all that is left expires
    expect(node.half.get(ada.memory.sid)).toBeUndefined();
  });
});
