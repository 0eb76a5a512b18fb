// Does a dead link leave nothing behind, and does no path end the process?

import { Agent } from 'node:http';
import { nodeAdapter } from '@holdfast/node';
import { createFaultProxy, createFaultServer, type FaultProxy, type FaultServer } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dial, turns, watchedAgent, watchUncaught } from './support.ts';

let server: FaultServer;
let proxy: FaultProxy;
let uncaught: ReturnType<typeof watchUncaught>;
beforeEach(async () => {
  uncaught = watchUncaught();
  server = await createFaultServer();
  proxy = await createFaultProxy({ port: server.port });
});
afterEach(async () => {
  await proxy.close();
  await server.close();
  uncaught.stop();
  if (uncaught.errors.length > 0) throw new Error('something was uncaught', { cause: uncaught.errors[0] });
});

describe('a dead link', () => {
  it('T3: after 20 terminations on a dead link no socket is left, not one in CLOSING', async () => {
    const { agent, sockets } = watchedAgent();
    const adapter = nodeAdapter({ agent });
    for (let i = 0; i < 20; i++) {
      proxy.pass();
      const { socket, opened } = dial(adapter, proxy.url('/echo'));
      await opened;
      proxy.blackhole();
      socket.send('into the void');
      if (i % 2 === 0) socket.close(1000, ''); // which the server never answers
      socket.terminate();
    }
    await turns();
    expect(sockets.length).toBe(20);
    expect(sockets.filter((socket) => !socket.closed)).toEqual([]);
  });

  it('T1: the next dial does not wait for the end of the old socket', async () => {
    const adapter = nodeAdapter();
    const old = dial(adapter, proxy.url('/echo'));
    await old.opened;
    proxy.blackhole();
    old.socket.close(1000, '');
    old.socket.terminate();
    proxy.pass();
    const next = dial(adapter, proxy.url('/echo'));
    await next.opened;
    expect(proxy.connections).toBe(2); // the server has not heard of the old one's end
    next.socket.terminate();
  });

  it("T2: the old link's bytes and close, arriving late, are not told", async () => {
    const adapter = nodeAdapter();
    const old = dial(adapter, proxy.url('/echo'));
    await old.opened;
    proxy.blackhole('toClient');
    old.socket.send('too late');
    await proxy.holding();
    old.socket.terminate();
    proxy.pass();
    const next = dial(adapter, proxy.url('/echo'));
    await next.opened;
    proxy.release();
    next.socket.send('hello');
    await expect(next.next()).resolves.toBe('hello');
    expect(old.received).toEqual([]);
    next.socket.terminate();
    await proxy.idle();
  });

  it.each(['cut', 'fin'] as const)('a link that ends without a close frame (%s) is 1006 and not clean', async (end) => {
    const { opened, closed } = dial(nodeAdapter(), proxy.url('/echo'));
    await opened;
    proxy[end]();
    await expect(closed).resolves.toMatchObject({ code: 1006, reason: '', wasClean: false });
  });

  it('T42: bufferedAmount tells the truth about a link on which nothing moves', async () => {
    const { socket, opened } = dial(nodeAdapter(), proxy.url('/echo'));
    await opened;
    proxy.blackhole();
    const block = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 32; i++) socket.send(block);
    expect(socket.bufferedAmount).toBeGreaterThan(16 * 1024 * 1024);
    socket.terminate();
  });
});

describe('a dial that fails', () => {
  it('T10: a server that never answers, given up, is silence and no uncaught error', async () => {
    proxy.hang();
    let told = 0;
    for (let i = 0; i < 10; i++) {
      const { socket, closed } = dial(nodeAdapter(), proxy.url('/echo'));
      void closed.then(() => told++);
      await proxy.connected(i + 1);
      socket.terminate();
    }
    await proxy.idle();
    await turns();
    expect({ told, uncaught: uncaught.errors }).toEqual({ told: 0, uncaught: [] });
  });

  it('T10: given up in the tick of the dial, nothing is uncaught either', async () => {
    for (let i = 0; i < 10; i++) dial(nodeAdapter(), proxy.url('/echo')).socket.terminate();
    await turns();
    await server.idle();
    expect(uncaught.errors).toEqual([]);
  });

  it.each(['close', 'terminate'] as const)(
    'T10: %s() on a dial that the server resets is no uncaught error',
    async (end) => {
      proxy.refuse();
      const { socket } = dial(nodeAdapter(), proxy.url('/echo'));
      if (end === 'close') socket.close(1000, '');
      else socket.terminate();
      await proxy.connected();
      await turns(20);
      expect(uncaught.errors).toEqual([]);
    },
  );

  it('a connection that is reset in the handshake is one abnormal close with its cause', async () => {
    proxy.refuse();
    const close = await dial(nodeAdapter(), proxy.url('/echo')).closed;
    expect(close).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'ECONNRESET' } });
  });

  it('a port at which nobody listens is one abnormal close with its cause', async () => {
    const close = await dial(nodeAdapter(), server.refusedUrl).closed;
    expect(close).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'ECONNREFUSED' } });
  });

  it.each([
    ['a subprotocol that is none', { protocols: ['a b'] }],
    ['a header name that is none', { headers: { 'bad name': 'x' } }],
    ['a header value that would begin a new line', { headers: { 'x-a': 'b\r\nx-c: d' } }],
    ['a URL that cannot be parsed', { url: 'ws://' }],
    ['a scheme that is not ours', { url: 'ftp://127.0.0.1/' }],
  ])('T13: what makes the constructor throw is told later: %s', async (_, odd) => {
    let returned = false;
    const { closed } = dial(nodeAdapter(), { url: server.url('/echo'), protocols: [], ...odd });
    const told = closed.then((close) => ({ close, returned }));
    returned = true;
    const { close, ...when } = await told;
    expect(when).toEqual({ returned: true });
    expect(close).toMatchObject({ code: 1006, reason: '', wasClean: false });
    expect(close.cause).toBeInstanceOf(Error);
  });

  it('T13: an agent for the other scheme is told, not thrown', async () => {
    const { closed } = dial(nodeAdapter({ agent: new Agent() }), 'wss://127.0.0.1:1/');
    await expect(closed).resolves.toMatchObject({ code: 1006, cause: { code: 'ERR_INVALID_PROTOCOL' } });
  });
});
