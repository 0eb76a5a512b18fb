// Does the mock server work in a page, without a service worker?

import { connect } from '@holdfast/browser';
import { mockServer, type MockServer } from '@holdfast/testing/mock';
import { afterEach, describe, expect, it, vi } from 'vitest';

const original = WebSocket;
let server: MockServer;
afterEach(async () => {
  await server.close();
  vi.useRealTimers();
  if (WebSocket !== original) throw new Error('the global WebSocket is not what it was');
});

describe('a mock server in a page', () => {
  it('answers, beats, closes and kills, on fake time', async () => {
    vi.useFakeTimers();
    server = await mockServer('wss://chat.test/live', { answer: (data) => data });
    const client = connect(server.url, { adapter: server.adapter, reconnect: { initialDelay: 100, jitter: 'none' } });
    const heard: unknown[] = [];
    client.on('message', (data) => heard.push(data));
    client.on('close', ({ code, reason, wasClean }) => heard.push([code, reason, wasClean]));
    const link = await server.connection();
    client.send('text');
    client.send(Uint8Array.of(1, 2));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([link.pings, link.received.length]).toEqual([2, 2]);
    link.close(1012, 'retry-after=0.050');
    await vi.advanceTimersByTimeAsync(50);
    (await server.connection()).kill();
    await vi.advanceTimersByTimeAsync(1_000);
    await server.connection();
    expect(heard).toEqual(['text', Uint8Array.of(1, 2), [1012, 'retry-after=0.050', true], [1006, '', false]]);
    await client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives a plain WebSocket what its binaryType says', async () => {
    server = await mockServer('wss://chat.test/live', { onConnection: (link) => link.send(Uint8Array.of(7)) });
    const socket = new WebSocket(server.url);
    const data = await new Promise<unknown>((resolve) => {
      socket.addEventListener('message', (event) => resolve(event.data));
    });
    expect(data).toBeInstanceOf(Blob);
  });
});
