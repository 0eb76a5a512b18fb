// Does the proxy break and mend links as it says, and leave nothing behind?

import { once } from 'node:events';
import { createFaultProxy, createFaultServer, type FaultProxy, type FaultServer } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

let server: FaultServer;
let proxy: FaultProxy;
let clients: WebSocket[];
beforeEach(async () => {
  clients = [];
  server = await createFaultServer();
  proxy = await createFaultProxy({ port: server.port });
});
afterEach(async () => {
  for (const client of clients) client.terminate();
  await proxy.close();
  await server.close();
});

function dial(url = proxy.url('/echo')): { readonly ws: WebSocket; readonly received: string[] } {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  const received: string[] = [];
  ws.on('message', (data: Buffer) => received.push(data.toString()));
  ws.on('error', () => {}); // a close follows
  clients.push(ws);
  return { ws, received };
}

async function open(url?: string): Promise<ReturnType<typeof dial>> {
  const dialled = dial(url);
  await once(dialled.ws, 'open');
  return dialled;
}

/** Not by `once` of node:events, which rejects at the error that comes before. */
function codeOf(ws: WebSocket): Promise<number> {
  return new Promise((resolve) => ws.on('close', resolve));
}

/** One round trip on a link of its own: whatever could have arrived on another has arrived. */
async function roundTrip(): Promise<void> {
  const { ws } = await open(server.url('/echo'));
  ws.send('there and back');
  await once(ws, 'message');
  ws.terminate();
}

describe('the fault proxy', () => {
  it('passes bytes both ways, and the end of each side', async () => {
    const { ws, received } = await open();
    const text = 'x'.repeat(3_000_000);
    ws.send('hello');
    ws.send(text);
    await once(ws, 'message');
    await once(ws, 'message');
    expect(received).toEqual(['hello', text]);
    expect(proxy.connections).toBe(1);
    ws.close(4000, 'bye');
    await expect(codeOf(ws)).resolves.toBe(4000);
    await proxy.idle();
    expect(proxy.connections).toBe(0);
  });

  it('takes the address of a server as a URL', async () => {
    const second = await createFaultProxy({ target: server.url('/anything') });
    const { ws } = await open(second.url('/echo'));
    expect(second.connections).toBe(1);
    ws.terminate();
    await second.close();
  });

  it('resets the client when the server cannot be reached', async () => {
    const second = await createFaultProxy({ target: server.refusedUrl });
    await expect(codeOf(dial(second.url()).ws)).resolves.toBe(1006);
    await second.idle();
    await second.close();
  });

  it('delays everything by as much as was asked, in order', async () => {
    const { ws, received } = await open();
    proxy.delay(50);
    const start = performance.now();
    for (let i = 0; i < 100; i++) ws.send(String(i));
    while (received.length < 100) await once(ws, 'message');
    expect(performance.now() - start).toBeGreaterThanOrEqual(99); // there and back
    expect(received).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('keeps the order when the delay ends while bytes are under way', async () => {
    const { ws, received } = await open();
    proxy.delay(60);
    ws.send('slow');
    await proxy.holding();
    proxy.pass();
    ws.send('fast');
    while (received.length < 2) await once(ws, 'message');
    expect(received).toEqual(['slow', 'fast']);
  });

  it('delays the end of a link behind its last bytes', async () => {
    const { ws, received } = await open(proxy.url('/last-words/10'));
    proxy.delay(20);
    await expect(codeOf(ws)).resolves.toBe(4001);
    expect(received).toHaveLength(10);
  });

  it('throttles to so many bytes a second', async () => {
    const { ws } = await open();
    proxy.throttle(100_000);
    const start = performance.now();
    ws.send('x'.repeat(10_000)); // a tenth of a second each way
    await once(ws, 'message');
    expect(performance.now() - start).toBeGreaterThanOrEqual(190);
  });

  it('swallows everything in a blackhole, also the end of a link', async () => {
    const { ws, received } = await open();
    const connection = await server.connection();
    proxy.blackhole();
    ws.send('lost?');
    await proxy.holding();
    expect(proxy.held).toBeGreaterThan(0);
    ws.terminate();
    await roundTrip();
    expect([connection.messages, received]).toEqual([[], []]);
    expect(server.connections.has(connection)).toBe(true); // half-open: the server does not know
    expect(proxy.connections).toBe(1);
  });

  it.each(['toServer', 'toClient'] as const)('swallows one way only, when asked: %s', async (direction) => {
    const { ws, received } = await open();
    const connection = await server.connection();
    proxy.blackhole(direction);
    ws.send('to the server');
    if (direction === 'toClient') await connection.received(1);
    await proxy.holding();
    await roundTrip();
    expect(received).toEqual([]);
    expect(connection.messages).toEqual(direction === 'toClient' ? ['to the server'] : []);
  });

  it('T2: delivers late, and in order, what a blackhole has held back', async () => {
    const { ws, received } = await open();
    proxy.blackhole('toClient');
    for (let i = 0; i < 10; i++) ws.send(String(i));
    ws.close(4000, 'after them');
    await (await server.connection()).received(10);
    proxy.release();
    await expect(codeOf(ws)).resolves.toBe(4000);
    expect(received.join('')).toBe('0123456789');
  });

  it('T2: leaves a swallowed link dead after pass(), while new ones are well', async () => {
    const old = await open();
    proxy.blackhole();
    old.ws.send('old');
    await proxy.holding();
    proxy.pass();
    const next = await open();
    next.ws.send('new');
    await once(next.ws, 'message');
    expect([old.received, next.received]).toEqual([[], ['new']]);
    proxy.release();
    await once(old.ws, 'message');
    expect(old.received).toEqual(['old']);
  });

  it('lets a sender feel that nobody takes its bytes away', async () => {
    const { ws } = await open();
    proxy.blackhole();
    for (let i = 0; i < 32; i++) ws.send(new Uint8Array(1024 * 1024));
    await proxy.holding(1024 * 1024);
    expect(proxy.held).toBeLessThan(4 * 1024 * 1024);
    expect(ws.bufferedAmount).toBeGreaterThan(16 * 1024 * 1024);
    proxy.release();
    await once(ws, 'message');
  });

  it('refuses new links and leaves old ones alone', async () => {
    const old = await open();
    proxy.refuse();
    await expect(codeOf(dial().ws)).resolves.toBe(1006);
    old.ws.send('still here');
    await once(old.ws, 'message');
    proxy.pass();
    await open();
    expect(proxy.connections).toBe(2);
  });

  it('hangs new links: accepted, never answered, unknown to the server', async () => {
    proxy.hang();
    const { ws } = dial();
    await proxy.connected();
    await roundTrip();
    expect(ws.readyState).toBe(WebSocket.CONNECTING);
    expect(proxy.connections).toBe(1);
    ws.terminate();
    await proxy.idle();
  });

  it.each(['cut', 'fin'] as const)('ends every link at both ends, also a swallowed one: %s', async (end) => {
    const links = [await open(), await open()];
    const connections = [await server.connection(), await server.connection()];
    proxy.blackhole();
    links[0]?.ws.send('swallowed');
    await proxy.holding();
    const codes = links.map(({ ws }) => codeOf(ws));
    proxy[end]();
    await expect(Promise.all(codes)).resolves.toEqual([1006, 1006]);
    for (const { closed } of connections) await expect(closed).resolves.toMatchObject({ code: 1006 });
    await proxy.idle();
    expect(proxy.held).toBe(0);
  });

  it('counts dials, the refused ones too', async () => {
    proxy.refuse();
    dial();
    dial();
    await proxy.connected(2);
    proxy.pass();
    dial();
    await expect(proxy.connected(3)).resolves.toBeUndefined();
  });

  it('leaves nothing when it is closed, in whatever state it is, and may be closed twice', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const swallowed = await open();
    proxy.blackhole();
    swallowed.ws.send('held');
    await proxy.holding();
    proxy.delay(60_000);
    const late = await open(server.url('/echo'));
    const slow = dial();
    await proxy.connected(2);
    proxy.hang();
    const hanging = dial();
    await proxy.connected(3);
    const closed = [swallowed, slow, hanging].map(({ ws }) => codeOf(ws));
    await proxy.close();
    await proxy.close();
    await expect(Promise.all(closed)).resolves.toEqual([1006, 1006, 1006]);
    late.ws.terminate();
    expect(proxy.connections).toBe(0);
    const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    expect(after).toBeLessThanOrEqual(before);
    await expect(proxy.connected(99)).rejects.toThrow('the fault proxy was closed');
  });
});
