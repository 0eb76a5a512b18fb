// Are messages, heartbeats and closes the same whatever the platform makes of them?

import { browserAdapter, connect, type Client, type ConnectOptions } from '@holdfast/browser';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { mockServer, type MockServer } from '@holdfast/testing/mock';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { dial, next, scriptedClass, settle } from './support.ts';

let real: FaultServer;
let mock: MockServer | undefined;
const clients: Client[] = [];
beforeAll(async () => {
  real = await createFaultServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await mock?.close();
  mock = undefined;
  if (vi.isFakeTimers() && vi.getTimerCount() > 0) throw new Error('a timer was left');
  vi.useRealTimers();
  await real.idle();
});
afterAll(() => real.close());

function open(url: string, options: ConnectOptions = {}): Client {
  const client = connect(url, { reconnect: { initialDelay: 1 }, ...options });
  clients.push(client);
  return client;
}

describe('heartbeats are messages', () => {
  it('T5: replies never reach message listeners, others do', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live');
    const client = open(mock.url, { adapter: mock.adapter, heartbeat: { interval: 1_000 } });
    const messages: unknown[] = [];
    let pongs = 0;
    client.on('message', (data) => messages.push(data)).on('pong', () => pongs++);
    const link = await mock.connection();
    await vi.advanceTimersByTimeAsync(3_500);
    link.send('pong'); // owed to nobody
    link.send('news');
    await settle();
    expect([link.pings, pongs, messages]).toEqual([3, 3, ['pong', 'news']]);
  });

  it('T5: any frame is a sign of life, also where no ping is answered any more', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live');
    const client = open(mock.url, { adapter: mock.adapter, heartbeat: { interval: 1_000, timeout: 500 } });
    const link = await mock.connection();
    await vi.advanceTimersByTimeAsync(1_100);
    mock.heartbeat = 'ignore';
    for (let i = 0; i < 100; i++) {
      link.send('tick');
      await vi.advanceTimersByTimeAsync(400);
    }
    expect([client.status, mock.dials]).toEqual(['open', 1]);
  });

  it('T5: one unanswered ping is reported once', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live');
    const client = open(mock.url, {
      adapter: mock.adapter,
      heartbeat: { interval: 1_000, timeout: 500 },
      reconnect: false,
    });
    const told: unknown[] = [];
    client.on('close', ({ cause }) => told.push(['close', (cause as { code?: string }).code]));
    client.on('error', ({ code }) => told.push(['error', code]));
    await vi.advanceTimersByTimeAsync(1_100);
    mock.heartbeat = 'ignore';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([['close', 'HEARTBEAT_TIMEOUT']]);
  });

  it('T8: a server that never answers them is kept, for an hour', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live', { heartbeat: 'ignore' });
    const client = open(mock.url, { adapter: mock.adapter });
    const link = await mock.connection();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([client.status, mock.dials, link.pings]).toEqual(['open', 1, 120]);
  });

  it('T8: a server that has stopped answering is dialled twice anew, told once, and then kept', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live');
    const client = open(mock.url, { adapter: mock.adapter, heartbeat: { interval: 1_000, timeout: 500 } });
    const codes: string[] = [];
    client.on('error', ({ code }) => codes.push(code));
    await vi.advanceTimersByTimeAsync(1_100);
    mock.heartbeat = 'ignore';
    await vi.advanceTimersByTimeAsync(600_000);
    expect([client.status, codes]).toEqual(['open', ['HEARTBEAT_UNANSWERED']]);
    expect(mock.dials).toBeLessThanOrEqual(4);
  });
});

describe('a close', () => {
  it.each([
    [1000, ''],
    [1001, 'going away'],
    [1012, 'retry-after=0.010'],
    [4000, 'x'.repeat(123)],
  ])('T26: %s is told as the server said it, and as not ours', async (code, reason) => {
    mock = await mockServer('wss://chat.test/live');
    const client = open(mock.url, { adapter: mock.adapter });
    (await mock.connection()).close(code, reason);
    await expect(next(client, 'close')).resolves.toMatchObject({ code, reason, wasClean: true, asked: false });
  });

  it("T26: of ours is told as ours, with the server's answer", async () => {
    const client = open(real.url('/echo'));
    await client.opened();
    const close = next(client, 'close');
    await client.close(4002, 'enough');
    await expect(close).resolves.toMatchObject({ code: 4002, reason: 'enough', wasClean: true, asked: true });
  });

  it('T26: a timeout of ours is no clean close of anybody', async () => {
    vi.useFakeTimers();
    mock = await mockServer('wss://chat.test/live');
    mock.hang();
    const client = open(mock.url, { adapter: mock.adapter, connectTimeout: 100, reconnect: false });
    const close = next(client, 'close');
    await vi.advanceTimersByTimeAsync(100);
    await expect(close).resolves.toMatchObject({ code: 1006, reason: '', wasClean: false, asked: false });
  });

  it.each([
    ['an empty event', {}, { code: 1005, reason: '', wasClean: false }],
    ['a code alone', { code: 4000 }, { code: 4000, reason: '', wasClean: false }],
    ['all of it', { code: 4000, reason: 'r', wasClean: true }, { code: 4000, reason: 'r', wasClean: true }],
  ])('T26: what the platform leaves out is not made up: %s', async (_, event, expected) => {
    const { WebSocket, sockets } = scriptedClass();
    const { closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    sockets[0]!.fire('open');
    sockets[0]!.fire('close', event);
    await expect(closed).resolves.toEqual({ ...expected, cause: undefined });
  });
});

describe('binary', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const asSent = { echo: bytes, class: Uint8Array, memory: 3 };

  /** What comes back on three sockets in a row. */
  async function echoes(client: Client, breakOff: () => Promise<void>): Promise<unknown[]> {
    const heard: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await client.opened();
      client.send(bytes);
      const echo = (await next(client, 'message')) as Uint8Array;
      heard.push({ echo, class: echo.constructor, memory: echo.buffer.byteLength });
      const reopened = next(client, 'open');
      await breakOff();
      await reopened;
    }
    return heard;
  }

  it("T41: is the same before and after a reconnect, on Node's own WebSocket", async () => {
    const path = '/echo?binary';
    const heard = echoes(open(real.url(path)), async () => (await real.connection(path)).terminate());
    await expect(heard).resolves.toEqual([asSent, asSent, asSent]);
  });

  it('T41: is the same before and after a reconnect, on the mock server', async () => {
    const server = (mock = await mockServer('wss://chat.test/live', { answer: (data) => data }));
    const heard = echoes(open(mock.url, { adapter: mock.adapter }), async () => (await server.connection()).kill());
    await expect(heard).resolves.toEqual([asSent, asSent, asSent]);
  });

  it('is a Uint8Array whatever view or buffer the platform gives', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, socket } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const { buffer } = Uint8Array.of(0, 1, 2, 3);
    sockets[0]!.fire('open');
    for (const data of [buffer, new DataView(buffer, 1, 2), Buffer.from(buffer, 2)])
      sockets[0]!.fire('message', { data });
    expect(told).toEqual(['opened', Uint8Array.of(0, 1, 2, 3), Uint8Array.of(1, 2), Uint8Array.of(2, 3)]);
    expect(told.slice(1).every((data) => (data as object).constructor === Uint8Array)).toBe(true);
    socket.terminate();
  });
});

/** A Blob whose bytes come when the test says so. */
function slowBlob(...bytes: number[]): { blob: object; arrive(): void; fail(cause: unknown): void } {
  let arrive: () => void;
  let fail: (cause: unknown) => void;
  const buffer = new Promise<ArrayBuffer>((resolve, reject) => {
    arrive = () => resolve(Uint8Array.from(bytes).buffer);
    fail = reject;
  });
  return { blob: { arrayBuffer: () => buffer }, arrive: arrive!, fail: fail! };
}

describe('Blobs, from a socket that does not honour binaryType', () => {
  it('T41: are read, and messages keep their order, whichever is read first; the close comes last', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const [first, second] = [slowBlob(1), slowBlob(2)];
    const [own] = sockets;
    own!.fire('open');
    for (const data of ['before', first.blob, 'between', second.blob, Uint8Array.of(3).buffer])
      own!.fire('message', { data });
    own!.fire('close', { code: 1000, reason: '', wasClean: true });
    second.arrive();
    await settle();
    expect(told).toEqual(['opened', 'before']);
    first.arrive();
    await closed;
    expect(told).toEqual([
      'opened',
      'before',
      Uint8Array.of(1),
      'between',
      Uint8Array.of(2),
      Uint8Array.of(3),
      'closed',
    ]);
  });

  it('what comes after all of them have been read is told at once again', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, socket } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const [own] = sockets;
    own!.fire('open');
    own!.fire('message', { data: new Blob([Uint8Array.of(1)]) });
    await vi.waitUntil(() => told.length === 2);
    await settle();
    own!.fire('message', { data: 'at once' });
    expect(told).toEqual(['opened', Uint8Array.of(1), 'at once']);
    socket.terminate();
  });

  it('one that cannot be read ends the socket, since a message would be missing', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const unreadable = slowBlob();
    const [own] = sockets;
    own!.fire('open');
    own!.fire('message', { data: unreadable.blob });
    own!.fire('message', { data: 'after it' });
    unreadable.fail('gone');
    await expect(closed).resolves.toMatchObject({ code: 1006, wasClean: false, cause: 'gone' });
    await settle();
    expect([told, own!.closes]).toEqual([['opened', 'closed'], 1]);
  });

  it('terminate() while one is being read is silence', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, socket } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const late = slowBlob(1);
    sockets[0]!.fire('open');
    sockets[0]!.fire('message', { data: late.blob });
    sockets[0]!.fire('message', { data: 'after it' });
    socket.terminate();
    late.arrive();
    await settle();
    expect(told).toEqual(['opened']);
  });
});
