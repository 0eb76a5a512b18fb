// What does the server hold of one client, and when does it let go of it? Over real sockets.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CloseInfo } from '@holdfast/core';
import type { Peer } from '@holdfast/server';
import { Client, dial, frame, handshake, join, joinRaw, nextError, nextPeer, pair, serve, until } from './helpers.ts';

const closeOf = (peer: Peer<unknown>) => new Promise<CloseInfo>((resolve) => peer.once('close', resolve));

describe('messages', () => {
  test('text and binary go both ways, the empty ones too', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const came: (string | Uint8Array)[] = [];
    peer.on('message', (data) => {
      came.push(data);
      peer.send(data);
    });
    const sent = ['', 'grüß', new Uint8Array(), Uint8Array.of(1, 2, 3)];
    for (const data of sent) client.ws.send(data);
    const echoes = await client.received(4);
    expect(came).toEqual(sent);
    expect(echoes.map((echo) => (typeof echo === 'string' ? echo : [...echo]))).toEqual(['', 'grüß', [], [1, 2, 3]]);
  });

  test('binary is a Uint8Array over memory of its own', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const came: Uint8Array[] = [];
    peer.on('message', (data) => came.push(data as Uint8Array));
    for (let i = 0; i < 3; i++) client.ws.send(Uint8Array.of(i, i, i));
    await until(() => came.length === 3);
    for (const [i, data] of came.entries()) {
      expect(data.constructor).toBe(Uint8Array);
      expect(data.buffer.byteLength).toBe(3);
      expect([...data]).toEqual([i, i, i]);
    }
  });

  test('T40: a view sends its own bytes and not its buffer', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const whole = Uint8Array.of(9, 9, 1, 2, 3, 9);
    peer.send(whole.subarray(2, 5));
    peer.send(new DataView(whole.buffer, 2, 2));
    peer.send(whole.buffer);
    const came = await client.received(3);
    expect(came.map((one) => [...(one as Buffer)])).toEqual([
      [1, 2, 3],
      [1, 2],
      [9, 9, 1, 2, 3, 9],
    ]);
  });

  test('a message that is neither text nor binary is refused at the call', async () => {
    const server = await serve();
    const { peer } = await pair(server);
    expect(() => peer.send({} as string)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  test('one above maxPayload closes its peer with 1009 and harms no other', async () => {
    const server = await serve({ maxPayload: 1_000 });
    const violated = nextError(server, 'PROTOCOL_VIOLATION');
    const { client } = await pair(server);
    const other = await pair(server);
    client.ws.send(new Uint8Array(1_001));
    expect((await client.closed).code).toBe(1009);
    expect((await violated).cause).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    other.peer.send('still here');
    expect(await other.client.received(1)).toEqual(['still here']);
  });

  test('the default bound is 1 MiB to the byte', async () => {
    const server = await serve();
    server.on('error', () => {});
    const { client, peer } = await pair(server);
    const size = new Promise<number>((resolve) => peer.once('message', (data) => resolve(data.length)));
    client.ws.send(new Uint8Array(1_048_576));
    expect(await size).toBe(1_048_576);
    client.ws.send(new Uint8Array(1_048_577));
    expect((await client.closed).code).toBe(1009);
  });

  test('send to a peer that is gone is false, and nothing else', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    client.ws.terminate();
    await closeOf(peer);
    expect(peer.send('late')).toBe(false);
    expect(peer.isOpen).toBe(false);
    peer.close();
    peer.terminate();
  });
});

describe('closing', () => {
  test('T26: code, reason and clean flag reach the other side unchanged, both ways', async () => {
    const server = await serve();
    const theirs = await pair(server);
    const heard = closeOf(theirs.peer);
    theirs.client.ws.close(4001, 'bye');
    expect(await heard).toEqual({ code: 4001, reason: 'bye', wasClean: true });
    const ours = await pair(server);
    const told = closeOf(ours.peer);
    ours.peer.close(3000, 'asked');
    expect(await ours.client.closed).toEqual({ code: 3000, reason: 'asked' });
    expect(await told).toEqual({ code: 3000, reason: 'asked', wasClean: true });
  });

  test('T26: an empty reason stays empty, and no code at all is 1005', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const heard = closeOf(peer);
    client.ws.close();
    expect(await heard).toEqual({ code: 1005, reason: '', wasClean: true });
  });

  test('a client that vanishes is 1006, not clean', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const heard = closeOf(peer);
    client.ws.terminate();
    expect(await heard).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(server.peers.size).toBe(0);
  });

  test('a long reason is cut between two characters, a code that may not be sent is refused', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1.5, Number.NaN]) {
      expect(() => peer.close(code)).toThrow(expect.objectContaining({ code: 'INVALID_CLOSE' }));
    }
    peer.close(1000, 'ü'.repeat(100));
    expect((await client.closed).reason).toBe('ü'.repeat(61));
  });

  test('T27: a peer that never answers the close is gone after closeTimeout', async () => {
    const server = await serve({ closeTimeout: 30 });
    const coming = nextPeer(server);
    await joinRaw(server.port);
    const peer = await coming;
    const heard = closeOf(peer);
    peer.close();
    expect((await heard).code).toBe(1006);
  });

  test('after terminate() nothing more is heard but the close', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    let messages = 0;
    peer.on('message', () => {
      messages++;
      peer.terminate();
    });
    const heard = closeOf(peer);
    for (let i = 0; i < 100; i++) client.ws.send('x');
    await heard;
    expect(messages).toBe(1);
  });
});

describe('heartbeats', () => {
  test('a text ping is answered with pong and never told', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const came: unknown[] = [];
    peer.on('message', (data) => came.push(data));
    client.ws.send('ping');
    client.ws.send('ping ');
    client.ws.send(Buffer.from('ping'));
    expect(await client.received(1)).toEqual(['pong']);
    await until(() => came.length === 2);
    expect(came[0]).toBe('ping ');
    expect(Buffer.from(came[1] as Uint8Array).toString()).toBe('ping');
  });

  test('T9: message and reply are options, and need not be equal', async () => {
    const server = await serve({ heartbeat: { message: '♥?', reply: '♥!' } });
    const client = await join(server);
    client.ws.send('♥?');
    expect(await client.received(1)).toEqual(['♥!']);
  });

  test('without heartbeat a ping is a message like any other', async () => {
    const server = await serve({ heartbeat: false });
    const { client, peer } = await pair(server);
    const message = new Promise((resolve) => peer.once('message', resolve));
    client.ws.send('ping');
    expect(await message).toBe('ping');
  });

  test('a ping frame is answered with its own payload', async () => {
    const server = await serve();
    const client = await join(server);
    const pong = once(client.ws, 'pong');
    client.ws.ping('abc');
    expect(String((await pong)[0])).toBe('abc');
  });

  test('a peer that answers our ping frames stays, through many of them', async () => {
    const server = await serve({ heartbeat: { interval: 20, timeout: 20 } });
    const { client, peer } = await pair(server);
    let pings = 0;
    client.ws.on('ping', () => pings++);
    await until(() => pings === 10);
    expect(peer.isOpen).toBe(true);
  });

  test('T5: a peer that answers no ping frame but says something stays too', async () => {
    const server = await serve({ heartbeat: { interval: 40, timeout: 40 } });
    const coming = nextPeer(server);
    const socket = await joinRaw(server.port);
    const peer = await coming;
    let pings = 0;
    socket.on('data', (data) => {
      pings++;
      expect(data[0]).toBe(0x89);
      socket.write(frame('text', 'busy'));
    });
    await until(() => pings === 5);
    expect(peer.isOpen).toBe(true);
  });

  test('a silent peer is terminated within interval and timeout, and told by its code', async () => {
    const server = await serve({ heartbeat: { interval: 60, timeout: 40 } });
    const silent = nextError(server, 'HEARTBEAT_TIMEOUT');
    const coming = nextPeer(server);
    const socket = await dial(server.port);
    socket.write(handshake());
    socket.pause();
    const peer = await coming;
    const begin = performance.now();
    const close = await closeOf(peer);
    const took = performance.now() - begin;
    expect(close).toEqual({ code: 1006, reason: '', wasClean: false });
    // first ping within an interval, then the timeout, each with a beat of 15 ms; the rest is for a busy machine
    expect(took).toBeGreaterThan(60);
    expect(took).toBeLessThan(1_000);
    await silent;
    expect(server.peers.size).toBe(0);
  });

  test('a client process that is killed or frozen is noticed', async () => {
    const server = await serve({ heartbeat: { interval: 60, timeout: 60 } });
    server.on('error', () => {});
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const coming = nextPeer(server);
      const child = fork(new URL('./child-client.mjs', import.meta.url), [String(server.port)], {
        execArgv: [],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const peer = await coming;
      const heard = closeOf(peer);
      child.kill(signal);
      expect((await heard).code).toBe(1006);
    }
    expect(server.peers.size).toBe(0);
  });

  test('T6: a server that was blocked over a deadline reads what came meanwhile before it judges', async () => {
    // beats of 500 ms, and a verdict two beats after the ping
    const server = await serve({ heartbeat: { interval: 2_000, timeout: 1_000 } });
    const failed = vi.fn<() => void>();
    server.on('error', failed);
    const coming = nextPeer(server);
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('./late-client.mjs', import.meta.url), {
      workerData: { port: server.port, answered, delay: 650 },
    });
    onTestFinished(() => worker.terminate().then(() => {}));
    const peer = await coming;
    // it has the ping, and is about to answer: from here on nobody looks until long after the deadline
    await once(worker, 'message');
    Atomics.wait(answered, 0, 0, 5_000);
    const end = performance.now() + 1_000;
    while (performance.now() < end);
    await once(worker, 'message'); // the next ping
    expect(peer.isOpen).toBe(true);
    expect(failed).not.toHaveBeenCalled();
  }, 20_000);
});

describe('slow readers', () => {
  test('a peer that does not read is terminated at the bound, and told by its code', async () => {
    const server = await serve({ maxBufferedBytes: 100_000, heartbeat: false });
    const coming = nextPeer(server);
    const socket = await dial(server.port);
    socket.write(handshake());
    const peer = await coming;
    socket.pause();
    const slow = nextError(server, 'SLOW_READER');
    const closed = closeOf(peer);
    const chunk = new Uint8Array(50_000);
    let sent = 0;
    while (peer.send(chunk)) {
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // what the operating system took, and then no more than the bound and one message
    expect(sent).toBeGreaterThan(2);
    expect((await slow).value).toBeGreaterThan(100_000);
    expect((await slow).value).toBeLessThanOrEqual(150_100);
    expect((await closed).code).toBe(1006);
    expect(peer.send('more')).toBe(false);
  });

  test('one large message to a peer that reads always goes out', async () => {
    const server = await serve({ maxBufferedBytes: 1_000 });
    const { client, peer } = await pair(server);
    const large = new Uint8Array(8_000_000);
    expect(peer.send(large)).toBe(true);
    const [message] = await client.received(1);
    expect(message!.length).toBe(8_000_000);
    expect(peer.bufferedAmount).toBe(0);
  });

  test('pings that are never read back pile up no further than the bound', async () => {
    const server = await serve({ maxBufferedBytes: 20_000, heartbeat: false, budget: false });
    const slow = nextError(server, 'SLOW_READER');
    const coming = nextPeer(server);
    const socket = await dial(server.port);
    socket.write(handshake());
    const peer = await coming;
    socket.pause();
    const closed = closeOf(peer);
    const pings = Buffer.concat(Array.from({ length: 500 }, () => frame('ping', 'x'.repeat(125))));
    while (peer.isOpen) {
      if (!socket.destroyed) socket.write(pings);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect((await slow).value).toBeLessThan(20_200);
  });
});

describe('budgets', () => {
  const tight = {
    messages: { perSecond: 50, burst: 20 },
    bytes: { perSecond: 1e9, burst: 1e9 },
    controlFrames: { perSecond: 50, burst: 20 },
    patience: 60_000,
  };
  /** A beat of 5 ms. */
  const heartbeat = { interval: 20, timeout: 20 };

  test('a peer over budget is slowed down and loses nothing', async () => {
    const server = await serve({ budget: tight, heartbeat });
    const { client, peer } = await pair(server);
    const came: unknown[] = [];
    peer.on('message', (data) => came.push(data));
    const begin = performance.now();
    for (let i = 0; i < 30; i++) client.ws.send(String(i));
    client.ws.send('x'.repeat(100_000)); // more than one read of the socket holds
    client.ws.send('last');
    await until(() => came.length === 32);
    expect(came.at(-1)).toBe('last');
    // 32 messages, 20 at once, the rest at 50 a second: the debt has to be paid before more is read
    expect(performance.now() - begin).toBeGreaterThan(100);
    expect(peer.isOpen).toBe(true);
  });

  test.each(['messages', 'bytes'] as const)(
    'a peer that stays over its budget of %s is closed with 4429 and retry-after',
    async (name) => {
      const server = await serve({
        heartbeat,
        budget: { ...tight, [name]: { perSecond: 1, burst: 10 }, patience: 30, retryAfter: 2_000 },
        closeTimeout: 50,
      });
      const exceeded = nextError(server, 'BUDGET_EXCEEDED');
      const { client, peer } = await pair(server);
      const told = closeOf(peer);
      for (let i = 0; i < 1_000; i++) client.ws.send('0123456789');
      const close = await client.closed;
      expect(close.code).toBe(4429);
      expect(close.reason).toMatch(/^retry-after=[23]\.\d{3}$/);
      expect((await exceeded).closeCode).toBe(4429);
      await told;
      expect(server.peers.size).toBe(0);
    },
  );

  test('a flood of ping frames ends in 4429 as well, not in a bare 1006', async () => {
    const server = await serve({
      heartbeat,
      budget: { ...tight, controlFrames: { perSecond: 1, burst: 10 }, patience: 30 },
      closeTimeout: 50,
    });
    const exceeded = nextError(server, 'BUDGET_EXCEEDED');
    const { client, peer } = await pair(server);
    const told = closeOf(peer);
    let pongs = 0;
    client.ws.on('pong', () => pongs++);
    for (let i = 0; i < 10_000; i++) client.ws.ping();
    expect((await client.closed).code).toBe(4429);
    expect(pongs).toBeLessThanOrEqual(10);
    await Promise.all([exceeded, told]);
  });

  test('of the pings over budget the last is answered, when it is read again', async () => {
    const server = await serve({ heartbeat, budget: tight });
    const client = await join(server);
    const pongs: string[] = [];
    client.ws.on('pong', (payload) => pongs.push(String(payload)));
    for (let i = 1; i <= 25; i++) client.ws.ping(String(i));
    await until(() => pongs.at(-1) === '25');
    expect(pongs.length).toBeLessThan(25);
    expect(pongs.slice(0, 3)).toEqual(['1', '2', '3']);
  });

  test('a hundred pings in one segment end nobody', async () => {
    const server = await serve({ budget: false });
    const socket = await joinRaw(server.port);
    let bytes = 0;
    socket.on('data', (data) => (bytes += data.length));
    socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame('ping', 'x'))));
    await until(() => bytes === 300);
    expect(server.peers.size).toBe(1);
  });

  test('what a client of ours sends at once after an outage fits the defaults, heartbeats included', async () => {
    const server = await serve();
    const failed = vi.fn<() => void>();
    server.on('error', failed);
    const { client, peer } = await pair(server);
    let came = 0;
    peer.on('message', () => came++);
    const kibibyte = new Uint8Array(1_024);
    for (let i = 0; i < 1_000; i++) client.ws.send(kibibyte);
    client.ws.send('ping');
    const pong = once(client.ws, 'pong');
    client.ws.ping();
    expect(await client.received(1)).toEqual(['pong']);
    await pong;
    expect(came).toBe(1_000);
    expect(failed).not.toHaveBeenCalled();
  });

  test('a peer that is not read is not taken for dead', async () => {
    const server = await serve({
      heartbeat,
      budget: { ...tight, messages: { perSecond: 100, burst: 10 } },
    });
    const failed = vi.fn<() => void>();
    server.on('error', failed);
    const { client, peer } = await pair(server);
    const closed = vi.fn<() => void>();
    peer.on('close', closed);
    let came = 0;
    peer.on('message', () => came++);
    for (let i = 0; i < 40; i++) client.ws.send('x'); // 300 ms unread, fifteen intervals
    await until(() => came === 40);
    let pings = 0;
    client.ws.on('ping', () => pings++);
    await until(() => pings > 3);
    expect(closed).not.toHaveBeenCalled();
    expect(failed).not.toHaveBeenCalled();
  });
});

describe('listeners', () => {
  test('T43: one that throws harms neither the others nor the process, and is reported once', async () => {
    const server = await serve();
    const errors: string[] = [];
    server.on('error', (error) => errors.push(error.code));
    server.on('connection', () => {
      throw new Error('connection');
    });
    const { client, peer } = await pair(server);
    const came: unknown[] = [];
    peer.on('message', () => {
      throw new Error('message');
    });
    peer.on('message', async () => {
      await Promise.resolve();
      throw new Error('later');
    });
    peer.on('message', (data) => came.push(data));
    client.ws.send('one');
    client.ws.send('two');
    await until(() => errors.length === 5);
    expect(came).toEqual(['one', 'two']);
    expect(errors).toEqual(Array(5).fill('LISTENER_THREW'));
    expect(peer.isOpen).toBe(true);
  });

  test("a peer's error listener hears its errors instead of the server's", async () => {
    const server = await serve({ maxPayload: 10 });
    const onServer = vi.fn<() => void>();
    server.on('error', onServer);
    const { client, peer } = await pair(server);
    const heard = new Promise((resolve) => peer.once('error', resolve));
    client.ws.send('more than ten bytes');
    expect(await heard).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    await client.closed;
    expect(onServer).not.toHaveBeenCalled();
  });

  test('an error listener that throws is printed, not repeated', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const server = await serve({ maxPayload: 10 });
    server.on('error', () => {
      throw new Error('typo');
    });
    const client = await join(server);
    client.ws.send('more than ten bytes');
    await client.closed;
    await until(() => printed.mock.calls.length > 0);
    expect(printed.mock.calls).toEqual([[expect.objectContaining({ code: 'LISTENER_THREW' })]]);
  });

  test('without an error listener each code is printed once', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const server = await serve({ maxPayload: 10 });
    for (let i = 0; i < 3; i++) {
      const client = await join(server);
      client.ws.send('more than ten bytes');
      await client.closed;
    }
    expect(printed.mock.calls).toEqual([[expect.objectContaining({ code: 'PROTOCOL_VIOLATION' })]]);
  });

  test('T44: a listener may be added and removed while one runs, and once is once', async () => {
    const server = await serve();
    const { client, peer } = await pair(server);
    const heard: string[] = [];
    const late = (): void => void heard.push('late');
    const first = (): void => {
      heard.push('first');
      peer.off('message', first);
      peer.on('message', late);
    };
    peer.on('message', first);
    peer.once('message', () => heard.push('once'));
    client.ws.send('a');
    client.ws.send('b');
    await until(() => heard.length === 3);
    expect(heard).toEqual(['first', 'once', 'late']);
  });
});

test('T14: a message in the same segment as the upgrade is told, 200 of 200 times', async () => {
  const server = await serve({ maxPeers: 1_000 });
  let came = 0;
  server.on('connection', (peer) => peer.on('message', () => came++));
  for (let i = 0; i < 200; i++) {
    const socket = await dial(server.port);
    socket.write(Buffer.concat([Buffer.from(handshake()), frame('text', 'early')]));
  }
  await until(() => came >= 200);
  expect(came).toBe(200);
});

test('two clients of one server do not disturb each other', async () => {
  const server = await serve();
  const [a, b] = [await pair(server), await pair(server)];
  a.peer.terminate();
  await a.client.closed;
  b.peer.send('still here');
  expect(await b.client.received(1)).toEqual(['still here']);
  expect(a.client).toBeInstanceOf(Client);
});
