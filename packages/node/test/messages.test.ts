// What does the adapter for Node promise about messages and handshakes, beyond what every adapter does?

import { nodeAdapter } from '@holdfast/node';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { dial, watchedAgent } from './support.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await createFaultServer();
});
afterEach(() => server.idle());
afterAll(() => server.close());

describe('messages', () => {
  it('T14: a greeting in one segment with the upgrade is received, 1 000 of 1 000', { timeout: 30_000 }, async () => {
    const adapter = nodeAdapter();
    let greeted = 0;
    for (let i = 0; i < 50; i++) {
      const batch = Array.from({ length: 20 }, () => dial(adapter, server.url('/greet')));
      greeted += (await Promise.all(batch.map((dialled) => dialled.next()))).length;
      for (const { socket } of batch) socket.terminate();
    }
    expect(greeted).toBe(1_000);
  });

  it('T40: 16 MB of text and of bytes arrive unchanged, both ways', { timeout: 30_000 }, async () => {
    const { socket, opened, next } = dial(nodeAdapter(), server.url('/echo'));
    await opened;
    const bytes = new Uint8Array(16 * 1024 * 1024).map((_, n) => n % 251);
    let echo = next();
    socket.send(bytes);
    expect(Buffer.compare((await echo) as Uint8Array, bytes)).toBe(0);
    echo = next();
    const text = '0123456789abcdef'.repeat(1024 * 1024);
    socket.send(text);
    expect((await echo) === text).toBe(true);
    socket.terminate();
  });

  it('an empty message may be transferred away, and the next one is still whole', async () => {
    const { socket, opened, next } = dial(nodeAdapter(), server.url('/echo'));
    await opened;
    for (let i = 0; i < 3; i++) {
      const echo = next();
      socket.send(new Uint8Array(0));
      const { buffer, length } = (await echo) as Uint8Array<ArrayBuffer>;
      structuredClone(buffer, { transfer: [buffer] });
      expect(length).toBe(0);
    }
    socket.terminate();
  });

  it('a message above maxPayload ends the socket before it is read', async () => {
    const { closed, received } = dial(nodeAdapter({ maxPayload: 1_000 }), server.url('/bytes/1001'));
    const close = await closed;
    expect(close).toMatchObject({ code: 1006, cause: { code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' } });
    expect(received).toEqual([]);
  });

  it('a message of maxPayload is read', async () => {
    const { socket, next } = dial(nodeAdapter({ maxPayload: 1_000 }), server.url('/bytes/1000'));
    await expect(next()).resolves.toHaveLength(1_000);
    socket.terminate();
  });
});

describe('the handshake', () => {
  it('carries the headers that were asked for', async () => {
    const headers = { authorization: 'Bearer x', origin: 'https://a.b' };
    const { socket } = dial(nodeAdapter(), { url: server.url('/echo?headers'), protocols: [], headers });
    expect((await server.connection('/echo?headers')).headers).toMatchObject(headers);
    socket.terminate();
  });

  it('offers compression only when it is asked to', async () => {
    for (const perMessageDeflate of [false, true]) {
      const path = `/echo?deflate=${perMessageDeflate}`;
      const { socket } = dial(nodeAdapter({ perMessageDeflate }), server.url(path));
      const { headers } = await server.connection(path);
      expect('sec-websocket-extensions' in headers).toBe(perMessageDeflate);
      socket.terminate();
    }
  });

  it("goes through the caller's agent", async () => {
    const { agent, sockets } = watchedAgent();
    const { socket, opened } = dial(nodeAdapter({ agent }), server.url('/echo'));
    await opened;
    expect(sockets).toHaveLength(1);
    socket.terminate();
  });
});

describe('timers', () => {
  it('are looked up when they are called, so that fake ones work', () => {
    const adapter = nodeAdapter({ unref: true });
    vi.useFakeTimers();
    try {
      let rung = 0;
      adapter.wake(adapter.now() + 1_000, () => rung++);
      vi.advanceTimersByTime(1_000);
      expect(rung).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('T52: a wall clock that is set back stops neither now() nor an alarm', () => {
    vi.useFakeTimers();
    try {
      const adapter = nodeAdapter();
      const before = adapter.now();
      let rung = 0;
      adapter.wake(before + 1_000, () => rung++);
      vi.setSystemTime(Date.now() - 3_600_000);
      expect(adapter.now()).toBeGreaterThanOrEqual(before);
      vi.advanceTimersByTime(1_000);
      expect(rung).toBe(1);
      expect(adapter.now()).toBeGreaterThanOrEqual(before + 1_000);
    } finally {
      vi.useRealTimers();
    }
  });
});
