// Does the page tell what it knows, and is nothing of ours left on it afterwards?

import { browserAdapter, connect, type Adapter, type Hint } from '@holdfast/browser';
import { mockServer } from '@holdfast/testing/mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dial, scriptedClass } from './support.ts';

/** An event target that knows who listens. */
class Target extends EventTarget {
  readonly heard: string[] = [];
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.heard.push(args[0]);
    super.addEventListener(...args);
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.heard.splice(this.heard.indexOf(args[0]), 1);
    super.removeEventListener(...args);
  }
  tell(name: string, details: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(name), details));
  }
}

class Page extends Target {
  visibilityState = 'visible';
  show(visibilityState: 'visible' | 'hidden'): void {
    this.visibilityState = visibilityState;
    this.tell('visibilitychange');
  }
}

let page: Page;
let scope: Target;
let network: Target;
beforeEach(() => {
  [page, scope, network] = [new Page(), new Target(), new Target()];
  vi.stubGlobal('document', page);
  vi.stubGlobal('self', scope);
  vi.stubGlobal('navigator', { connection: network });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** The hints that `act` brings. */
function hints(act: () => void, adapter: Adapter = browserAdapter()): Hint[] {
  const heard: Hint[] = [];
  const stop = adapter.watch!((hint) => heard.push(hint));
  act();
  stop();
  return heard;
}

describe('the signals of a page', () => {
  it.each([
    ['online', () => scope.tell('online'), ['online']],
    ['offline', () => scope.tell('offline'), ['offline']],
    ['a change of network', () => network.tell('change'), ['online']],
    ['shown again', () => page.show('visible'), ['visible']],
    ['hidden', () => page.show('hidden'), []],
    ['frozen', () => page.tell('freeze'), []],
    ['thawed', () => page.tell('resume'), ['visible']],
    ['left for good', () => scope.tell('pagehide', { persisted: false }), []],
    ['into the back/forward cache', () => scope.tell('pagehide', { persisted: true }), ['suspend']],
    ['out of the back/forward cache', () => scope.tell('pageshow', { persisted: true }), ['resume']],
    ['shown for the first time', () => scope.tell('pageshow', { persisted: false }), []],
  ] as const)('%s', (_, act, expected) => {
    expect(hints(act)).toEqual(expected);
  });

  it('T28: nothing listens for unload or beforeunload, which would bar the page from the cache', () => {
    let heard: string[] = [];
    hints(() => (heard = [...scope.heard, ...page.heard, ...network.heard]));
    expect(heard.sort()).toEqual(
      ['change', 'offline', 'online', 'pagehide', 'pageshow', 'resume', 'visibilitychange'].sort(),
    );
  });

  it('stop leaves nothing, may be called twice, and leaves a second watcher alone', () => {
    const adapter = browserAdapter();
    const stopFirst = adapter.watch!(() => {});
    const heard: Hint[] = [];
    const stopSecond = adapter.watch!((hint) => heard.push(hint));
    stopFirst();
    stopFirst();
    scope.tell('online');
    stopSecond();
    scope.tell('online');
    expect(heard).toEqual(['online']);
    expect([scope.heard, page.heard, network.heard]).toEqual([[], [], []]);
  });

  it.each([
    ['a worker has no document', () => vi.stubGlobal('document', undefined), ['online']],
    ['most browsers tell of no change of network', () => vi.stubGlobal('navigator', {}), ['online', 'visible']],
    ['React Native has a window without listeners', () => vi.stubGlobal('self', {}), ['visible']],
    [
      'Node has nothing of it',
      () => ['document', 'self', 'navigator'].forEach((name) => vi.stubGlobal(name, undefined)),
      [],
    ],
  ] as const)('%s', (_, arrange, expected) => {
    arrange();
    const heard = hints(() => {
      scope.tell('online');
      page.show('visible');
    });
    expect(heard).toEqual(expected);
  });
});

describe('the back/forward cache', () => {
  it('T29: a socket that was taken away without a word is told as lost before the page resumes', () => {
    const { WebSocket, sockets } = scriptedClass();
    const adapter = browserAdapter({ WebSocket });
    const [taken, kept] = [dial(adapter, 'ws://a.test'), dial(adapter, 'ws://a.test')];
    for (const socket of sockets) socket.fire('open');
    sockets[0]!.readyState = 3;
    sockets[1]!.readyState = 1;
    const heard = hints(() => scope.tell('pageshow', { persisted: true }), {
      ...adapter,
      watch: (tell) =>
        adapter.watch!((hint) => {
          expect(taken.told).toEqual(['opened', 'closed']);
          tell(hint);
        }),
    });
    sockets[0]!.fire('close', { code: 1006 }); // late
    expect([heard, taken.told, kept.told]).toEqual([['resume'], ['opened', 'closed'], ['opened']]);
    kept.socket.terminate();
  });

  it('T29: a page that goes in leaves no socket behind, and tells so after the hint', () => {
    const { WebSocket, sockets } = scriptedClass();
    const adapter = browserAdapter({ WebSocket });
    const dials = [dial(adapter, 'ws://a.test'), dial(adapter, 'ws://a.test')];
    sockets[0]!.fire('open'); // the other is still dialling
    const order: unknown[] = [];
    const stop = adapter.watch!((hint) => order.push(hint, dials[0]!.told.length));
    scope.tell('pagehide', { persisted: false });
    scope.tell('pagehide', { persisted: true });
    stop();
    expect(order).toEqual(['suspend', 1]);
    expect(dials.map(({ told }) => told)).toEqual([['opened', 'closed'], ['closed']]);
    expect(sockets.map(({ closes }) => closes)).toEqual([1, 1]);
  });

  it('T46: a socket that is over is forgotten, and nobody looks at it again', () => {
    const { WebSocket, sockets } = scriptedClass();
    const adapter = browserAdapter({ WebSocket });
    dial(adapter, 'ws://a.test').socket.terminate();
    dial(adapter, 'ws://a.test');
    sockets[1]!.fire('close', { code: 1000 });
    let looks = 0;
    for (const socket of sockets) Object.defineProperty(socket, 'readyState', { get: () => looks++ });
    const heard = hints(() => scope.tell('pageshow', { persisted: true }), adapter);
    expect([heard, looks]).toEqual([['resume'], 0]);
  });

  it('T29: a client that was in there dials at once when it is back, and once', async () => {
    vi.useFakeTimers();
    const mock = await mockServer('wss://chat.test/live');
    const client = connect(mock.url, { adapter: mock.adapter });
    const link = await mock.connection();
    await client.opened();
    scope.tell('pagehide', { persisted: true });
    await link.closed;
    await vi.advanceTimersByTimeAsync(600_000);
    expect([client.status, mock.dials]).toEqual(['suspended', 1]);
    scope.tell('pageshow', { persisted: true });
    await client.opened();
    expect([mock.dials, mock.connections.size]).toEqual([2, 1]);
    await client.close();
    await mock.close();
    expect([vi.getTimerCount(), scope.heard, page.heard, network.heard]).toEqual([0, [], [], []]);
  });
});

describe('T48: hints never forbid a dial', () => {
  it('T48: online, while the network is still dead, brings the next dial forward, and the ones after it come too', async () => {
    vi.useFakeTimers();
    const mock = await mockServer('wss://chat.test/live');
    mock.refuse();
    const client = connect(mock.url, { adapter: mock.adapter, reconnect: { initialDelay: 20_000, jitter: 'none' } });
    await vi.advanceTimersByTimeAsync(1);
    expect(mock.dials).toBe(1);
    scope.tell('online');
    await vi.advanceTimersByTimeAsync(250);
    expect(mock.dials).toBe(2);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(mock.dials).toBeGreaterThanOrEqual(3);
    mock.accept();
    scope.tell('online');
    await vi.advanceTimersByTimeAsync(250);
    expect(client.status).toBe('open');
    await client.close();
    await mock.close();
  });

  it('T48: offline, while the way to the server works, harms neither a socket nor a dial', async () => {
    vi.useFakeTimers();
    const mock = await mockServer('wss://chat.test/live');
    const client = connect(mock.url, { adapter: mock.adapter, reconnect: { initialDelay: 1_000, jitter: 'none' } });
    const link = await mock.connection();
    await client.opened();
    vi.stubGlobal('navigator', { onLine: false, connection: network });
    scope.tell('offline');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([client.status, mock.dials]).toEqual(['open', 1]);
    link.kill();
    await vi.advanceTimersByTimeAsync(1);
    scope.tell('offline');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([client.status, mock.dials]).toEqual(['open', 2]);
    await client.close();
    await mock.close();
  });

  it('T7: shown again, the page asks the server once whether the socket is alive', async () => {
    vi.useFakeTimers();
    const mock = await mockServer('wss://chat.test/live');
    const client = connect(mock.url, { adapter: mock.adapter });
    const link = await mock.connection();
    await client.opened();
    page.show('hidden');
    await vi.advanceTimersByTimeAsync(10_000);
    page.show('visible');
    await vi.advanceTimersByTimeAsync(10);
    expect([link.pings, client.status]).toEqual([1, 'open']);
    await client.close();
    await mock.close();
  });
});
