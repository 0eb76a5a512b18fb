// Does the client's half run where there is nothing but ES2015 and timers?

import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBareRealm } from '../../core/test/support/bare-realm.ts';
import { loweredByTypeScript } from '../../../tools/es2015.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

let code = '';
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from '@holdfast/core'; export * from '@holdfast/session'; export * as wire from '@holdfast/session/wire';`,
      resolveDir: source('session'),
    },
    alias: {
      '@holdfast/core': source('core/src/index.ts'),
      '@holdfast/session/wire': source('session/src/wire.ts'),
      '@holdfast/session': source('session/src/index.ts'),
    },
    bundle: true,
    write: false,
    format: 'cjs',
    target: 'es2015',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    plugins: [loweredByTypeScript()],
  });
  code = outputFiles[0]!.text;
});

describe('in a bare realm', () => {
  it('is ES2015 syntax that names nothing a bare host lacks', () => {
    expect(() => parse(code, { ecmaVersion: 2015, sourceType: 'script' })).not.toThrow();
    expect(code).not.toMatch(
      /\b(?:window\.|document|navigator|process|Buffer|globalThis|queueMicrotask|structuredClone|TextEncoder|crypto)\b/,
    );
  });

  it('opens a session, sends and receives text and binary, is cut off, resumes from a snapshot, and ends', async () => {
    const realm = createBareRealm();
    realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
    realm.run(`
      var holdfast = module.exports, wire = holdfast.wire, kept = {}, heard = [], told = [], sockets = [], seq = 0;
      var committed = 0;
      var clock = holdfast.createClock({
        read: function () { return Date.now(); },
        setTimeout: function (fn, ms) { return setTimeout(fn, ms); },
        clearTimeout: function (handle) { clearTimeout(handle); },
      });
      var uni = {
        getStorageSync: function (key) { return kept[key] || ''; },
        setStorageSync: function (key, text) { kept[key] = text; },
        removeStorageSync: function (key) { delete kept[key]; },
      };
      function adapter() {
        return {
          name: 'bare',
          capabilities: { headers: false, bufferedAmount: false, pingFrames: false },
          now: clock.now, wake: clock.wake, random: Math.random,
          openSocket: function (request, events) {
            var later = function (news) { setTimeout(function () { if (!socket.isDead) news(); }, 5); };
            var answer = function (frame) { later(function () { events.message(frame); }); };
            var socket = {
              isDead: false,
              events: events,
              send: function (data) {
                if (socket.isDead) return;
                var frame = wire.decodeFromClient(data);
                heard.push(frame.type === 'message' ? frame.seq + ' ' + String(frame.data) : frame.type);
                if (frame.type === 'open') answer(wire.encodeReady({ sid: 's', token: 't', received: 0, stored: 0 }));
                if (frame.type === 'resume') answer(wire.encodeReady({ sid: 's', received: committed, stored: seq }));
                if (frame.type === 'message') committed = frame.seq;
                if (frame.type === 'ping') answer(wire.encodePong(committed));
              },
              close: function (code, reason) {
                later(function () { socket.isDead = true; events.closed({ code: code, reason: reason, wasClean: true }); });
              },
              terminate: function () { socket.isDead = true; },
            };
            sockets.push(socket);
            later(function () { events.opened({ protocol: request.protocols[0] }); });
            answer(wire.encodeHello({ ttl: 120000, maxMessage: 65536, heartbeat: 30000, window: 1048576 }));
            return socket;
          },
        };
      }
      function connect() {
        var client = holdfast.createClient('wss://example.com/live', {
          adapter: adapter(),
          session: holdfast.session({ storage: holdfast.hostStorage(uni) }),
        });
        client.on('message', function (data) { told.push(typeof data === 'string' ? data : Array.from(data).join()); });
        client.on('session', function (session) { told.push(session.resumed ? 'resumed' : 'new'); });
        client.on('lost', function (lost) { told.push('lost ' + lost.reason); });
        return client;
      }
      var client = connect();
      client.send('a');
      client.send(new Uint8Array([1, 255]));
    `);
    await realm.pass(50);
    realm.run(`
      sockets[0].events.message(wire.encodeMessage(++seq, 5, 'hello'));
      sockets[0].events.message(wire.encodeMessage(++seq, 6, new Uint8Array([7, 8])));
      sockets[0].isDead = true;
      client.send('b');
    `);
    await realm.pass(0);
    expect(realm.run('heard.join("|")')).toBe('open|1 a|2 1,255');
    expect(realm.run('told.join("|")')).toBe('new|hello|7,8');

    realm.run('var second = connect();');
    await realm.pass(100);
    expect(realm.run('heard.slice(3).join("|")')).toBe('resume|3 b');
    expect(realm.run('told.slice(3).join("|")')).toBe('resumed');

    realm.run(`var closed = false; second.close().then(function () { closed = true; });`);
    await realm.pass(100);
    expect(realm.run('closed')).toBe(true);
    expect(realm.run('heard.slice(5).join("|")')).toBe('ping|end');
    expect(realm.run('JSON.stringify(kept)')).toBe('{}');
  });
});
