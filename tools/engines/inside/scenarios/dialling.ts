// However a host takes a dial, does it end in one story?

import { contains, equal, matches, thrownBy } from '../check.ts';
import type { FakeTaskMode } from '@holdfast/testing';
import type { Scenario } from '../stage.ts';

const opens = (modes: readonly FakeTaskMode[], openAfter = 5): Scenario['play'] =>
  async function ({ host: make, dial, pass }) {
    const host = make({ modes, openAfter });
    host.onMessage = (task, data) => task.message(data as string);
    const { socket, names, story } = dial(host);
    await pass(openAfter);
    await pass(20);
    equal(names(), 'opened');
    socket.send('hello');
    await pass(5);
    socket.close(4000, 'done');
    await pass(5);
    equal(names(), 'opened message closed');
    matches(story[2]![1], { code: 4000, reason: 'done', wasClean: true });
  };

const closesOnce = (mode: FakeTaskMode, why: string): Scenario['play'] =>
  async function ({ host: make, dial, pass }) {
    const { names, story } = dial(make([mode]));
    equal(names(), ''); // nothing before the caller has his socket
    await pass(5_000);
    equal(names(), 'closed');
    matches(story[0]![1], { code: 1006, reason: '', wasClean: false });
    contains((story[0]![1] as { cause?: Error }).cause?.message, why);
  };

export const DIALLING: readonly Scenario[] = [
  {
    name: 'U1: a dial has all three callbacks and multiple, and nothing that is absent',
    async play({ host: make, connect, pass }) {
      const host = make();
      connect(host);
      await pass(20);
      equal(Object.keys(host.calls[0]!).sort(), ['complete', 'fail', 'multiple', 'success', 'url']);
    },
  },
  { name: 'U4: a host that behaves opens, echoes and closes', play: opens([]) },
  { name: 'U9: a host that takes five seconds to open is waited for', play: opens([], 5_000) },
  { name: 'U5: success within the call, before there is a task', play: opens(['sync-success']) },
  { name: 'U4: handlers that replace each other are registered once', play: opens(['handlers-replace']) },
  { name: 'U6: a promise of a task is a task', play: opens(['returns-promise-of-task']) },
  {
    name: 'U4: a task that opens in the next microtask is heard',
    async play({ host: make, dial, pass }) {
      const host = make(['late-open']);
      const { names } = dial(host, (options) => {
        const task = host.api.connectSocket(options);
        void Promise.resolve().then(() => {
          host.last.open();
          host.last.message('greeting');
        });
        return task;
      });
      await pass(20);
      equal(names(), 'opened message');
      equal(host.last.registered, { open: 1, message: 1, error: 1, close: 1 });
    },
  },
  {
    name: 'U13: an opening that is told twice is one',
    async play({ host: make, dial, pass }) {
      const { names } = dial(make(['double-open']));
      await pass(20);
      equal(names(), 'opened');
    },
  },
  {
    name: 'U3: a connectSocket that is no function is refused with the reason',
    async play({ uniapp }) {
      contains(
        thrownBy(() => uniapp.connect('wss://example.com', { connectSocket: {} as never })),
        'connectSocket must be a function',
      );
    },
  },
  {
    name: 'U2: where there is no uni a dial fails and says what to give',
    async play({ uniapp, pass }) {
      const causes: unknown[] = [];
      uniapp.uniappAdapter().openSocket(
        { url: 'wss://example.com', protocols: [] },
        {
          opened: () => causes.push('opened'),
          message: () => causes.push('message'),
          closed: ({ cause }) => causes.push(cause),
        },
      );
      await pass(10);
      equal(causes.length, 1);
      contains(causes[0], 'no uni.connectSocket here');
    },
  },
  { name: 'U6: nothing is returned and no callback comes', play: closesOnce('returns-undefined', 'no SocketTask') },
  {
    name: 'U6: a promise of something that is no task',
    play: closesOnce('returns-promise-of-errMsg', 'no SocketTask'),
  },
  { name: 'U6: a promise that is rejected', play: closesOnce('rejects', 'interceptor') },
  { name: 'U7: only fail', play: closesOnce('fail-only', 'url not in domain list') },
  {
    name: 'U7: fail after success, with a task in hand',
    play: closesOnce('success-then-fail', 'url not in domain list'),
  },
  { name: 'U8: a throw', play: closesOnce('throws', 'parameter error') },
  { name: 'U27: an error and no close', play: closesOnce('error-only', 'refused') },
  { name: 'U28: an error, then a close', play: closesOnce('error-then-close', 'refused') },
  {
    name: 'U9: our own timeout ends a dial; the task is closed, and again if it opens after all',
    async play({ host: make, connect, pass }) {
      const host = make(['late-open', 'close-noop-until-open']);
      const { closes, opens: told } = connect(host, { connectTimeout: 1_000, reconnect: false });
      await pass(1_500);
      matches(closes, [{ code: 1006, opened: false, cause: { code: 'CONNECT_TIMEOUT' } }]);
      host.last.open();
      host.last.message('too late');
      await pass(10);
      equal([host.last.closes.length, host.live.length, told.length, closes.length], [2, 0, 0, 1]);
    },
  },
  {
    name: 'U10: three clients of one millisecond are dialled at different ones, and all open',
    async play({ host: make, uniapp, pass }) {
      const host = make();
      const times: number[] = [];
      const connectSocket: typeof host.api.connectSocket = (options) => {
        times.push(Date.now());
        return host.api.connectSocket(options);
      };
      const clients = [1, 2, 3].map(() => uniapp.connect('wss://example.com', { connectSocket }));
      await pass(50);
      equal(
        clients.map(({ status }) => status),
        ['open', 'open', 'open'],
      );
      equal([times[1]! - times[0]!, times[2]! - times[1]!], [2, 2]);
      clients.forEach((client) => void client.close());
    },
  },
  {
    name: 'U31: however fast a client reconnects, it has two tasks at most',
    async play({ host: make, connect, pass }) {
      const host = make({ closeAfter: 300 });
      const { client } = connect(host);
      for (let i = 0; i < 40; i++) {
        client.reconnect();
        await pass(i % 2 ? 100 : 7);
      }
      await pass(1_000);
      equal([client.status, host.mostLive], ['open', 2]);
    },
  },
  {
    name: 'U34: a sixth socket is tried, is told what the host says of it, and waits',
    async play({ host: make, connect, pass }) {
      const host = make({ limit: 5 });
      for (let i = 0; i < 5; i++) connect(host);
      await pass(50);
      const { closes } = connect(host, { reconnect: { jitter: 'none' } });
      await pass(50);
      matches(closes, [{ delay: 2_500, willReconnect: true }]);
      contains(closes[0]!.cause, 'exceed max concurrent count');
    },
  },
];
