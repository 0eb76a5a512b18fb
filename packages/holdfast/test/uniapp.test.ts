// Is uni-app asked first, where the platform has a WebSocket as well?

import { afterEach, describe, expect, it, vi } from 'vitest';
import { createFakeHost } from '@holdfast/testing';
import { connect } from '../src/index.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('in uni-app', () => {
  it('U2: a client is made on uni.connectSocket', async () => {
    const host = createFakeHost();
    vi.stubGlobal('uni', host.api);
    const client = connect('wss://example.com/live', { heartbeat: false });
    await client.opened();
    expect(host.calls).toMatchObject([{ url: 'wss://example.com/live' }]);
    await client.close();
    expect(host.live).toEqual([]);
  });

  it('U2: an object uni without connectSocket is no uni-app', async () => {
    const opened: string[] = [];
    vi.stubGlobal('uni', {});
    class Socket extends EventTarget {
      binaryType = '';
      readyState = 0;
      constructor(url: string) {
        super();
        opened.push(url);
      }
      send(): void {}
      close(): void {}
    }
    vi.stubGlobal('WebSocket', Socket);
    const client = connect('wss://example.com/live');
    await vi.waitFor(() => expect(opened).toEqual(['wss://example.com/live']));
    await client.close();
  });
});
