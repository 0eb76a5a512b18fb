// What becomes of everybody when the server leaves? Over real sockets.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createServer } from '@holdfast/server';
import {
  Client,
  answerOf,
  dial,
  handshake,
  join,
  joinRaw,
  knock,
  nextPeer,
  nextRefusal,
  pair,
  serve,
  until,
  urlOf,
} from './helpers.ts';

describe('drain', () => {
  test('fifty peers get fifty slots, evenly over the time and in thousandths, by 1012', async () => {
    const server = await serve();
    const clients = await Promise.all(Array.from({ length: 50 }, () => join(server)));
    expect(await server.drain({ over: 1_234, after: 500 })).toBe(50);
    const closes = await Promise.all(clients.map((client) => client.closed));
    expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]));
    const slots = closes
      .map(({ reason }) => Number(/^retry-after=(\d+\.\d{3})$/.exec(reason)![1]) * 1_000)
      .sort((a, b) => a - b);
    for (const [i, slot] of slots.entries()) {
      expect(Math.abs(slot - (500 + (i * 1_234) / 50))).toBeLessThanOrEqual(0.5);
    }
    expect(server.peers.size).toBe(0);
  });

  test('who comes meanwhile is refused with 503 and a Retry-After within the window', async () => {
    const server = await serve({ closeTimeout: 5_000 });
    const coming = nextPeer(server);
    const stubborn = await joinRaw(server.port);
    await coming;
    const drained = server.drain({ over: 20_000, after: 10_000 });
    await once(stubborn, 'data'); // the close frame
    const refused = nextRefusal(server);
    const answer = await knock(server.port);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(10);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30);
    expect((await refused).reason).toBe('closing');
    stubborn.destroy();
    expect(await drained).toBe(1);
  });

  test('T27: peers that never answer the close do not hold it up', async () => {
    const server = await serve();
    for (let i = 0; i < 3; i++) await joinRaw(server.port);
    await until(() => server.peers.size === 3);
    const begin = performance.now();
    expect(await server.drain({ over: 60_000, timeout: 30 })).toBe(3);
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(server.peers.size).toBe(0);
  });

  test('then the server is closed: nobody listens any more', async () => {
    const server = await serve();
    const { port } = server;
    const closed = new Promise((resolve) => server.once('close', () => resolve('closed')));
    await server.drain({ over: 10 });
    expect(await closed).toBe('closed');
    const socket = connect(port!, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('a second drain joins the first, close() hurries it, one after the end counts none', async () => {
    const server = await serve();
    await joinRaw(server.port);
    await until(() => server.peers.size === 1);
    const first = server.drain({ over: 10, timeout: 60_000 });
    const second = server.drain({ over: 99 });
    await server.close({ timeout: 20 });
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(await server.drain({ over: 10 })).toBe(0);
  });

  test('without peers it is done at once', async () => {
    const server = await serve();
    expect(await server.drain({ over: 60_000 })).toBe(0);
  });

  test.each([{ over: -1 }, { over: Number.NaN }, { over: 1, after: -1 }, { over: 3_600_001 }])(
    '%j is refused',
    async (options) => {
      const server = await serve();
      await expect(server.drain(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      expect((await knock(server.port)).status).toBe(101);
    },
  );
});

describe('close', () => {
  test('peers get 1001, everything is closed, and it may be called twice', async () => {
    const server = await serve();
    const clients = [await join(server), await join(server)];
    await Promise.all([server.close(), server.close()]);
    for (const client of clients) expect((await client.closed).code).toBe(1001);
    expect(server.peers.size).toBe(0);
    await server.close();
  });

  test('T27: is bounded when peers are silent, and when connections never asked for anything', async () => {
    const server = await serve();
    await joinRaw(server.port);
    await dial(server.port);
    const half = await dial(server.port);
    half.write('GET / HTTP/1.1\r\nHost:');
    await until(() => server.peers.size === 1);
    const begin = performance.now();
    await server.close({ timeout: 30 });
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test('who waits for authorize is refused with 503, once, whatever it says later', async () => {
    const answers: ((verdict: boolean) => void)[] = [];
    const server = await serve({
      authorize: () => new Promise<boolean>((answer) => answers.push(answer)),
    });
    const told: string[] = [];
    server.on('refused', ({ reason }) => told.push(reason));
    const socket = await dial(server.port);
    socket.write(handshake());
    await until(() => answers.length === 1);
    const answer = answerOf(socket);
    const closed = server.close();
    await until(() => told.length > 0);
    answers[0]!(false);
    await closed;
    expect((await answer).status).toBe(503);
    expect(told).toEqual(['closing']);
  });

  test('may be called from inside any listener', async () => {
    const server = await serve();
    const done = new Promise<void>((resolve) =>
      server.once('connection', (peer) => {
        peer.once('close', () => server.close());
        resolve(server.close());
      }),
    );
    const client = await join(server);
    await done;
    expect((await client.closed).code).toBe(1001);
  });

  test('before it listens leaves no listener behind', async () => {
    const server = createServer({ port: 0, host: 'localhost' });
    await server.close();
    expect(server.port).toBe(undefined);
  });

  test('a server that is not its own goes on, without a listener of ours', async () => {
    const http = createHttpServer((_, response) => response.end('still here'));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    onTestFinished(() => void http.close());
    const server = await serve({ server: http });
    const { client } = await pair(server);
    await server.close();
    expect((await client.closed).code).toBe(1001);
    expect(http.listenerCount('upgrade')).toBe(0);
    const { port } = http.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe('still here');
    http.closeAllConnections();
  });

  test('T46: the one timer keeps no process alive, and is gone after close()', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = createServer({ noServer: true });
    expect(vi.getTimerCount()).toBe(1);
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const another = createServer({ noServer: true });
    expect(timers()).toBe(before);
    await another.close();
  });

  test('T46: a closed server leaves no handle', async () => {
    const handles = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap' || name === 'TCPSocketWrap').length;
    await until(() => handles() === 0);
    const server = createServer({ port: 0, host: '127.0.0.1' });
    await server.listening();
    const client = new Client(urlOf(server));
    await once(client.ws, 'open');
    await server.close();
    await client.closed;
    await until(() => handles() === 0);
    expect(handles()).toBe(0);
  });
});

test('a port that is taken rejects listening(), and is told by its code', async () => {
  const first = await serve();
  const second = createServer({ port: first.port!, host: '127.0.0.1' });
  const told = new Promise((resolve) => second.once('error', resolve));
  await expect(second.listening()).rejects.toMatchObject({ code: 'SERVER_FAILED' });
  expect(await told).toMatchObject({ code: 'SERVER_FAILED', cause: { code: 'EADDRINUSE' } });
  await second.close();
});
