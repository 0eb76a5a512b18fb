// Is the mock server a server, as far as a client can tell, and does it leave nothing behind?

import { connect } from '@holdfast/browser';
import type { Client, ClientOptions } from '@holdfast/core';
import { createFaultServer } from '@holdfast/testing';
import { mockServer, type MockServer, type MockServerOptions } from '@holdfast/testing/mock';
import { setupServer } from 'msw/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const URL = 'wss://chat.test/live';
const original = globalThis.WebSocket;
let servers: MockServer[];
let clients: Client[];
beforeEach(() => {
  servers = [];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) await client.close();
  for (const server of servers) await server.close();
  vi.useRealTimers();
  if (globalThis.WebSocket !== original) throw new Error('the global WebSocket is not what it was');
});

async function listen(url = URL, options?: MockServerOptions): Promise<MockServer> {
  const server = await mockServer(url, options);
  servers.push(server);
  return server;
}

function dial(server: MockServer, options: ClientOptions = {}): Client {
  const client = connect(server.url, { adapter: server.adapter, reconnect: { initialDelay: 1 }, ...options });
  clients.push(client);
  return client;
}

function next<E extends 'message' | 'close' | 'open' | 'pong' | 'error'>(client: Client, event: E): Promise<unknown> {
  return new Promise((resolve) => client.once(event, resolve as () => void));
}

describe('a mock server', () => {
  it('is dialled by connect(url, { adapter }), and keeps what came', async () => {
    const server = await listen();
    const client = dial(server);
    const link = await server.connection();
    await client.opened();
    client.send('hello');
    const bytes = Uint8Array.of(1, 2, 3);
    client.send(bytes.subarray(1));
    await expect(link.message()).resolves.toBe('hello');
    await expect(link.message()).resolves.toEqual(Uint8Array.of(2, 3));
    bytes.fill(9); // what came stays as it came
    expect(link.received).toEqual(['hello', Uint8Array.of(2, 3)]);
    expect(server.received).toEqual(link.received);
  });

  it("sends text and bytes, in order, and the bytes are the client's own", async () => {
    const server = await listen();
    const client = dial(server);
    const link = await server.connection();
    const reader = client.messages();
    const bytes = Uint8Array.of(1, 2, 3, 4);
    link.send('greeting'); // before the client has heard of its open
    link.send(bytes.subarray(1, 3));
    bytes.fill(9);
    const [first, second] = [await reader.next(), await reader.next()];
    expect([first.value, second.value]).toEqual(['greeting', Uint8Array.of(2, 3)]);
  });

  it('answers as the script says', async () => {
    const server = await listen(URL, {
      onConnection: (link) => link.send(`welcome to ${link.url}`),
      answer: (data) => (typeof data === 'string' ? data.toUpperCase() : undefined),
    });
    const client = connect(`${server.url}?room=7`, { adapter: server.adapter });
    clients.push(client);
    const reader = client.messages();
    client.send('loud');
    client.send(Uint8Array.of(1));
    client.send('louder');
    const heard = [await reader.next(), await reader.next(), await reader.next()];
    expect(heard.map(({ value }) => value)).toEqual([`welcome to ${URL}?room=7`, 'LOUD', 'LOUDER']);
  });

  it('T26: closes with a code and a reason, after the open, also from onConnection', async () => {
    const server = await listen(URL, { onConnection: (link) => link.close(4403, 'not you') });
    const client = dial(server);
    const open = next(client, 'open');
    const close = next(client, 'close');
    await open;
    await expect(close).resolves.toMatchObject({ code: 4403, reason: 'not you', wasClean: true, willReconnect: false });
    await expect((await server.connection()).closed).resolves.toEqual({ code: 4403, reason: 'not you' });
  });

  it('may name the moment of the next dial', async () => {
    const server = await listen();
    const client = dial(server);
    const close = next(client, 'close');
    (await server.connection()).close(1012, 'retry-after=0.005');
    await expect(close).resolves.toMatchObject({ code: 1012, willReconnect: true, delay: 5 });
    await server.connection();
    expect(server.dials).toBe(2);
  });

  it('a close without a code is 1005', async () => {
    const server = await listen();
    const client = dial(server);
    const close = next(client, 'close');
    (await server.connection()).close();
    await expect(close).resolves.toMatchObject({ code: 1005, reason: '', wasClean: true });
  });

  it('kills: 1006, not clean, and the socket is over', async () => {
    const server = await listen();
    const events: unknown[] = [];
    const page = new WebSocket(server.url);
    page.addEventListener('error', () => events.push(`error, readyState ${page.readyState}`));
    page.addEventListener('close', ({ code, wasClean }) => events.push([code, wasClean, page.readyState]));
    const link = await server.connection();
    link.kill();
    link.kill();
    await link.closed;
    expect(events).toEqual(['error, readyState 3', [1006, false, 3]]);
    await expect(link.closed).resolves.toEqual({ code: 1006, reason: '' });
    await expect(link.message()).rejects.toThrow('the socket ended with 1006 after 0 messages');
  });

  it('a client that was killed dials again', async () => {
    const server = await listen();
    const client = dial(server);
    (await server.connection()).kill();
    await server.connection();
    await client.opened();
    expect([server.dials, server.connections.size]).toEqual([2, 1]);
  });

  it('hears the close of the client', async () => {
    const server = await listen();
    const client = dial(server);
    const link = await server.connection();
    await client.opened();
    await client.close(4001, 'bye');
    await expect(link.closed).resolves.toEqual({ code: 4001, reason: 'bye' });
  });

  it('T51: its list of connections shrinks', async () => {
    const server = await listen();
    for (let i = 0; i < 3; i++) {
      const client = dial(server);
      const link = await server.connection();
      await client.opened();
      expect([...server.connections]).toEqual([link]);
      await client.close();
      expect(server.connections.size).toBe(0);
    }
  });

  it('tells the subprotocols that were offered', async () => {
    const server = await listen();
    dial(server, { protocols: ['v2', 'v1'] });
    expect((await server.connection()).protocols).toEqual(['v2', 'v1']);
  });
});

describe('a dial', () => {
  it('is refused with 1006 until the server accepts again', async () => {
    const server = await listen();
    server.refuse();
    const client = dial(server);
    await expect(next(client, 'close')).resolves.toMatchObject({ code: 1006, wasClean: false, opened: false });
    await server.dialled(3);
    expect(server.connections.size).toBe(0);
    server.accept();
    await client.opened();
    expect(client.status).toBe('open');
  });

  it('T10: hangs until the client gives it up', async () => {
    vi.useFakeTimers();
    const server = await listen();
    server.hang();
    const client = dial(server, { connectTimeout: 1_000, reconnect: false });
    const close = next(client, 'close');
    await server.dialled(1);
    await vi.advanceTimersByTimeAsync(999);
    expect(client.status).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1);
    await expect(close).resolves.toMatchObject({ code: 1006, cause: { code: 'CONNECT_TIMEOUT' } });
    server.accept();
    await vi.advanceTimersByTimeAsync(0);
    expect([server.connections.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it.each(['accept', 'refuse'] as const)('that hangs is answered by %s()', async (answer) => {
    const server = await listen();
    server.hang();
    const client = dial(server, { reconnect: false });
    const told = Promise.race([next(client, 'open'), next(client, 'close')]);
    await server.dialled(1);
    server[answer]();
    await expect(told).resolves.toMatchObject(answer === 'accept' ? { reconnected: false } : { code: 1006 });
  });
});

describe('heartbeats', () => {
  it('are answered, counted, and kept out of the record', async () => {
    vi.useFakeTimers();
    const server = await listen();
    const client = dial(server, { heartbeat: { interval: 1_000 } });
    let pongs = 0;
    client.on('pong', () => pongs++);
    const link = await server.connection();
    await vi.advanceTimersByTimeAsync(3_000);
    expect([link.pings, pongs, link.received]).toEqual([3, 3, []]);
  });

  it('T1: that are ignored from now on end the socket, within interval and timeout', async () => {
    vi.useFakeTimers();
    const server = await listen();
    const client = dial(server, { heartbeat: { interval: 1_000, timeout: 500 } });
    const link = await server.connection();
    await vi.advanceTimersByTimeAsync(1_000);
    server.heartbeat = 'ignore';
    const close = next(client, 'close');
    await vi.advanceTimersByTimeAsync(1_501); // a verdict gives pending input one turn
    await expect(close).resolves.toMatchObject({ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' } });
    await link.closed;
    await vi.advanceTimersByTimeAsync(1);
    expect([link.pings, server.dials]).toEqual([2, 2]);
  });

  it('are messages as any other where they are off', async () => {
    vi.useFakeTimers();
    const server = await listen(URL, { heartbeat: 'off', answer: (data) => (data === 'ping' ? 'pong' : undefined) });
    const client = dial(server, { heartbeat: { interval: 1_000 } });
    const pong = next(client, 'pong');
    const link = await server.connection();
    await vi.advanceTimersByTimeAsync(1_000);
    await pong;
    expect([link.pings, link.received]).toEqual([0, ['ping']]);
  });
});

describe('several at once', () => {
  it('two servers do not disturb each other, and one goes on when the other is closed', async () => {
    const [one, two] = [await listen('wss://one.test'), await listen('wss://two.test')];
    const [toOne, toTwo] = [dial(one, { reconnect: false }), dial(two)];
    const [linkOne, linkTwo] = [await one.connection(), await two.connection()];
    await Promise.all([toOne.opened(), toTwo.opened()]);
    toOne.send('for one');
    toTwo.send('for two');
    await expect(linkOne.message()).resolves.toBe('for one');
    await expect(linkTwo.message()).resolves.toBe('for two');
    await one.close();
    expect(toOne.status).toBe('closed');
    toTwo.send('and on');
    await expect(linkTwo.message()).resolves.toBe('and on');
  });

  it('an address can be taken once at a time', async () => {
    const server = await listen();
    await expect(mockServer(URL)).rejects.toThrow(`a mock server listens at ${URL} already`);
    await server.close();
    await expect((await listen()).close()).resolves.toBeUndefined();
  });
});

describe('close()', () => {
  it('ends what is open and what hangs, tells those who wait, and may be called twice', async () => {
    const server = await listen();
    const [open, hanging] = [
      dial(server, { reconnect: false }),
      dial(server, { reconnect: false, autoConnect: false }),
    ];
    await open.opened();
    const link = await server.connection();
    const waiting = server.connection().catch(String);
    server.hang();
    hanging.connect();
    await server.dialled(2);
    const closes = Promise.all([next(open, 'close'), next(hanging, 'close')]);
    await Promise.all([server.close(), server.close()]);
    await expect(waiting).resolves.toContain('was closed');
    await expect(closes).resolves.toMatchObject([{ code: 1006 }, { code: 1006, opened: false }]);
    await expect(link.closed).resolves.toMatchObject({ code: 1006 });
    expect(server.connections.size).toBe(0);
  });

  it('leaves an adapter that dials nobody', async () => {
    const server = await listen();
    await server.close();
    const client = dial(server, { reconnect: false });
    await expect(next(client, 'close')).resolves.toMatchObject({
      code: 1006,
      cause: { message: `the mock server at ${URL} was closed` },
    });
  });
});

describe('other addresses', () => {
  it('are dialled as ever: what opens opens late, and what fails fails', async () => {
    const real = await createFaultServer();
    const server = await listen();
    const [echo, refused] = [new WebSocket(real.url('/echo')), new WebSocket(real.refusedUrl)];
    const first = (socket: WebSocket): Promise<string> =>
      new Promise((resolve) => {
        for (const name of ['open', 'error']) socket.addEventListener(name, () => resolve(name));
      });
    expect(echo).toBeInstanceOf(original);
    await expect(Promise.all([first(echo), first(refused)])).resolves.toEqual(['open', 'error']);
    expect([server.dials, server.connections.size]).toEqual([0, 0]);
    const closed = new Promise((resolve) => echo.addEventListener('close', resolve));
    echo.close();
    await closed;
    await real.close();
  });

  it('that are no addresses are refused as ever', async () => {
    await listen();
    expect(() => new WebSocket('no address')).toThrow(DOMException);
  });
});

describe('beside msw', () => {
  it('takes part in an msw that listens already, and declines when it is closed', async () => {
    const network = setupServer();
    network.listen({ onUnhandledRequest: 'error' });
    try {
      const server = await listen(URL, { network, answer: (data) => data });
      const client = dial(server);
      await client.opened();
      client.send('hello');
      await expect(next(client, 'message')).resolves.toBe('hello');
      server.hang();
      await client.close();
      await server.close();
      const again = await listen(URL, { network });
      await dial(again).opened();
      expect([server.dials, again.dials]).toEqual([1, 1]);
      await again.close();
    } finally {
      network.close();
    }
  });

  it('says so where an msw listens that it was not given', async () => {
    const network = setupServer();
    network.listen();
    try {
      await expect(mockServer(URL)).rejects.toThrow('options.network');
      await expect(mockServer(URL)).rejects.toThrow('options.network'); // and the address is still free
    } finally {
      network.close();
    }
  });
});

describe('where there is no global WebSocket', () => {
  it('brings one that can dial mock servers, and takes it away again', async () => {
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      const server = await listen();
      await dial(server).opened();
      for (const client of clients.splice(0)) await client.close();
      await server.close();
      expect('WebSocket' in globalThis).toBe(false);
    } finally {
      globalThis.WebSocket = original;
    }
  });
});
