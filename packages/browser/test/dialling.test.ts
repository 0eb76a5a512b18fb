// Does every dial come to exactly one end, whatever the platform's WebSocket is like?

import { browserAdapter, connect, type Client, type WebSocketConstructor } from '@holdfast/browser';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { mockServer } from '@holdfast/testing/mock';
import { WebSocket as WsPackage } from 'ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dial, next, scriptedClass, settle } from './support.ts';

const ws = WsPackage as unknown as WebSocketConstructor;
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
let server: FaultServer;
beforeAll(async () => {
  server = await createFaultServer();
});
beforeEach(() => {
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterEach(async () => {
  vi.useRealTimers();
  await server.idle();
  process.off('uncaughtException', note).off('unhandledRejection', note);
  if (uncaught.length > 0) throw new Error('something was uncaught', { cause: uncaught.splice(0)[0] });
});
afterAll(() => server.close());

describe('a server that takes the connection and never answers', () => {
  it('T10: is given up at the connect timeout, and dialled again after the backoff', async () => {
    vi.useFakeTimers();
    const mock = await mockServer('wss://chat.test/live');
    mock.hang();
    const client = connect(mock.url, {
      adapter: mock.adapter,
      connectTimeout: 1_000,
      reconnect: { initialDelay: 400, jitter: 'none' },
    });
    const closes: unknown[] = [];
    client.on('close', ({ code, wasClean, opened }) => closes.push([code, wasClean, opened]));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(closes).toEqual([[1006, false, false]]);
    await vi.advanceTimersByTimeAsync(399);
    expect(mock.dials).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(mock.dials).toBe(2);
    mock.accept();
    await client.opened();
    await client.close();
    await mock.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["Node's own WebSocket", undefined],
    ['the ws package', ws],
  ])('T10: given up, its TCP connection is ended and nothing is uncaught: %s', async (_, WebSocket) => {
    const own = await createFaultServer(); // Node's opens a spare connection afterwards, and keeps it for 4 s
    const client = connect(own.url('/hang'), { WebSocket, connectTimeout: 50, reconnect: false });
    await expect(next(client, 'close')).resolves.toMatchObject({
      code: 1006,
      reason: '',
      wasClean: false,
      cause: { code: 'CONNECT_TIMEOUT' },
    });
    await own.idle();
    await own.close();
  });
});

describe('a failed dial', () => {
  it.each([
    ['error and no close', ['error'], 100],
    ['error, then close', ['error', 'close'], 0],
    ['close, then error', ['close', 'error'], 0],
    ['close alone', ['close'], 0],
  ] as const)('T11: %s is one abnormal close', async (_, names, ms) => {
    vi.useFakeTimers();
    const { WebSocket, sockets } = scriptedClass();
    const { told, closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    for (const name of names)
      sockets[0]!.fire(name, name === 'close' ? { code: 1006, reason: '', wasClean: false } : {});
    await vi.advanceTimersByTimeAsync(ms);
    expect(vi.getTimerCount()).toBe(0);
    await expect(closed).resolves.toMatchObject({ code: 1006, reason: '', wasClean: false });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['closed']);
  });

  it('T11: error and no close is one failed attempt, and the next dial comes', async () => {
    vi.useFakeTimers();
    const scripted = scriptedClass();
    const client = connect('ws://a.test', {
      WebSocket: scripted.WebSocket,
      reconnect: { initialDelay: 1, maxAttempts: 2 },
    });
    let closes = 0;
    client.on('close', () => closes++);
    const end = next(client, 'end');
    for (const expected of [1, 2, 3]) {
      scripted.last.fire('error');
      await vi.advanceTimersByTimeAsync(110);
      expect(closes).toBe(expected);
    }
    await expect(end).resolves.toMatchObject({ reason: 'exhausted' });
    expect([scripted.sockets.length, vi.getTimerCount()]).toEqual([3, 0]);
  });

  it('T11: an error on an open socket that is followed by its close is told as the close says', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { told, closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    sockets[0]!.fire('open');
    sockets[0]!.fire('error', 'the cause');
    sockets[0]!.fire('close', { code: 1009, reason: 'too big', wasClean: true });
    await expect(closed).resolves.toEqual({ code: 1009, reason: 'too big', wasClean: true, cause: 'the cause' });
    expect(told).toEqual(['opened', 'closed']);
  });

  it('T26: a code of 0, as Deno has it of a failed dial, is none: 1006', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const { closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    sockets[0]!.fire('close', { code: 0, reason: '', wasClean: false });
    await expect(closed).resolves.toMatchObject({ code: 1006, wasClean: false });
  });

  it('T13: a constructor that throws is told later, and the client goes on', async () => {
    let throws = 2;
    const { WebSocket, sockets } = scriptedClass();
    const Forbidden = new Proxy(WebSocket, {
      construct(target, args) {
        if (throws-- > 0) throw new DOMException('refused by a content security policy', 'SecurityError');
        return new target(...(args as [string]));
      },
    });
    const client = connect('ws://a.test', { WebSocket: Forbidden, reconnect: { initialDelay: 1 } });
    const causes: unknown[] = [];
    client.on('close', ({ code, cause }) => causes.push([code, cause instanceof Error ? cause.name : 'none']));
    const opened = client.opened();
    await vi.waitUntil(() => sockets.length > 0);
    sockets[0]!.fire('open');
    await opened;
    expect(causes).toEqual([
      [1006, 'SecurityError'],
      [1006, 'SecurityError'],
    ]);
    const closed = client.close();
    sockets[0]!.fire('close', { code: 1000, reason: '', wasClean: true });
    await closed;
  });

  it.each([
    ["Node's own WebSocket", undefined],
    ['the ws package', ws],
  ])('T23: with events of whatever class, a refused dial does not stop the loop: %s', async (_, WebSocket) => {
    const url = ({ attempt }: { attempt: number }): string => (attempt < 2 ? server.refusedUrl : server.url('/echo'));
    const client = connect(url, { WebSocket, reconnect: { initialDelay: 1 } });
    let refused = 0;
    client.on('close', ({ code, opened }) => (refused += code === 1006 && !opened ? 1 : 0));
    await client.opened();
    client.send('hello');
    await expect(next(client, 'message')).resolves.toBe('hello');
    expect(refused).toBe(2);
    await client.close();
  });

  it('T23: a listener of an error gets what the platform told, and it is not dispatched again', async () => {
    const { WebSocket, sockets } = scriptedClass();
    const strange = Object.freeze({ errMsg: 'of another class', type: 'error' });
    const { closed } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    sockets[0]!.fire('error', strange);
    sockets[0]!.fire('close', { code: 1006, reason: '', wasClean: false });
    expect((await closed).cause).toBe(strange);
  });
});

describe('a socket that was terminated', () => {
  it.each(['addEventListener', 'on'] as const)('T2: is silent, whatever still comes (%s)', async (style) => {
    vi.useFakeTimers();
    const { WebSocket, sockets } = scriptedClass(style);
    const { socket, told } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const last = sockets[0]!;
    last.fire('open');
    last.fire('error'); // its close has not come yet
    socket.terminate();
    for (const name of ['open', 'message', 'error', 'close'] as const)
      last.fire(name, { data: 'too late', code: 1000 });
    expect([last.closes, last.listeners, vi.getTimerCount()]).toEqual([1, 1, 0]); // `error` stays, deaf
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['opened']);
  });

  it.each([
    ["Node's own WebSocket", undefined],
    ['the ws package', ws],
  ])('T10: in the turn of its dial, nothing is uncaught: %s', async (_, WebSocket) => {
    const adapter = browserAdapter({ WebSocket });
    const dials = Array.from({ length: 10 }, (__, i) => dial(adapter, server.url(i % 2 ? '/echo' : '/hang')));
    for (const { socket } of dials) socket.terminate();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    await server.idle();
    expect(dials.flatMap(({ told }) => told)).toEqual([]);
  });
});

describe('a WebSocket that is not the global one', () => {
  it('T51: needs only its on* properties', async () => {
    const { WebSocket, sockets } = scriptedClass('on');
    const { socket, opened, closed, told } = dial(browserAdapter({ WebSocket }), 'ws://a.test');
    const [own] = sockets;
    own!.fire('open');
    await expect(opened).resolves.toEqual({ protocol: '' });
    socket.send('out');
    own!.fire('message', { data: 'in' });
    own!.fire('close', {});
    await expect(closed).resolves.toMatchObject({ code: 1005, reason: '', wasClean: false });
    expect([told, own!.sent, own!.binaryType]).toEqual([['opened', 'in', 'closed'], ['out'], 'arraybuffer']);
  });

  it('T51: a client lives on it, and an empty message is told once', async () => {
    const { WebSocket, sockets } = scriptedClass('on');
    const client: Client = connect('ws://a.test', { WebSocket });
    const messages: unknown[] = [];
    client.on('message', (data) => messages.push(data));
    client.on('error', (error) => messages.push(error));
    sockets[0]!.fire('open');
    await client.opened();
    sockets[0]!.fire('message', { data: '' });
    sockets[0]!.fire('message', { data: new ArrayBuffer(0) });
    await settle();
    expect(messages).toEqual(['', new Uint8Array(0)]);
    const closed = client.close();
    sockets[0]!.fire('close', { code: 1000, reason: '', wasClean: true });
    await closed;
  });

  it('T51: is read at each dial where it is the global one, so that one that comes later is found', async () => {
    const adapter = browserAdapter();
    const { WebSocket, sockets } = scriptedClass();
    vi.stubGlobal('WebSocket', WebSocket);
    try {
      dial(adapter, 'ws://a.test').socket.terminate();
    } finally {
      vi.unstubAllGlobals();
    }
    expect(sockets).toHaveLength(1);
  });
});
