import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { loweredByTypeScript } from '../../../tools/es2015.ts';
import { createBareRealm, type BareRealm } from './support/bare-realm.ts';

let code = '';

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../src/websocket.ts', import.meta.url))],
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

/** A class over a runtime of a few lines, and one of its sockets that writes down what it tells. */
function load(): BareRealm {
  const realm = createBareRealm();
  realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
  realm.run(`
    var log = [], sockets = [];
    var adapter = {
      name: 'bare',
      capabilities: { headers: false, bufferedAmount: false, pingFrames: false },
      now: Date.now,
      wake: function (at, wakeUp) {
        var timer = setTimeout(wakeUp, at - Date.now());
        return function () { clearTimeout(timer); };
      },
      random: Math.random,
      openSocket: function (request, events) {
        var socket = {
          events: events, sent: [], isDead: false,
          send: function (data) { socket.sent.push(typeof data === 'string' ? data : Array.from(data)); },
          close: function (code, reason) {
            setTimeout(function () { events.closed({ code: code, reason: reason, wasClean: true }); }, 5);
          },
          terminate: function () { socket.isDead = true; },
        };
        sockets.push(socket);
        setTimeout(function () { if (!socket.isDead) events.opened({ protocol: 'p' }); }, 5);
        return socket;
      },
    };
    var WebSocket = module.exports.createWebSocketClass(adapter);
    function open() {
      var ws = new WebSocket('wss://example.com/live', 'p');
      ws.onopen = function () { log.push('open'); };
      ws.addEventListener('message', function (event) {
        log.push(typeof event.data === 'string' ? event.data : Array.from(new Uint8Array(event.data)));
      });
      ws.addEventListener('error', function () { log.push('error'); });
      ws.onclose = function (event) { log.push(event.code); };
      return ws;
    }
  `);
  return realm;
}

const told = (realm: BareRealm): unknown => JSON.parse(realm.run('JSON.stringify(log)') as string);

describe('the W3C faces in a bare realm', () => {
  it('T45: are ES2015 syntax, and load without a throw and without a timer', () => {
    expect(() => parse(code, { ecmaVersion: 2015, sourceType: 'script' })).not.toThrow();
    expect(load().timers).toBe(0);
  });

  it('a socket opens, sends, receives binary as an ArrayBuffer, and closes', async () => {
    const realm = load();
    realm.run('var ws = open();');
    expect(realm.run('ws.binaryType')).toBe('arraybuffer');
    await realm.pass(10);
    realm.run(`ws.send('a'); ws.send(new Uint8Array([1, 2]).subarray(1));
      sockets[0].events.message('text'); sockets[0].events.message(new Uint8Array([7]));`);
    await realm.pass(10);
    realm.run('ws.close(3000);');
    await realm.pass(10);
    expect(told(realm)).toEqual(['open', 'text', [7], 3000]);
    expect(realm.run('JSON.stringify(sockets[0].sent)')).toBe('["a",[2]]');
    expect(realm.timers).toBe(0);
  });

  it('mistakes are errors by the names of the standard, without a DOMException', () => {
    const realm = load();
    const nameOf = (script: string): unknown =>
      realm.run(`(function () { try { ${script} } catch (error) { return error.name; } })()`);
    expect(nameOf('new WebSocket("nonsense")')).toBe('SyntaxError');
    expect(nameOf('open().send("early")')).toBe('InvalidStateError');
    expect(nameOf('open().close(1001)')).toBe('InvalidAccessError');
  });

  it('a listener that throws harms nobody where there is no console', async () => {
    const realm = load();
    realm.run('var ws = open(); ws.addEventListener("open", function () { throw new Error("a bug"); });');
    realm.run('ws.addEventListener("open", function () { log.push("still told"); });');
    await realm.pass(10);
    expect(told(realm)).toEqual(['open', 'still told']);
  });
});
