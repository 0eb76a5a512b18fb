// What is promised, where, and how is it seen?
//
// One row, one promise; its name carries the number of the obligation that it keeps. A cell is either kept, or left out
// for a reason that the table prints below itself.

import assert from 'node:assert/strict';
import type { FaultServer } from '@holdfast/testing';
import type { Facts } from './facts.ts';
import type { Runtime, RuntimeName } from './runtimes.ts';

export interface Row {
  readonly name: string;
  /** The scenario in the app; without one, only what the host has seen is checked. */
  readonly scenario?: string | undefined;
  check(seen: Seen): void | Promise<void>;
  /** Runtimes without this row, and why. */
  readonly without?: Partial<Record<RuntimeName, string>> | undefined;
}

export interface Seen {
  readonly facts: Facts;
  readonly on: RuntimeName;
  readonly runtime: Runtime;
  readonly server: FaultServer;
  /** Calls of the host's `connectSocket` that this scenario made. */
  readonly calls: readonly Readonly<Record<string, unknown>>[];
}

const BYTES = '[object Uint8Array]';
const NO_UNI = 'there is no uni here, the app calls wx itself';
const NO_HOST = 'Chromium is the host, nothing can be counted or written down in it';
const NO_CODE = 'Alipay tells a close without its code';

export const ROWS: readonly Row[] = [
  {
    name: 'U2, U4 and U17: text, queued before the open, arrives once and in order; an empty one too',
    scenario: 'text',
    check({ facts }) {
      assert.equal(facts['sent'], 'queued');
      assert.deepEqual(facts.open, [false]);
      assert.deepEqual(facts.message, ['before', '']);
      assert.deepEqual(facts.drop, []);
      theClose(facts, { asked: true, opened: true });
    },
  },
  {
    name: 'U14 and U15: binary is a Uint8Array of its own bytes, whatever the host gives',
    scenario: 'binary',
    check: ({ facts }) =>
      assert.deepEqual(facts.message, [
        { tag: BYTES, bytes: [0, 1, 254, 255] },
        { tag: BYTES, bytes: [7] },
        { tag: BYTES, bytes: [] },
      ]),
  },
  {
    name: 'U19: a view sends its own bytes, as they were when it was sent',
    scenario: 'view',
    check: ({ facts }) =>
      assert.deepEqual(facts.message, [
        { tag: BYTES, bytes: [2, 3] },
        { tag: BYTES, bytes: [4] },
      ]),
  },
  {
    name: 'U4: a greeting right behind the upgrade is not missed',
    scenario: 'greeting',
    check: ({ facts }) => assert.deepEqual(facts.message, ['greeting']),
  },
  {
    name: 'ping and pong: replies are measured and reach no listener',
    scenario: 'pingPong',
    check({ facts }) {
      assert.ok(facts.pong.length >= 3);
      assert.deepEqual(facts.message, []);
    },
  },
  {
    name: 'U21 and U32: a peer that has gone silent is given up and dialled again, though every send succeeds',
    scenario: 'silence',
    check({ facts }) {
      assert.ok(facts.open.length >= 2);
      assert.equal(facts.open[1], true);
      assert.equal(facts.close[0]?.code, 1006);
    },
  },
  {
    name: 'server closes with 4000: one close with the code and the reason, where the host tells them',
    scenario: 'close4000',
    check({ facts }) {
      theClose(facts, { code: 4000, reason: 'enough', asked: false, opened: true });
    },
    without: { 'mp-alipay': `${NO_CODE}; the next row is for it` },
  },
  {
    name: 'U29: a close without a code is 1005',
    scenario: 'close4000',
    check({ facts }) {
      theClose(facts, { code: 1005, reason: '', asked: false, opened: true });
    },
    without: {
      H5: 'a browser tells the code, see the row above',
      'mp-weixin': 'WeChat tells the code, see the row above',
      App: 'the native module tells the code, see the row above',
      'WeChat npm': 'WeChat tells the code, see the row above',
    },
  },
  {
    name: 'U27 and U28: refused: one close, whether the host tells an error, a close or both',
    scenario: 'refused',
    check({ facts }) {
      theClose(facts, { code: 1006, asked: false, opened: false });
      assert.deepEqual(facts.end, ['exhausted']);
    },
  },
  {
    name: 'U27: refused twice: two attempts, counted once each',
    scenario: 'refusedAgain',
    check({ facts }) {
      assert.deepEqual(
        facts.close.map(({ willReconnect }) => willReconnect),
        [true, true, false],
      );
      assert.deepEqual(facts.end, ['exhausted']);
    },
  },
  {
    name: '403: one close, and no host tells the status',
    scenario: 'forbidden',
    check({ facts }) {
      theClose(facts, { code: 1006, asked: false, opened: false });
    },
  },
  {
    name: 'U9: a server that never answers is given up at our own timeout',
    scenario: 'hang',
    async check({ facts, server }) {
      theClose(facts, { code: 1006, asked: false, opened: false });
      await server.idle();
    },
  },
  {
    name: 'U24: close in the turn of the dial: one close, asked for, and no socket is left',
    scenario: 'closeConnecting',
    async check({ facts, server }) {
      theClose(facts, { asked: true, opened: false });
      assert.deepEqual(facts.end, ['caller']);
      await server.idle();
    },
  },
  {
    name: 'U24 and U26: close while connecting: one close, asked for, and no socket is left',
    scenario: 'closeWhileDialling',
    async check({ facts, server }) {
      theClose(facts, { asked: true, opened: false });
      assert.deepEqual(facts.end, ['caller']);
      await server.idle();
    },
  },
  {
    name: 'U26: our own close is told as ours, whatever the host says, and nothing is taken afterwards',
    scenario: 'closeOurs',
    async check({ facts, server }) {
      theClose(facts, { asked: true, opened: true });
      assert.equal(facts['afterwards'], false);
      assert.deepEqual(await closeAt(server, '/echo?closeOurs'), { code: 4002, reason: 'done' });
    },
  },
  {
    name: 'U23: a long reason is cut at a character, to 123 bytes',
    scenario: 'longReason',
    async check({ server }) {
      assert.deepEqual(await closeAt(server, '/echo?longReason'), { code: 4003, reason: '久'.repeat(41) });
    },
  },
  {
    name: 'bad URL: refused at the door, with a code',
    scenario: 'badUrl',
    check({ facts, on }) {
      // a page has an address, by which an empty URL is the page's own
      const wanted = on === 'H5' ? ['taken', ...four('INVALID_URL')] : ['INVALID_URL', ...four('INVALID_URL')];
      assert.deepEqual(facts['codes'], wanted);
    },
  },
  {
    name: 'U20: what is neither text nor binary is refused before the host makes "[object Object]" of it',
    scenario: 'badData',
    check({ facts }) {
      assert.deepEqual(facts['codes'], ['INVALID_DATA', 'INVALID_DATA', 'INVALID_DATA']);
      assert.deepEqual(facts.message, []);
    },
  },
  {
    name: 'U32: killed by the server: reconnects, whatever code the host makes of it',
    scenario: 'kill',
    check({ facts }) {
      assert.deepEqual(facts.open, [false, true]);
      assert.equal(facts.close.length, 2);
      assert.equal(facts.close[0]?.asked, false);
      assert.equal(facts.close[0]?.willReconnect, true);
    },
  },
  {
    name: 'U35: hidden for 6 s and shown: back within a second',
    scenario: 'hideAndShow',
    check({ facts, on }) {
      const hidden = { 'mp-weixin': 'suspended', 'mp-alipay': 'suspended' };
      assert.equal(facts['hidden'], on in hidden ? 'suspended' : 'open');
      // where nothing was told, a probe has to fail first, which may take its 800 ms
      assert.ok(Number(facts['took']) < (on === 'WeChat npm' ? 1800 : 1000), `took ${String(facts['took'])} ms`);
      assert.deepEqual(facts.message, ['still here']);
      assert.equal(facts.open.length, on === 'H5' || on === 'App' ? 1 : 2);
    },
  },
  {
    name: 'U10: two clients dialled in one millisecond both open, and each gets its own',
    scenario: 'two',
    check({ facts }) {
      assert.deepEqual((facts['first'] as Facts).message, ['first']);
      assert.deepEqual((facts['second'] as Facts).message, ['second']);
    },
  },
  {
    name: 'U31: a storm of ten redials never has more than two sockets',
    scenario: 'storm',
    async check({ facts, runtime, server }) {
      assert.deepEqual(facts.message, ['still here']);
      assert.equal(facts.open.length, 11);
      // two of this one's, and perhaps one that lingers from the scenario before
      if (runtime.host) assert.ok(runtime.host.dialler.most <= 3, `${runtime.host.dialler.most} at once`);
      await server.idle();
    },
  },
  {
    name: 'U16: a listener that throws harms no other, nor the socket',
    scenario: 'thrower',
    check({ facts }) {
      assert.deepEqual(facts.message, ['one', 'two']);
      assert.deepEqual(facts.error, ['LISTENER_THREW', 'LISTENER_THREW', 'LISTENER_THREW']);
    },
  },
  {
    name: "U6: an application's slow interceptor: a promise of a task is waited for",
    scenario: 'interceptor',
    check: ({ facts }) => assert.deepEqual(facts.message, ['through']),
    without: { 'WeChat npm': NO_UNI },
  },
  {
    name: "U11: an application's interceptor says no: a failed attempt, not a wait without end",
    scenario: 'veto',
    check({ facts }) {
      theClose(facts, { code: 1006, asked: false, opened: false });
    },
    without: { 'WeChat npm': NO_UNI },
  },
  {
    name: 'U1: each dial gives success, fail and complete, and no key without a value',
    scenario: 'greeting',
    check({ calls }) {
      assert.equal(calls.length, 1);
      for (const name of ['success', 'fail', 'complete']) assert.equal(typeof calls[0]?.[name], 'function', name);
      assert.ok(!Object.values(calls[0] ?? {}).includes(undefined));
      assert.ok(!('method' in (calls[0] ?? {})) && !('protocols' in (calls[0] ?? {})));
    },
    without: { H5: NO_HOST, App: 'the runtime keeps the callbacks and gives the native module four fields of its own' },
  },
  {
    name: 'U38 and U40: after all clients have ended, one listener for each host event is left, and no socket',
    async check({ runtime, server }) {
      await server.idle();
      assert.equal(runtime.host?.dialler.live.size ?? 0, 0);
      // uni-app itself listens to show and hide in a mini-program
      if (runtime.host) assert.ok(runtime.host.listening() <= 5, `${runtime.host.listening()} listeners`);
    },
  },
  {
    name: 'U41: loaded with code generation forbidden, and nobody was asked for what a host would refuse',
    check({ runtime }) {
      assert.deepEqual(runtime.complaints(), []);
    },
  },
];

function four(text: string): readonly string[] {
  return [text, text, text, text];
}

/** What the server heard as the socket on this path ended. */
async function closeAt(server: FaultServer, path: string) {
  const { closed } = await server.connection(path);
  return closed;
}

/** There was exactly one, like this. */
function theClose(facts: Facts, wanted: Partial<Facts['close'][number]>): void {
  assert.equal(facts.close.length, 1, `closes: ${JSON.stringify(facts.close)}`);
  const { code, reason, asked, opened } = facts.close[0]!;
  assert.deepEqual({ code, reason, asked, opened, ...wanted }, { code, reason, asked, opened });
}
