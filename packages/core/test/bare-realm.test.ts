import { fileURLToPath } from 'node:url';
import { parse, type AnyNode } from 'acorn';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { loweredByTypeScript } from '../../../tools/es2015.ts';
import { createBareRealm, type BareRealm } from './support/bare-realm.ts';

/** As it is built for publishing, with the one dependency inside. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'cjs',
    target: 'es2015',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    plugins: [loweredByTypeScript()],
  });
  return outputFiles[0]!.text;
}

let code = '';
beforeAll(async () => {
  code = await bundle();
});

/** Loads what was built, and a runtime of a few lines whose server replies to pings. */
function load(): BareRealm {
  const realm = createBareRealm();
  realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
  realm.run(`
    var holdfast = module.exports, sockets = [], log = [];
    var clock = holdfast.createClock({
      read: function () { return Date.now(); },
      setTimeout: function (fn, ms) { return setTimeout(fn, ms); },
      clearTimeout: function (handle) { clearTimeout(handle); },
    });
    var adapter = {
      name: 'bare',
      capabilities: { headers: false, bufferedAmount: false, pingFrames: false },
      now: clock.now,
      wake: clock.wake,
      random: Math.random,
      openSocket: function (request, events) {
        var later = function (news) { setTimeout(function () { if (!socket.isDead) news(); }, 5); };
        var socket = {
          url: request.url, events: events, sent: [], isDead: false, isSilent: false,
          send: function (data) {
            socket.sent.push(typeof data === 'string' ? data : Array.from(data));
            if (data === 'ping' && !socket.isSilent) later(function () { events.message('pong'); });
          },
          close: function (code, reason) {
            later(function () { socket.isDead = true; events.closed({ code: code, reason: reason, wasClean: true }); });
          },
          terminate: function () { socket.isDead = true; },
        };
        sockets.push(socket);
        later(function () { events.opened({ protocol: '' }); });
        return socket;
      },
    };
    var client = holdfast.createClient('wss://example.com/live', {
      adapter: adapter,
      handshake: function (shake) { shake.send('auth'); },
      codec: holdfast.json(),
    });
    ['open', 'message', 'close', 'status', 'drop', 'pong', 'error', 'end'].forEach(function (event) {
      client.on(event, function (what) { log.push([event, what]); });
    });
  `);
  return realm;
}

const told = (realm: BareRealm, event: string): unknown[] =>
  JSON.parse(
    realm.run(
      `JSON.stringify(log.filter(function (entry) { return entry[0] === '${event}'; }).map(function (entry) { return entry[1]; }))`,
    ) as string,
  ) as unknown[];

describe('the built file', () => {
  it('is ES2015 syntax, without a generator', () => {
    const program = parse(code, { ecmaVersion: 2015, sourceType: 'script' });
    expect(generatorsIn(program)).toBe(0);
  });

  it('makes no code of strings, and names nothing that a bare host lacks', () => {
    expect(code).not.toMatch(/\beval\(|new Function\b/);
    expect(code).not.toMatch(
      /\b(?:window|document|navigator|process|Buffer|globalThis|queueMicrotask|structuredClone)\b/,
    );
  });
});

describe('in a bare realm', () => {
  it('the realm is bare', () => {
    const realm = createBareRealm();
    const missing =
      'globalThis URL TextEncoder AbortController EventTarget queueMicrotask crypto performance WeakRef BigInt console';
    const members =
      'Symbol.asyncIterator Object.entries Object.values Object.fromEntries [].includes [].flat [].at "".padStart "".at ' +
      'Promise.allSettled Promise.any Promise.prototype.finally Object.getOwnPropertyDescriptors';
    const left = `${missing} ${members}`.split(' ').filter((name) => realm.run(`typeof ${name}`) !== 'undefined');
    expect(left).toEqual([]);
    expect(() => realm.run('Function("return 1")')).toThrow(/Code generation from strings/);
  });

  it('T45: loads without a throw and without a timer', () => {
    const realm = createBareRealm();
    realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
    expect(realm.timers).toBe(0);
  });

  it('opens, sends, receives, pings, flushes, notices a dead link, dials again and closes', async () => {
    const realm = load();
    realm.run('var queued = client.send({ early: true });');
    await realm.pass(100);
    expect(realm.run('client.status')).toBe('open');
    expect(realm.run('queued')).toBe('queued');
    expect(realm.run('JSON.stringify(sockets[0].sent)')).toBe('["auth","{\\"early\\":true}"]');

    realm.run(`sockets[0].events.message('{"n":1}'); sockets[0].events.message('not json');`);
    await realm.pass(0);
    expect(told(realm, 'message')).toEqual([{ n: 1 }]);
    expect(told(realm, 'error')).toMatchObject([{ code: 'DECODE_FAILED' }]);

    realm.run(`client.send([1]); var flushed = false; client.flush().then(function () { flushed = true; });`);
    await realm.pass(20);
    expect(realm.run('flushed')).toBe(true);
    await realm.pass(30_000);
    expect(told(realm, 'pong').length).toBeGreaterThanOrEqual(2);

    realm.run('sockets[0].isSilent = true;');
    await realm.pass(40_100);
    expect(realm.run('sockets.length')).toBe(2);
    expect(realm.run('sockets[0].isDead')).toBe(true);
    expect(told(realm, 'close')).toMatchObject([{ code: 1006, willReconnect: true, delay: 0 }]);
    expect(realm.run('client.status')).toBe('open');

    realm.run(`
      var read = [], reader = client.messages();
      reader.next().then(function (result) { read.push(result.value); return reader.next(); })
        .then(function (result) { read.push(result.done); });
      sockets[1].events.message('"read"');
      var closed = false;
      client.close(4000, 'done').then(function () { closed = true; });
    `);
    await realm.pass(100);
    expect(realm.run('closed')).toBe(true);
    expect(realm.run('JSON.stringify(read)')).toBe('["read",true]');
    expect(told(realm, 'end')).toMatchObject([{ reason: 'caller' }]);
    expect(realm.timers).toBe(0);
  });
});

function generatorsIn(node: AnyNode): number {
  let count = 'generator' in node && node.generator ? 1 : 0;
  for (const child of Object.values(node) as unknown[]) {
    for (const part of Array.isArray(child) ? (child as unknown[]) : [child]) {
      if (typeof part === 'object' && part !== null && 'type' in part) count += generatorsIn(part as AnyNode);
    }
  }
  return count;
}
