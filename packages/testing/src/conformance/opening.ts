// How does a socket begin, and how does one that never does end?

import type { CloseInfo } from '@holdfast/core';
import { conformanceCase, type ConformanceCase, type Stage, type Subject } from './stage.ts';

export const openingCases: readonly ConformanceCase[] = [
  conformanceCase('a socket opens and says so once', async (stage) => {
    const subject = await stage.open('/echo');
    await stage.quiet();
    stage.equal(subject.count('opened'), 1, 'opened once');
  }),

  conformanceCase('no subprotocol is asked for, so none is told', async (stage) => {
    const subject = stage.dial('/echo');
    stage.equal((await subject.opened()).protocol, '', 'the protocol is empty');
  }),

  conformanceCase(
    'the subprotocol that the server chose is told',
    async (stage) => {
      const protocols = ['first.v1', 'second.v2', 'third.v3'];
      const subject = stage.dial({ url: stage.url('/protocol'), protocols });
      stage.equal((await subject.opened()).protocol, 'second.v2', 'the chosen one');
    },
    ['subprotocols'],
  ),

  conformanceCase(
    'a server that chooses none of the subprotocols offered has refused',
    async (stage) => {
      const subject = stage.dial({ url: stage.url('/echo'), protocols: ['first.v1'] });
      await neverOpens(stage, subject);
    },
    ['handshake-checks'],
  ),

  conformanceCase(
    'a server that did not understand the handshake is not believed',
    async (stage) => {
      await neverOpens(stage, stage.dial('/wrong-accept'));
    },
    ['handshake-checks'],
  ),

  conformanceCase('T14: a greeting in one segment with the upgrade is received, 20 of 20', async (stage) => {
    for (let i = 0; i < 20; i++) {
      const subject = stage.dial('/greet');
      stage.equal(await subject.messages(1), ['greeting'], `greeting ${i}`);
      subject.terminate();
    }
  }),

  conformanceCase('T50: several messages in one segment with the upgrade arrive in order', async (stage) => {
    const subject = stage.dial('/greet/5');
    const greetings = [0, 1, 2, 3, 4].map((n) => `greeting ${n}`);
    stage.equal(await subject.messages(5), greetings, 'all five');
  }),

  conformanceCase('headers are sent where the adapter claims them', async (stage) => {
    const asked = { 'x-holdfast': 'yes', authorization: 'Bearer abc' };
    if (!stage.adapter.capabilities.headers) return;
    const subject = stage.dial({ url: stage.url('/headers'), protocols: [], headers: asked });
    const [json] = await subject.messages(1);
    const headers = JSON.parse(String(json)) as Record<string, string>;
    stage.equal(headers['x-holdfast'], 'yes', 'x-holdfast');
    stage.equal(headers['authorization'], 'Bearer abc', 'authorization');
  }),

  conformanceCase('a port at which nobody listens is one abnormal close', async (stage) => {
    await neverOpens(stage, stage.dial({ url: stage.refusedUrl, protocols: [] }));
  }),

  conformanceCase('a port that no browser dials is one abnormal close, not a throw', async (stage) => {
    await neverOpens(stage, stage.dial({ url: 'ws://127.0.0.1:1/', protocols: [] }));
  }),

  conformanceCase('T13: a subprotocol that is not one is told by closed, not thrown', async (stage) => {
    await neverOpens(stage, stage.dial({ url: stage.url('/echo'), protocols: ['not a token'] }));
  }),

  conformanceCase('T13: a subprotocol offered twice is told by closed, not thrown', async (stage) => {
    await neverOpens(stage, stage.dial({ url: stage.url('/echo'), protocols: ['same', 'same'] }));
  }),

  ...[400, 401, 403, 404, 429, 500, 503].map((status) =>
    conformanceCase(
      `an upgrade refused with ${status} is one abnormal close, and no other status is told`,
      async (stage) => {
        const close = await neverOpens(stage, stage.dial(`/status/${status}`));
        stage.ok(close.status === undefined || close.status === status, `status ${close.status}`);
        stage.equal(close.retryAfter, undefined, 'no Retry-After was given');
      },
    ),
  ),

  conformanceCase('Retry-After of a refused upgrade is told truly, or not at all', async (stage) => {
    const close = await neverOpens(stage, stage.dial('/status/503?retry-after=7'));
    stage.ok(close.retryAfter === undefined || close.retryAfter === 7, `retryAfter ${close.retryAfter}`);
  }),

  conformanceCase('an upgrade that is answered by a page is one abnormal close', async (stage) => {
    await neverOpens(stage, stage.dial('/status/200'));
  }),

  conformanceCase(
    'a redirect is not followed',
    async (stage) => {
      await neverOpens(stage, stage.dial('/status/302?location=/echo'));
    },
    ['handshake-checks'],
  ),

  conformanceCase('a connection dropped in the middle of the handshake is one abnormal close', async (stage) => {
    await neverOpens(stage, stage.dial('/drop'));
  }),

  conformanceCase('two sockets at once do not disturb each other', async (stage) => {
    const [a, b] = [stage.dial('/echo'), stage.dial('/echo')];
    await Promise.all([a.opened(), b.opened()]);
    a.socket.send('for a');
    b.socket.send('for b');
    stage.equal([await a.messages(1), await b.messages(1)], [['for a'], ['for b']], 'each its own');
    a.terminate();
    b.socket.send('b lives');
    stage.equal(await b.messages(2), ['for b', 'b lives'], 'b goes on without a');
  }),

  conformanceCase(
    'twenty sockets at once do not disturb each other',
    async (stage) => {
      const subjects = Array.from({ length: 20 }, () => stage.dial('/echo'));
      await Promise.all(subjects.map((subject) => subject.opened()));
      subjects.forEach((subject, i) => subject.socket.send(`for ${i}`));
      const answers = await Promise.all(subjects.map((subject) => subject.messages(1)));
      stage.equal(
        answers,
        subjects.map((_, i) => [`for ${i}`]),
        'each its own',
      );
    },
    ['many-sockets'],
  ),

  conformanceCase('a failed dial does not harm the next one', async (stage) => {
    await neverOpens(stage, stage.dial('/drop'));
    const subject = await stage.open('/echo');
    subject.socket.send('hello');
    stage.equal(await subject.messages(1), ['hello'], 'the echo');
  }),

  conformanceCase('what is sent from inside opened goes out', async (stage) => {
    const subject = stage.dial('/echo', { opened: ({ socket }) => socket.send('at once') });
    stage.equal(await subject.messages(1), ['at once'], 'the echo');
  }),

  conformanceCase('resolveUrl, where there is one, turns http(s) into ws(s) and leaves the rest alone', (stage) => {
    const { adapter } = stage;
    if (!adapter.resolveUrl) return;
    for (const url of ['ws://127.0.0.1:81/a?b=c', 'wss://[::1]/', 'wss://user:word@example.com/a%20b']) {
      stage.equal(adapter.resolveUrl(url), url, 'the same');
    }
    stage.equal(adapter.resolveUrl('http://127.0.0.1:81/a'), 'ws://127.0.0.1:81/a', 'ws: for http:');
    stage.equal(adapter.resolveUrl('https://127.0.0.1:81/a'), 'wss://127.0.0.1:81/a', 'wss: for https:');
  }),

  conformanceCase('a capability is there exactly where it is claimed', async (stage) => {
    const { socket } = await stage.open('/echo');
    const { pingFrames, bufferedAmount } = stage.adapter.capabilities;
    stage.equal(typeof socket.ping === 'function', pingFrames, 'ping');
    stage.equal(typeof socket.bufferedAmount === 'number', bufferedAmount, 'bufferedAmount');
    stage.ok(stage.adapter.name !== '', 'the adapter has a name');
  }),
];

async function neverOpens(stage: Stage, subject: Subject): Promise<CloseInfo> {
  const close = await subject.closed();
  stage.equal(subject.count('opened'), 0, 'never opened');
  stage.equal(close.code, 1006, 'the code is that of an abnormal closure');
  stage.equal(close.wasClean, false, 'not clean');
  stage.equal(close.reason, '', 'no reason, since no peer gave one');
  return close;
}
