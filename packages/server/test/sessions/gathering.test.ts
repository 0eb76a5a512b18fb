// What a session says in one turn of the loop goes to the operating system together, and not too much of it.

import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SUBPROTOCOL, decodeFromServer, encodeOpen } from '@holdfast/session/wire';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createServer, memoryStore, type ServerOptions, type Session } from '@holdfast/server';

/** One client with a session, and the socket beneath it at the server's end. */
async function connected(options: ServerOptions = {}) {
  const http = createHttpServer().listen(0, '127.0.0.1');
  const upgraded = new Promise<Socket>((resolve) =>
    http.on('upgrade', (_request, socket) => resolve(socket as Socket)),
  );
  const server = createServer({
    ...options,
    server: http,
    sessions: { store: memoryStore(), authorize: () => 'somebody', handle: () => {} },
  });
  const arrived = new Promise<Session>((resolve) => server.on('session', resolve));
  await once(http, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, [SUBPROTOCOL]);
  const heard: string[] = [];
  let tell = () => {};
  client.on('message', (data) => {
    const frame = decodeFromServer(String(data as Buffer));
    if (frame.type === 'hello')
      client.send(encodeOpen({ attempt: 1, holders: [1], window: 1_048_576, auth: undefined }));
    if (frame.type === 'message' || frame.type === 'volatile') heard.push(String(frame.data));
    tell();
  });
  onTestFinished(async () => {
    client.terminate();
    await server.close();
    http.close();
    await once(http, 'close');
  });
  const [session, socket] = await Promise.all([arrived, upgraded]);
  return {
    session,
    socket,
    /** Resolves when the client has heard so many. */
    hears: (count: number) =>
      new Promise<readonly string[]>((resolve) => {
        tell = () => heard.length >= count && resolve(heard);
        tell();
      }),
  };
}

test('messages of one turn are written together when it is over, and all of them, in order', async () => {
  const { session, socket, hears } = await connected();
  await new Promise(setImmediate);
  expect(socket.writableLength).toBe(0);
  const messages = Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(100));
  const stored = messages.map((message) => session.send(message));
  expect(socket.writableLength).toBeGreaterThan(10 * 100);
  await Promise.all(stored);
  await new Promise(setImmediate);
  expect(socket.writableLength).toBe(0);
  expect(await hears(10)).toEqual(messages);
});

test('however much is said in one turn, no more than 64 KiB and one message are held for its end', async () => {
  const { session, socket, hears } = await connected();
  const message = 'x'.repeat(1_000);
  let most = 0;
  for (let i = 0; i < 200; i++) {
    void session.send(message);
    most = Math.max(most, socket.writableLength);
  }
  expect(most).toBeGreaterThan(10_000);
  expect(most).toBeLessThan(65_536 + 1_100);
  expect(await hears(200)).toHaveLength(200);
});

test('a server that lets little pile up holds a quarter of that, so that what is held is not taken for a slow reader', async () => {
  const { session, socket, hears } = await connected({ maxBufferedBytes: 16_384 });
  let most = 0;
  for (let i = 0; i < 20; i++) {
    void session.send(`${2 * i}`.padEnd(1_000));
    expect(await session.send(`${2 * i + 1}`.padEnd(1_000), { volatile: true })).toBe(true);
    most = Math.max(most, socket.writableLength);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(4_096 + 1_100);
  expect((await hears(40)).map(Number)).toEqual(Array.from({ length: 40 }, (_, i) => i));
});
