// Does the client's half keep its promises, whatever the other half and the network do?

import type { Data } from '@holdfast/core';
import { describe, expect, it } from 'vitest';
import { CLOSE, encodeHello, encodeMessage, encodeReady, encodeVolatile } from '@holdfast/session/wire';
import { HELLO, ack, lost, reload, say, stage, type Script, type Stage } from './support/scripted.ts';
import { refusing, whilst } from '../../core/test/support/worlds.ts';

/** A server that has received messages, and handled none. */
const nothingCommitted: Script['resume'] = ({ received }, connection) =>
  connection.send(encodeReady({ sid: 's1', token: undefined, received: 0, stored: received }));

describe('coming to terms', () => {
  it('offers the subprotocol first, and the caller’s own after it', async () => {
    const { server, opened } = stage({}, { protocols: ['chat'] });
    await opened();
    expect(server.request.protocols).toEqual(['holdfast-session.v1', 'chat']);
  });

  it('offers by the query where that is asked for, and leaves subprotocols alone', async () => {
    const one = stage({ negotiate: 'query' }, { url: 'ws://world.test/live' });
    const other = stage({ negotiate: 'query' }, { url: 'ws://world.test/?a=1', protocols: 'chat' });
    await Promise.all([one.opened(), other.opened()]);
    expect(one.server.request).toMatchObject({ url: 'ws://world.test/live?holdfast-session=1', protocols: [] });
    expect(other.server.request).toMatchObject({
      url: 'ws://world.test/?a=1&holdfast-session=1',
      protocols: ['chat'],
    });
  });

  it('says nothing before the server has greeted', async () => {
    const { world, server, script, heard, client } = stage();
    script.hello = undefined;
    client.send('x');
    await world.run(4_000);
    expect(heard).toEqual([]);
    server.send(encodeHello(HELLO));
    await world.run(20);
    expect(heard[0]).toMatchObject({ type: 'open', attempt: 1, window: 1_048_576 });
  });

  it('tells the session before the opening, and sends what was queued in order', async () => {
    const { client, sessions, opened, world, messages, told } = stage();
    const order: string[] = [];
    client.on('session', () => order.push('session')).on('open', () => order.push('open'));
    client.send('a');
    client.send('b');
    await opened();
    await world.run(10);
    expect(order).toEqual(['session', 'open']);
    expect(sessions).toEqual([{ resumed: false }]);
    expect(messages()).toEqual([
      { seq: 1, data: 'a' },
      { seq: 2, data: 'b' },
    ]);
    expect(told.closes).toEqual([]);
  });

  it('asks for credentials each time, and waits for them', async () => {
    let asked = 0;
    const { server, opened, heard, world } = stage({ auth: async () => `token ${++asked}` });
    await opened();
    server.cut();
    await opened(2);
    await world.run(0);
    expect(heard.map((frame) => [frame.type, 'auth' in frame && frame.auth])).toEqual([
      ['open', 'token 1'],
      ['resume', 'token 2'],
    ]);
  });

  it.each([
    ['no frame at all', undefined],
    ['another first frame', 'welcome'],
    ['a ready without a greeting', encodeReady({ sid: 's', token: 't', received: 0, stored: 0 })],
  ])('a required session fails the attempt as SESSION_UNSUPPORTED with %s', async (_, first) => {
    const { script, told, world, heard } = stage();
    script.hello = first;
    await world.runUntil(() => told.closes.length === 1);
    expect(told.closes[0]).toMatchObject({ opened: false, willReconnect: true });
    expect(told.closes[0]!.cause).toMatchObject({ code: 'SESSION_UNSUPPORTED' });
    expect(heard).toEqual([]);
  });

  it('a URL that comes too late for its dial does nothing to the session that stands', async () => {
    const { world, client, server, heard, told } = await urlComesLate('require');
    client.send('after');
    say(server, 1, 'hello');
    await world.run(50);
    expect(told.messages).toEqual(['hello']);
    expect(heard.map(({ type }) => type)).toEqual(['open', 'message']);
  });

  it('a queue without a bound of bytes has a window as large as there can be', async () => {
    const { heard, opened } = stage({}, { queue: { maxBytes: Infinity } });
    await opened();
    expect(heard[0]).toMatchObject({ type: 'open', window: 0x7fff_ffff });
  });

  it('a frame of a later version that comes before the ready is ignored', async () => {
    const { script, opened, told } = stage();
    const { open } = script;
    script.open = (frame, connection) => {
      connection.send('Z{"new":1}');
      open(frame, connection);
    };
    await opened();
    expect(told.closes).toEqual([]);
  });

  it('a socket that dies between the ready and its turn is not taken for the next one', async () => {
    const { world, script, told, opened, heard } = stage();
    script.open = (_, connection) => {
      connection.send(encodeReady({ sid: 's1', token: 't1', received: 0, stored: 0 }));
      connection.close(1011);
    };
    await world.runUntil(() => told.closes.length >= 1);
    script.open = (_, connection) => connection.send(encodeReady({ sid: 's2', token: 't2', received: 0, stored: 0 }));
    await opened(told.opens.length + 1);
    expect(heard.filter(({ type }) => type === 'open' || type === 'resume').length).toBeGreaterThanOrEqual(2);
    expect(told.closes.every(({ code }) => code === 1011)).toBe(true);
  });
});

/** Two dials: the first one's URL comes too late for it, after the second has opened. */
async function urlComesLate(mode: 'require' | 'prefer'): Promise<Stage> {
  const answers: ((url: string) => void)[] = [];
  const url = () => new Promise<string>((resolve) => void answers.push(resolve));
  const there = stage({ mode }, { connectTimeout: 1_000, url });
  if (mode === 'prefer') there.script.hello = 'welcome';
  await there.world.runUntil(() => answers.length === 2);
  answers[1]!('ws://world.test/');
  await there.opened();
  answers[0]!('ws://world.test/');
  await there.world.run(10);
  return there;
}

describe('where plain is allowed', () => {
  it('a server without sessions is spoken to plainly, and never gets a frame of ours', async () => {
    const { script, world, client, told, server } = stage({ mode: 'prefer' });
    script.hello = undefined;
    client.send('a');
    await world.runUntil(() => client.status === 'open');
    client.send('b');
    server.send('welcome');
    await world.run(10);
    expect(server.received).toEqual(['a', 'b']);
    expect(told.messages).toEqual(['welcome']);
  });

  it('a first frame that is no greeting is a message, told after the open', async () => {
    const { script, world, told, opened } = stage({ mode: 'prefer' });
    script.hello = 'welcome';
    await opened();
    await world.run(10);
    expect(told.messages).toEqual(['welcome']);
  });

  it('the caller’s handshake and heartbeat are for plain sockets', async () => {
    const steps: string[] = [];
    const { script, world, client, server } = stage(
      { mode: 'prefer' },
      {
        heartbeat: { message: 'hb', interval: 1_000 },
        handshake: async ({ send, next }) => {
          send('login');
          steps.push(String(await next()));
        },
      },
    );
    script.hello = 'first';
    await world.runUntil(() => client.status === 'open');
    await world.run(1_100);
    expect(steps).toEqual(['first']);
    expect(server.received).toEqual(['login', 'hb']);
  });

  it('a server that picks the application’s own subprotocol is plain at once', async () => {
    const { script, world, client } = stage({ mode: 'prefer' }, { protocols: 'chat', autoConnect: false });
    script.hello = undefined;
    world.server.reception = { name: 'open', protocol: 'chat' };
    client.connect();
    await world.run(20);
    expect(client.status).toBe('open');
  });

  it('after a dial that failed before it was open the next one offers nothing, and the one after that offers again', async () => {
    const { world, told, client } = stage({ mode: 'prefer' }, { autoConnect: false });
    world.server.reception = { name: 'refused' };
    client.connect();
    await world.runUntil(() => told.closes.length === 4);
    expect(world.server.connections.slice(0, 4).map(({ request }) => request.protocols.length)).toEqual([1, 0, 1, 0]);
  });

  it('an offer by the query is made each time, and its greeting is heard', async () => {
    const { world, client, heard, opened, sessions, told } = stage(
      { mode: 'prefer', negotiate: 'query' },
      { autoConnect: false },
    );
    world.server.reception = (_, id) => (id === 1 ? { name: 'refused' } : { name: 'open' });
    client.connect();
    await opened();
    client.send('x');
    await world.run(50);
    expect(told.messages).toEqual([]);
    expect(heard.map(({ type }) => type)).toEqual(['open', 'message']);
    expect(sessions).toEqual([{ resumed: false }]);
  });

  it('a URL that comes too late for its dial makes nobody deaf', async () => {
    const { world, server, told } = await urlComesLate('prefer');
    server.send('news');
    await world.run(50);
    expect(told.messages).toEqual(['welcome', 'news']);
  });

  it('a session is never left for plain silently', async () => {
    const { script, world, client, opened, lost: losses, server, told } = stage({ mode: 'prefer' });
    await opened();
    client.send('in doubt');
    await world.run(10);
    server.cut();
    script.hello = undefined;
    await world.run(1);
    client.send('unsent');
    await opened(2);
    expect(losses).toEqual([{ reason: 'downgrade', inDoubt: ['in doubt'], unsent: ['unsent'] }]);
    expect(told.drops).toEqual([]);
    client.send('plain');
    await world.run(10);
    expect(world.server.last.received).toEqual(['plain']);
  });
});

describe('messages to the server', () => {
  it('T33: what was not acknowledged goes out again, first, in order and under its own number', async () => {
    const { world, client, opened, server, messages } = stage();
    await opened();
    for (const text of ['a', 'b', 'c']) client.send(text);
    await world.run(10);
    ack(server, 1);
    await world.run(10);
    server.silence();
    client.send('d');
    world.server.last.cut();
    client.send('e');
    const before = messages().length;
    await opened(2);
    await world.run(10);
    expect(
      messages()
        .slice(before)
        .map(({ seq, data }) => `${seq}${String(data)}`),
    ).toEqual(['4d', '5e']);
  });

  it('what the server has committed meanwhile does not go out again', async () => {
    const { world, client, opened, script, server, messages } = stage();
    await opened();
    client.send('a');
    client.send('b');
    await world.run(10);
    script.resume = ({ received }, connection) =>
      connection.send(encodeReady({ sid: 's1', token: undefined, received: 2, stored: received }));
    server.cut();
    await opened(2);
    client.send('c');
    await world.run(10);
    expect(messages().map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(client.queued).toBe(1);
  });

  it('T35: they are held within the queue’s bounds until they are acknowledged, then there is room again', async () => {
    const { world, client, opened, server, told } = stage({}, { queue: { maxMessages: 4 } });
    await opened();
    const results = ['a', 'b', 'c', 'd', 'e'].map((text) => client.send(text));
    expect(results).toEqual(['sent', 'sent', 'sent', 'sent', false]);
    expect(told.drops).toMatchObject([{ data: 'e', reason: 'full' }]);
    expect(client.queued).toBe(4);
    await world.run(10);
    ack(server, 3);
    await world.run(10);
    expect([client.queued, told.writables]).toEqual([1, 1]);
  });

  it('room is told when an eighth is free, so that whoever waits for it has most of a window under way', async () => {
    const { world, client, opened, server, told } = stage({}, { queue: { maxMessages: 16 } });
    await opened();
    for (let i = 0; i < 17; i++) client.send(`${i}`);
    await world.run(10);
    ack(server, 1);
    await world.run(10);
    expect(told.writables).toBe(0);
    ack(server, 2);
    await world.run(10);
    expect(told.writables).toBe(1);
  });

  it('a message that is larger than either bound is refused at the call', async () => {
    const { client, opened, script, told } = stage({ maxMessage: 100 });
    script.hello = encodeHello({ ...HELLO, maxMessage: 50 });
    await opened();
    expect(client.send('x'.repeat(51))).toBe(false);
    expect(client.send('x'.repeat(51), { volatile: true })).toBe(false);
    expect(client.send('x'.repeat(50))).toBe('sent');
    expect(told.drops.map(({ reason }) => reason)).toEqual(['too-large', 'too-large']);
  });

  it('flush() resolves when the server has committed everything, over sockets', async () => {
    const { world, client, opened, server, script } = stage();
    await opened();
    script.frame = () => {};
    server.silence();
    client.send('a');
    const flushed = client.flush();
    let isDone = false;
    void flushed.then(() => (isDone = true));
    await world.run(100);
    server.cut();
    await opened(2);
    expect(isDone).toBe(false);
    await world.run(50);
    await flushed;
    expect(client.queued).toBe(0);
  });

  it('an answer to a ping proves what it says is committed, and nothing of what was sent before the ping', async () => {
    const { client, script, world, told, opened, server } = stage({}, { heartbeat: { interval: 1_000, timeout: 500 } });
    script.resume = nothingCommitted;
    script.committed = (received) => Math.min(received, 1);
    await opened();
    for (const data of ['a', 'b', 'c']) client.send(data);
    let isFlushed = false;
    void client.flush().then(() => (isFlushed = true));
    await world.runUntil(() => told.pongs.length >= 2);
    expect(client.queued).toBe(2);
    expect(isFlushed).toBe(false);
    ack(server, 3);
    await world.run(20);
    expect(client.queued).toBe(0);
    expect(isFlushed).toBe(true);
  });

  it('flush() rejects ENDED when the life ends before the answer', async () => {
    const { world, client, server, opened } = stage();
    await opened();
    server.silence();
    client.send('x');
    const flushed = client.flush();
    await expect(whilst(flushed, whilst(client.close(), world.run(31_000)))).rejects.toMatchObject({ code: 'ENDED' });
  });

  it('T32: a message that has its number keeps it, also if the platform refuses it on the next socket', async () => {
    const before = stage();
    await before.opened();
    let refuses = false;
    const isBad = (data: Data) => refuses && String(data).startsWith('d') && !(refuses = false);
    const { world, client, script, opened, messages } = reload(before, {}, { adapter: refusing(before.world, isBad) });
    await opened();
    script.resume = nothingCommitted;
    client.send('one');
    client.send('two');
    await world.run(20);
    refuses = true;
    world.server.last.cut();
    await opened(3);
    await world.run(20);
    const both = [
      { seq: 1, data: 'one' },
      { seq: 2, data: 'two' },
    ];
    expect(messages()).toEqual([...both, ...both]);
  });

  it('T32: a message that the host says too late it did not send goes out on the next socket', async () => {
    const { world, client, server, opened, messages, told } = stage();
    await opened();
    const { now } = world;
    server.silence();
    client.send('x');
    server.reject(encodeMessage(1, 0, 'x'), new Error('late'));
    await opened(2);
    expect(world.now - now).toBeLessThan(1_000);
    await whilst(client.flush(), world.run(31_000)); // the old socket's closing handshake, too
    expect(messages()).toEqual([{ seq: 1, data: 'x' }]);
    expect(told.drops).toEqual([]);
  });

  it('T32: what the host says too late of our own frames is told to nobody', async () => {
    const { world, server, script, opened, told } = stage();
    const { open } = script;
    script.open = () => {};
    await world.run(20);
    server.reject(server.handedOver[0]!, new Error('late'));
    await world.run(20_000);
    script.open = open;
    await opened();
    await world.run(31_000); // a ping, and the closing handshakes of those that were not opened
    world.server.last.reject('p0', new Error('late'));
    await world.run(10);
    expect(told.drops).toEqual([]);
  });

  it('a volatile message is a frame of its own, and is not held', async () => {
    const { world, client, opened, heard, server } = stage();
    await opened();
    expect(client.send('now', { volatile: true })).toBe('sent');
    await world.run(10);
    expect(heard.at(-1)).toEqual({ type: 'volatile', data: 'now' });
    expect(client.queued).toBe(0);
    server.cut();
    await world.run(1);
    expect(client.send('never', { volatile: true })).toBe(false);
  });

  it('T36: binary is held as it was at the call', async () => {
    const { world, client, opened, server, messages } = stage();
    await opened();
    const bytes = new Uint8Array([1, 2, 3]);
    server.silence();
    client.send(bytes.subarray(1));
    bytes.fill(9);
    server.cut();
    await opened(2);
    await world.run(10);
    expect(messages().at(-1)!.data).toEqual(new Uint8Array([2, 3]));
  });

  it('T38: one that expires before a socket took it leaves no gap', async () => {
    const { world, client, opened, server, messages, told } = stage();
    await opened();
    client.send('a');
    await world.run(10);
    world.server.reception = { name: 'refused' };
    server.cut();
    await world.run(1);
    client.send('old', { maxAge: 10 });
    client.send('b');
    await world.run(50);
    world.server.reception = { name: 'open', protocol: 'holdfast-session.v1' };
    await opened(2);
    await world.run(10);
    expect(told.drops).toMatchObject([{ data: 'old', reason: 'expired' }]);
    expect(messages().map(({ seq, data }) => `${seq}${String(data)}`)).toEqual(['1a', '2b']);
  });
});

describe('messages from the server', () => {
  it('are told once and in order, whatever comes twice', async () => {
    const { world, opened, server, told, heard } = stage();
    await opened();
    say(server, 1);
    say(server, 2);
    say(server, 1);
    say(server, 3);
    await world.run(10);
    expect(told.messages).toEqual(['s1', 's2', 's3']);
    await world.run(10);
    expect(heard.at(-1)).toEqual({ type: 'ack', received: 2 }); // at once, for the one that came twice
  });

  it('are acknowledged 250 ms after the first, and no timer runs while nothing is owed', async () => {
    const { world, opened, server, heard } = stage();
    await opened();
    say(server, 1);
    await world.run(100);
    say(server, 2);
    await world.run(150);
    expect(heard.filter(({ type }) => type === 'ack')).toEqual([]);
    await world.run(20);
    expect(heard.filter(({ type }) => type === 'ack')).toEqual([{ type: 'ack', received: 2 }]);
    await world.run(1_000);
    expect(heard.filter(({ type }) => type === 'ack')).toHaveLength(1);
  });

  it('are acknowledged after 32 of them, or a quarter of what the server holds, without waiting', async () => {
    const { world, opened, server, heard, script } = stage();
    script.hello = encodeHello({ ...HELLO, window: 1_000 });
    await opened();
    for (let seq = 1; seq <= 64; seq++) say(server, seq, 'x');
    await world.run(15);
    say(server, 65, 'x'.repeat(250));
    await world.run(15);
    expect(heard.flatMap((frame) => (frame.type === 'ack' ? [frame.received] : []))).toEqual([32, 64, 65]);
  });

  it('the heartbeat acknowledges too, and its answer is one', async () => {
    const { world, opened, server, heard, told, client } = stage({}, { heartbeat: { interval: 100 } });
    await opened();
    client.send('a');
    say(server, 1);
    await world.run(130);
    expect(heard.filter(({ type }) => type === 'ping' || type === 'ack')).toEqual([{ type: 'ping', received: 1 }]);
    expect(told.pongs).toEqual([10]);
    expect(client.queued).toBe(0);
    expect(told.messages).toEqual(['s1']);
  });

  it('a resume tells what has come, with its tag', async () => {
    const { world, opened, server, heard } = stage();
    await opened();
    say(server, 1, 'x', 77);
    await world.run(10);
    server.cut();
    await opened(2);
    expect(heard.at(-1)).toMatchObject({ type: 'resume', sid: 's1', token: 't1', attempt: 2, received: 1, tag: 77 });
  });

  it('volatile ones are told and not counted', async () => {
    const { world, opened, server, told } = stage();
    await opened();
    server.send(encodeVolatile('now'));
    server.send(encodeVolatile(new Uint8Array([1])));
    say(server, 1);
    await world.run(10);
    expect(told.messages).toEqual(['now', new Uint8Array([1]), 's1']);
  });

  it('a long replay tells how far it is', async () => {
    const { world, opened, server, script, progress, told } = stage();
    await opened();
    script.resume = (_, connection) => {
      connection.send(encodeReady({ sid: 's1', token: undefined, received: 0, stored: 200 }));
      for (let seq = 1; seq <= 200; seq++) say(connection, seq);
    };
    server.cut();
    await opened(2);
    await world.run(20);
    expect(told.messages).toHaveLength(200);
    expect(progress).toHaveLength(20);
    expect(progress[0]).toEqual({ direction: 'in', done: 10, total: 200 });
    expect(progress.at(-1)).toEqual({ direction: 'in', done: 200, total: 200 });
  });
});

it('whoever hears of a replay may end the life and begin the next', async () => {
  const { world, client, script, server, opened, sessions } = stage();
  await opened();
  script.resume = nothingCommitted;
  for (let i = 0; i < 200; i++) client.send(`m${i}`);
  await world.run(20);
  server.cut();
  await opened(2);
  await world.run(20);
  client.once('progress', () => {
    void client.close();
    client.connect();
  });
  ack(world.server.last, 150);
  await opened(3);
  expect(sessions.at(-1)).toEqual({ resumed: false });
});

describe('a loss is told, once, with what is in doubt and what was never sent', () => {
  const reasons = ['expired', 'unknown', 'overflow', 'regressed', 'unauthorized', 'limit', 'ended'];
  it.each(reasons)('%s: and a new session begins on the same socket', async (reason) => {
    const { world, opened, server, script, client, lost: losses, sessions, messages } = stage();
    await opened();
    client.send('in doubt');
    await world.run(10);
    script.resume = (_, connection) => lost(connection, reason);
    server.cut();
    await world.run(1);
    client.send('unsent');
    await opened(2);
    client.send('new');
    await world.run(10);
    expect(losses).toEqual([{ reason, inDoubt: ['in doubt'], unsent: ['unsent'] }]);
    expect(sessions).toEqual([{ resumed: false }, { resumed: false }]);
    expect(messages().at(-1)).toEqual({ seq: 1, data: 'new' });
  });

  it('carryUnsent keeps what was never sent for the new session', async () => {
    const { world, opened, server, script, client, lost: losses, messages } = stage({ carryUnsent: true });
    await opened();
    client.send('in doubt');
    await world.run(10);
    script.resume = (_, connection) => lost(connection, 'expired');
    server.cut();
    await world.run(1);
    client.send('unsent');
    await opened(2);
    await world.run(10);
    expect(losses).toEqual([{ reason: 'expired', inDoubt: ['in doubt'], unsent: [] }]);
    expect(messages().at(-1)).toEqual({ seq: 1, data: 'unsent' });
  });

  it.each([
    [CLOSE.stale, 'open'],
    [CLOSE.superseded, 'open'],
    [CLOSE.stale, 'resuming'],
  ])('taken: a live socket is closed with %i while %s', async (code, when) => {
    const { world, opened, server, script, lost: losses, told, heard } = stage();
    await opened();
    if (when === 'resuming') {
      script.resume = (_, connection) => connection.close(code);
      server.cut();
    } else server.close(code);
    await world.runUntil(() => losses.length === 1);
    expect(losses).toEqual([{ reason: 'taken', inDoubt: [], unsent: [] }]);
    await opened(2);
    expect(heard.at(-1)).toMatchObject({ type: 'open' });
    expect(told.ends).toEqual([]);
  });

  it('ended by the server: its last word is obeyed, and the next dial begins anew', async () => {
    const { world, opened, server, client, lost: losses, heard, told } = stage();
    await opened();
    client.send('x');
    server.send('E');
    await world.run(10);
    expect(losses).toEqual([{ reason: 'ended', inDoubt: ['x'], unsent: [] }]);
    client.send('y');
    await opened(2);
    await world.run(10);
    expect(heard.filter(({ type }) => type === 'open')).toHaveLength(2);
    expect(told.ends).toEqual([]);
  });

  it('protocol: three sockets in a row that break it and bring nothing', async () => {
    const { world, script, lost: losses, told } = stage();
    const nonsense = (connection: Parameters<typeof say>[0]): void => {
      connection.send(encodeReady({ sid: 's1', token: 't1', received: 0, stored: 0 }));
      connection.send('d3.0:a gap');
    };
    script.open = (_, connection) => nonsense(connection);
    script.resume = (_, connection) => nonsense(connection);
    await world.runUntil(() => losses.length === 1);
    expect(losses[0]).toMatchObject({ reason: 'protocol' });
    expect(told.opens).toHaveLength(3);
    await world.run(20); // its closing handshake
  });

  it('poison: three sockets that were closed for a message with the same one first', async () => {
    const { world, script, client, lost: losses, messages } = stage();
    script.frame = (frame, connection) => frame.type === 'message' && frame.seq === 1 && connection.close(1009);
    script.resume = nothingCommitted;
    client.send('poison');
    client.send('after it');
    await world.runUntil(() => losses.length === 1);
    expect(losses[0]).toEqual({ reason: 'poison', inDoubt: ['poison', 'after it'], unsent: [] });
    expect(messages().filter(({ seq }) => seq === 1)).toHaveLength(3);
  });

  it('poison: also where the server says much before it dies of what it hears', async () => {
    const { world, script, client, lost: losses, told } = stage();
    let seq = 0;
    script.frame = (frame, connection) => frame.type === 'message' && connection.close(1011);
    script.open = (_, connection) => {
      connection.send(encodeReady({ sid: 's1', token: 't1', received: 0, stored: 9 }));
      say(connection, ++seq);
    };
    script.resume = (frame, connection) => {
      nothingCommitted(frame, connection);
      say(connection, ++seq);
    };
    client.send('poison');
    await world.runUntil(() => losses.length === 1);
    expect(losses[0]!.reason).toBe('poison');
    expect(told.messages).toEqual(['s1', 's2', 's3']);
  });

  it('a bad network is not taken for poison', async () => {
    const { world, script, client, lost: losses } = stage();
    let times = 0;
    script.frame = (frame, connection) => {
      if (frame.type === 'message' && times++ < 10) connection.cut();
    };
    script.resume = nothingCommitted;
    client.send('x');
    await world.runUntil(() => times > 10);
    expect(losses).toEqual([]);
  });

  it.each([
    ['close for a message after they have committed it', 3, 1011],
    ['are cut off after they have committed it', 22, 1006],
  ])('what got through is no poison, though it is the ready that says so: servers that %s', async (_, times, code) => {
    const there = stage();
    for (let n = 1; n <= times; n++) {
      await there.opened(n);
      there.client.send(`m${n}`);
      await there.world.run(50);
      if (code === 1006) there.server.cut();
      else there.server.close(code);
    }
    await there.opened(times + 1);
    expect(there.lost).toEqual([]);
    expect(there.messages()).toHaveLength(times);
  });

  it('nor is a slow handler, while the caller dials anew as often as he likes', async () => {
    const there = stage();
    there.script.resume = nothingCommitted;
    there.client.send('slow');
    for (let n = 1; n <= 22; n++) {
      await there.opened(n);
      there.client.reconnect();
    }
    await there.opened(23);
    expect(there.lost).toEqual([]);
  });

  it('what sockets of one life died of is not held against the next', async () => {
    const there = stage();
    const { client, script, world, opened } = there;
    script.resume = nothingCommitted;
    client.send('a');
    for (let n = 1; n <= 2; n++) {
      await opened(n);
      await world.run(20);
      there.server.close(1011);
    }
    await opened(3);
    await world.run(20);
    await whilst(client.close(), world.run(200));
    client.connect();
    await opened(4);
    client.send('b');
    await world.run(20);
    there.server.close(1011);
    await opened(5);
    expect(there.lost).toEqual([]);
  });

  it('regressed: a server that forgot what it had acknowledged', async () => {
    const { world, opened, server, script, client, lost: losses } = stage();
    await opened();
    client.send('a');
    await world.run(10);
    ack(server, 1);
    await world.run(10);
    script.resume = (_, connection) =>
      connection.send(encodeReady({ sid: 's1', token: undefined, received: 0, stored: 0 }));
    server.cut();
    await opened(2);
    expect(losses).toEqual([{ reason: 'regressed', inDoubt: [], unsent: [] }]);
  });

  it('nobody listens: then it is an error, SESSION_LOST, with the messages', async () => {
    const { world, opened, server, script, client, reports } = stage();
    client.off('lost');
    await opened();
    client.send('x');
    await world.run(10);
    script.resume = (_, connection) => lost(connection, 'expired');
    server.cut();
    await opened(2);
    expect(reports).toMatchObject([{ code: 'SESSION_LOST', value: { reason: 'expired', inDoubt: ['x'] } }]);
  });
});

describe('closing', () => {
  it('waits for what is not acknowledged, says that it ends the session, and closes', async () => {
    const { world, opened, client, heard, lost: losses, told } = stage();
    await opened();
    client.send('last');
    await whilst(client.close(), world.run(100));
    expect(heard.slice(-3).map(({ type }) => type)).toEqual(['message', 'ping', 'end']);
    expect(losses).toEqual([]);
    expect(told.closes.at(-1)).toMatchObject({ code: 1000, wasClean: true, unconfirmed: 0 });
  });

  it('T27: on a dead link it is done in time, and what is in doubt is told', async () => {
    const { world, opened, client, server, lost: losses, told } = stage();
    await opened();
    server.silence();
    client.send('x');
    await whilst(client.close(), world.run(2_100));
    expect(losses).toEqual([{ reason: 'ended', inDoubt: ['x'], unsent: [] }]);
    expect(told.drops).toEqual([]);
    expect(told.ends).toEqual(['caller']);
  });

  it('a new life begins a new session', async () => {
    const { world, opened, client, heard, sessions } = stage();
    await opened();
    await whilst(client.close(), world.run(100));
    client.connect();
    await opened(2);
    expect(sessions).toEqual([{ resumed: false }, { resumed: false }]);
    expect(heard.at(-1)).toMatchObject({ type: 'open', attempt: 2 });
  });
});

describe('the heartbeat of a session', () => {
  it('T1: an unanswered ping is death on the first socket already', async () => {
    const { world, opened, server, told } = stage({}, { heartbeat: { interval: 200, timeout: 200 } });
    await opened();
    server.silence();
    await world.run(450);
    expect(told.closes[0]!.cause).toMatchObject({ code: 'HEARTBEAT_TIMEOUT' });
  });

  it('replaces ping frames where the runtime has them', async () => {
    const { world, opened, heard, told } = stage({}, { heartbeat: { interval: 200 }, runtime: { pingFrames: true } });
    await opened();
    await world.run(300);
    expect(heard.at(-1)).toEqual({ type: 'ping', received: 0 });
    expect(told.pongs).toEqual([10]);
  });
});
