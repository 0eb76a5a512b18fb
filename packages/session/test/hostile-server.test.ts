// What can a server do to a client that it does not mean well?
//
// Whatever it says, nothing throws, nothing is told that was not sent in order, no socket is left behind, and memory stays
// within the client's own bounds. A random case that fails prints its seed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_SEQ,
  MAX_TAG,
  encodeAck,
  encodeHello,
  encodeLost,
  encodeMessage,
  encodePong,
  encodeReady,
  encodeVolatile,
} from '@holdfast/session/wire';
import type { Data } from '@holdfast/core';
import type { WorldConnection } from '@holdfast/testing';
import { HELLO, say, stage, type Stage } from './support/scripted.ts';
import { liveOf } from '../../core/test/support/worlds.ts';

const ready = (more: object = {}): string => encodeReady({ sid: 's1', token: 't1', received: 0, stored: 0, ...more });

/** Breaks the protocol on an open socket: it is closed with 4803, its cause is told, and the session lives on. */
const BREACHES: readonly (readonly [attack: string, frame: Data])[] = [
  ['a gap', encodeMessage(2, 0, 'x')],
  ['the last number there is', encodeMessage(MAX_SEQ, MAX_TAG, 'x')],
  ['an ack of what was never sent', encodeAck(2)],
  ['an ack at the limit', encodeAck(MAX_SEQ)],
  ['a pong that acknowledges too much', encodePong(5)],
  ['a second greeting', encodeHello(HELLO)],
  ['a second ready', ready()],
  ['a loss out of place', encodeLost({ reason: 'expired' })],
  ['a number of zero', 'd0.0:x'],
  ['a number with a zero before it', 'd01.0:x'],
  ['a number with a sign', 'd-1.0:x'],
  ['a number in capitals', 'dA.0:x'],
  ['a number past 48 bits', 'd2rrvthnxtt.0:x'],
  ['a tag past 32 bits', 'd1.1z141z4:x'],
  ['a message without a colon', 'd1.0'],
  ['an unknown small letter', 'zebra'],
  ['an empty frame', ''],
  ['an empty binary frame', new Uint8Array()],
  ['a binary header cut short', new Uint8Array([0x64, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])],
  ['binary flags that nobody defined', new Uint8Array([0x64, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])],
  ['the plain heartbeat’s answer', 'pong'],
  ['a ping, which is for clients', 'p0'],
];

describe('named attacks on an open session', () => {
  it.each(BREACHES)('%s: closed with 4803, and the session goes on on the next socket', async (_, frame) => {
    const { world, opened, server, told, client, sessions, lost, messages } = stage();
    await opened();
    client.send('mine');
    await world.run(10);
    server.send(frame);
    await world.runUntil(() => told.closes.length === 1);
    expect(told.closes[0]!.cause).toMatchObject({ code: 'SESSION_PROTOCOL' });
    await opened(2);
    await world.run(40);
    expect(sessions).toEqual([{ resumed: false }, { resumed: true }]);
    expect([lost, told.messages]).toEqual([[], []]);
    expect(messages()).toEqual([{ seq: 1, data: 'mine' }]);
    expect(liveOf(world)).toHaveLength(1);
  });

  it.each([
    ['an unknown capital letter', 'X whatever'],
    ['a request, which is for servers', 'O{"v":1,"att":1,"win":1}'],
    ['an ack that goes back', encodeAck(0)],
    ['a pong for no ping', encodePong(0)],
  ])('%s: ignored', async (_, frame) => {
    const { world, opened, server, told } = stage();
    await opened();
    server.send(frame);
    say(server, 1);
    await world.run(20);
    expect([told.messages, told.closes]).toEqual([['s1'], []]);
  });
});

/** Where a handshake is answered by something else, the attempt fails and the next one is made. */
const ANSWERS: readonly (readonly [attack: string, answer: string])[] = [
  ['a message before ready', 'd1.0:x'],
  ['an ack before ready', 'a0'],
  ['a second greeting instead of ready', encodeHello(HELLO)],
  ['no token', ready({ token: undefined })],
  ['a token that is no word', 'Y{"sid":"s1","tok":"../../etc","rx":0,"tx":0}'],
  ['a name of an object’s innards', 'Y{"sid":{"__proto__":1},"tok":"t","rx":0,"tx":0}'],
  ['more acknowledged than was written', ready({ received: 1 })],
  ['a position that is no number', 'Y{"sid":"s1","tok":"t1","rx":"0","tx":0}'],
  ['a position past 48 bits', 'Y{"sid":"s1","tok":"t1","rx":281474976710656,"tx":0}'],
  ['a position of a half', 'Y{"sid":"s1","tok":"t1","rx":0.5,"tx":0}'],
  ['JSON that is cut short', 'Y{"sid":"s1"'],
  ['JSON that is null', 'Ynull'],
  ['the end', 'E'],
];

describe('named attacks on the handshake', () => {
  it.each(ANSWERS)('an open answered with %s: the attempt fails, and the next one may succeed', async (_, answer) => {
    const { world, opened, told, script, client } = stage();
    const honest = script.open;
    script.open = (_frame, connection) => connection.send(answer);
    client.send('mine');
    await world.runUntil(() => told.closes.length === 1);
    expect(told.closes[0]).toMatchObject({ opened: false, willReconnect: true });
    script.open = honest;
    await opened();
    await world.run(20);
    expect(liveOf(world)).toHaveLength(1);
    expect(client.queued).toBe(1);
  });

  it('a resume answered for another session: the attempt fails, and nothing of it is believed', async () => {
    const { world, opened, server, script, told, sessions } = stage();
    await opened();
    script.resume = (_, connection) => connection.send(encodeReady({ sid: 's2', token: 't2', received: 0, stored: 0 }));
    server.cut();
    await world.runUntil(() => told.closes.length === 3);
    expect(told.opens).toHaveLength(1);
    expect(sessions).toHaveLength(1);
  });

  it('a loss in answer to an open, and then nothing: given up at the connect timeout', async () => {
    const { world, told, script } = stage({}, { connectTimeout: 1_000 });
    script.open = (_, connection) => connection.send(encodeLost({ reason: 'limit' }));
    await world.runUntil(() => told.closes.length === 1);
    expect(world.now).toBe(1_000);
    expect(told.closes[0]!.cause).toMatchObject({ code: 'CONNECT_TIMEOUT' });
  });

  it('losses for ever in answer to resumes: one loss for each session, and no more than one session each', async () => {
    const { world, script, lost, sessions, server, opened } = stage();
    await opened();
    script.resume = (_, connection) => connection.send(encodeLost({ reason: 'expired' }));
    script.open = (_, connection) => {
      connection.send(ready());
      connection.close(1011);
    };
    server.cut();
    await world.run(120_000);
    expect(lost.length).toBeGreaterThan(1);
    expect(sessions.length - lost.length).toBeLessThanOrEqual(1);
  });

  it('a greeting with a bound of one byte: messages are refused at the call, and held ones stay held', async () => {
    const { script, client, opened } = stage();
    script.hello = encodeHello({ ...HELLO, maxMessage: 1 });
    await opened();
    expect([client.send('ab'), client.send('a')]).toEqual([false, 'sent']);
  });
});

describe('a flood', () => {
  it('of volatile messages and repeated ones is told, or not, and held nowhere', async () => {
    const { world, opened, server, told, heard } = stage();
    await opened();
    say(server, 1);
    for (let i = 0; i < 5_000; i++) say(server, 1);
    for (let i = 0; i < 100; i++) server.send(encodeVolatile('v'));
    await world.run(20);
    expect(told.messages).toHaveLength(101);
    expect(heard.length).toBeLessThan(5_100);
    expect(world.timers).toBe(1);
  });

  it('of acknowledgements is one acknowledgement', async () => {
    const { world, opened, server, client } = stage();
    await opened();
    client.send('a');
    await world.run(10);
    for (let i = 0; i < 1_000; i++) server.send(encodeAck(1));
    await world.run(20);
    expect(client.queued).toBe(0);
  });
});

describe('2 000 fuzzed frames', () => {
  const honest = [
    encodeHello(HELLO),
    ready(),
    encodeLost({ reason: 'expired' }),
    encodeMessage(1, 77, 'text'),
    encodeAck(1),
    encodePong(0),
    'E',
    'v:x',
  ];
  const frames = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.constantFrom(...honest), fc.nat({ max: 60 }), fc.string({ maxLength: 3 }))
      .map(([frame, at, other]) =>
        typeof frame === 'string' ? frame.slice(0, at) + other + frame.slice(at + 1) : frame,
      ),
    fc.constantFrom(...honest),
  );

  it('at any moment: nothing throws, nothing is told out of order, and a kind server gets through afterwards', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { minLength: 11, maxLength: 25 }), async (said) => {
        count += said.length;
        await afterThat(said);
      }),
      { numRuns: 200 },
    );
    expect(count).toBeGreaterThan(2_000);
  }, 120_000);

  async function afterThat(said: readonly Data[]): Promise<void> {
    const act: Stage = stage(
      { auth: { user: 'ada' } },
      { connectTimeout: 500, reconnect: { initialDelay: 10, maxDelay: 50 } },
    );
    const { world, script, client, told, reports } = act;
    const [open, resume] = [script.open, script.resume];
    const rest = said.slice();
    const speak = (connection: WorldConnection): void => {
      if (rest.length > 0) connection.send(rest.shift()!);
    };
    script.open = (frame, connection) => (rest.length % 2 ? open(frame, connection) : speak(connection));
    script.resume = (frame, connection) => (rest.length % 2 ? resume(frame, connection) : speak(connection));
    for (let i = 0; i < 5; i++) client.send(`m${i}`);
    while (rest.length > 0) {
      await world.run(20);
      if (world.server.last.isOpen) speak(world.server.last);
    }
    script.open = open;
    script.resume = ({ sid, acked, received }, connection) =>
      connection.send(encodeReady({ sid, token: undefined, received: acked, stored: received }));
    await world.run(2_000);
    await world.runUntil(() => client.status === 'open', 120_000);
    expect(client.queued).toBeLessThanOrEqual(5);
    expect(reports.filter(({ code }) => code === 'LISTENER_THREW')).toEqual([]);
    expect(told.ends).toEqual([]);
    await Promise.all([client.close(), world.run(2_500)]);
    expect(liveOf(world)).toEqual([]);
  }
});
