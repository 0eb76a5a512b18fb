// Does the server misbehave as its paths say, and tell what it has seen?

import { once } from 'node:events';
import { connect } from 'node:net';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

let server: FaultServer;
let clients: WebSocket[];
beforeEach(async () => {
  clients = [];
  server = await createFaultServer();
});
afterEach(async () => {
  for (const client of clients) client.terminate();
  await server.close();
});

function dial(path: string, protocols: string[] = [], headers: Record<string, string> = {}): WebSocket {
  const ws = new WebSocket(server.url(path), protocols, { headers, perMessageDeflate: false });
  ws.on('error', () => {}); // a close follows
  clients.push(ws);
  return ws;
}

/** What the server sends first, in the pieces in which it arrives. */
async function firstSegment(path: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  const key = Buffer.alloc(16).toString('base64');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString('latin1');
}

describe('the fault server', () => {
  it('T14: greets in one segment with its 101', async () => {
    const segment = await firstSegment('/greet');
    expect(segment).toMatch(/^HTTP\/1\.1 101 /);
    expect(segment).toMatch(/greeting$/);
  });

  it('T50: sends several greetings in that segment', async () => {
    await expect(firstSegment('/greet/3')).resolves.toMatch(/greeting 0.*greeting 1.*greeting 2$/s);
  });

  it('refuses with the status and the headers that the path names', async () => {
    const segment = await firstSegment('/status/429?retry-after=5&date=today');
    expect(segment).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\nretry-after: 5\r\ndate: today\r\n/);
  });

  it('hands out connections in the order in which they came, each once', async () => {
    const early = server.connection();
    dial('/echo?1');
    expect((await early).path).toBe('/echo?1');
    await once(dial('/echo?2'), 'open');
    await once(dial('/echo?3'), 'open');
    expect((await server.connection('/echo?3')).path).toBe('/echo?3');
    expect((await server.connection()).path).toBe('/echo?2');
    expect(server.connections.size).toBe(3);
  });

  it('tells the request, and records what it receives', async () => {
    const ws = dial('/protocol', ['a', 'b'], { 'x-test': 'yes' });
    const connection = await server.connection();
    expect(connection).toMatchObject({ path: '/protocol', protocol: 'b', headers: { 'x-test': 'yes' } });
    await once(ws, 'open');
    ws.ping();
    ws.send('text');
    ws.send(Uint8Array.of(1, 2));
    await expect(connection.received(2)).resolves.toEqual(['text', Uint8Array.of(1, 2)]);
    expect(connection.messages).toHaveLength(2);
    expect(connection.pings).toBe(1);
    ws.close(4000, 'bye');
    await expect(connection.closed).resolves.toEqual({ code: 4000, reason: 'bye' });
    await expect(connection.received(3)).rejects.toThrow('the socket ended after 2 of 3 messages');
  });

  it('sends, pings, closes and terminates on demand', async () => {
    const ws = dial('/silent');
    const connection = await server.connection();
    const message = once(ws, 'message');
    connection.send('hello');
    expect(String((await message)[0])).toBe('hello');
    const ping = once(ws, 'ping');
    connection.ping(Uint8Array.of(7));
    expect((await ping)[0]).toEqual(Buffer.of(7));
    connection.close(4001, 'enough');
    expect((await once(ws, 'close'))[0]).toBe(4001);
    const other = dial('/silent');
    const second = await server.connection();
    await once(other, 'open');
    second.terminate();
    expect((await once(other, 'close'))[0]).toBe(1006);
  });

  it('is silent on /silent, and answers no ping frame', async () => {
    const ws = dial('/silent');
    const connection = await server.connection();
    await once(ws, 'open');
    let answers = 0;
    ws.on('pong', () => answers++);
    ws.on('message', () => answers++);
    ws.ping();
    ws.send('ping');
    await connection.received(1);
    const other = dial('/echo');
    await once(other, 'open');
    other.ping();
    await once(other, 'pong');
    expect([connection.pings, answers]).toEqual([1, 0]);
  });

  it('T42: reads nothing on /frozen', async () => {
    const ws = dial('/frozen');
    const connection = await server.connection();
    await once(ws, 'open');
    for (let i = 0; i < 16; i++) ws.send(new Uint8Array(1024 * 1024));
    const other = dial('/echo');
    await once(other, 'open');
    expect(connection.messages).toEqual([]);
    expect(ws.bufferedAmount).toBeGreaterThan(1024 * 1024);
  });

  it('closes whatever is open, in whatever state, and may be closed twice', async () => {
    const open = dial('/echo');
    await once(open, 'open');
    const hanging = dial('/hang');
    const frozen = dial('/frozen');
    await once(frozen, 'open');
    const closed = [open, hanging, frozen].map((ws) => new Promise((resolve) => ws.on('close', resolve)));
    const never = server.connection('/never');
    await server.close();
    await server.close();
    await expect(never).rejects.toThrow('the fault server was closed');
    await expect(Promise.all(closed)).resolves.toEqual([1006, 1006, 1006]);
    expect([server.connections.size, server.sockets]).toEqual([0, 0]);
  });

  it('has an address at which nobody listens', async () => {
    const ws = new WebSocket(server.refusedUrl);
    const [error] = (await once(ws, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });
});
