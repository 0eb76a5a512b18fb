// Is a client made where it can be, and is what a browser cannot do said at once?

import { fileURLToPath } from 'node:url';
import { browserAdapter, connect } from '@holdfast/browser';
import { mockServer } from '@holdfast/testing/mock';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createBareRealm, type BareRealm } from '../../core/test/support/bare-realm.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('what a browser cannot do is said at once', () => {
  it.each([
    ['headers', { headers: { authorization: 'x' } }, 'HEADERS_UNSUPPORTED'],
    ['a provider of headers', { headers: () => ({}) }, 'HEADERS_UNSUPPORTED'],
    ['a WebSocket that is no constructor', { WebSocket: 'ws' as never }, 'INVALID_OPTION'],
  ])('%s', (_, options, code) => {
    vi.useFakeTimers();
    expect(() => connect('wss://a.test', options)).toThrow(expect.objectContaining({ code }));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a WebSocket that is no constructor, named with its value', () => {
    expect(() => browserAdapter({ WebSocket: 42 as never })).toThrow('WebSocket must be a constructor, got 42');
  });

  it('there are no ping frames and no headers, and bufferedAmount is true', () => {
    expect(browserAdapter().capabilities).toEqual({ headers: false, pingFrames: false, bufferedAmount: true });
  });
});

describe('URLs', () => {
  it.each([
    ['https://app.test/a/b?c#d', '/live', 'wss://app.test/live'],
    ['https://app.test/a/b?c#d', 'live?x=1', 'wss://app.test/a/live?x=1'],
    ['http://localhost:5173/', '/live', 'ws://localhost:5173/live'],
    ['https://app.test/', 'https://other.test/live', 'wss://other.test/live'],
    ['https://app.test/', 'ws://127.0.0.1:81/a?b=c', 'ws://127.0.0.1:81/a?b=c'],
    ['about:blank', 'wss://a.test/live', 'wss://a.test/live'],
    ['', 'wss://a.test/live', 'wss://a.test/live'],
  ])('of a page at %s: %s is %s', (href, url, expected) => {
    vi.stubGlobal('location', { href });
    expect(browserAdapter().resolveUrl!(url)).toBe(expected);
  });

  it('relative to the page are dialled', async () => {
    const mock = await mockServer('wss://app.test/live');
    vi.stubGlobal('location', { href: 'https://app.test/some/page' });
    const client = connect('/live?token=1', { adapter: mock.adapter });
    expect((await mock.connection()).url).toBe('wss://app.test/live?token=1');
    await client.opened();
    await client.close();
    await mock.close();
  });

  it('without a page, relative ones are refused at the door', () => {
    expect(() => connect('/live')).toThrow(expect.objectContaining({ code: 'INVALID_URL' }));
  });

  it('relative to a page without a place of its own are refused at the door', () => {
    vi.stubGlobal('location', { href: 'about:srcdoc' });
    expect(() => connect('/live')).toThrow(expect.objectContaining({ code: 'INVALID_URL' }));
  });
});

describe('where there is nothing but a language and timers', () => {
  let code: string;
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'es2018',
      platform: 'browser',
      alias: { '@holdfast/core': fileURLToPath(new URL('../../core/src/index.ts', import.meta.url)) },
    });
    code = outputFiles[0]!.text;
  });

  function load(): BareRealm {
    const realm = createBareRealm();
    realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
    realm.run('var holdfast = module.exports, log = [];');
    return realm;
  }

  it('T45: importing it, and making a client that does not dial, needs no platform and arms no timer', async () => {
    const realm = load();
    realm.run(`holdfast.browserAdapter(); holdfast.connect('wss://a.test', { autoConnect: false });`);
    await realm.pass(60_000);
    expect(realm.timers).toBe(0);
  });

  it('T45: a client that dials is told what is missing, and leaves no timer', async () => {
    const realm = load();
    realm.run(`
      var client = holdfast.connect('wss://a.test', { reconnect: false });
      client.on('close', function (close) { log.push(close.code, String(close.cause)); });
      client.on('end', function (end) { log.push(end.reason); });
    `);
    await realm.pass(1_000);
    const log = JSON.parse(String(realm.run('JSON.stringify(log)'))) as unknown[];
    expect(log).toEqual([1006, expect.stringContaining('there is no WebSocket here'), 'exhausted']);
    expect(realm.timers).toBe(0);
  });
});
