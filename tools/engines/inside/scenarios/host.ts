// What does a host say of the app and of the network, and what comes of it?

import { equal, matches } from '../check.ts';
import type { FakeHost, FakeTaskMode } from '@holdfast/testing';
import type { Scenario } from '../stage.ts';

function replyToPings(host: FakeHost): void {
  host.onMessage = (task, data) => {
    if (data === 'ping') task.message('pong');
  };
}

const oneSubscription = (modes: readonly FakeTaskMode[]): Scenario['play'] =>
  async function ({ miniProgram, uniapp }) {
    const host = miniProgram(modes);
    const watched = () => {
      const hints: string[] = [];
      return { hints, stop: uniapp.uniappAdapter().watch!((hint) => hints.push(hint)) };
    };
    for (let i = 0; i < 10; i++) watched().stop();
    const [a, b] = [watched(), watched()];
    host.hide();
    equal(host.listeners, 3);
    a.stop();
    host.show();
    equal([a.hints, b.hints], [['suspend'], ['suspend', 'resume']]);
    b.stop();
  };

export const HOST: readonly Scenario[] = [
  {
    name: 'U35: hidden for five minutes, a client makes no attempt, and shown it dials at once',
    async play({ miniProgram, connect, pass }) {
      const host = miniProgram();
      const { client, closes } = connect(host, { reconnect: { maxAttempts: 3 } });
      await pass(20);
      host.hide();
      host.last.close(1000, 'interrupted');
      await pass(300_000);
      equal([client.status, host.tasks.length, closes.length], ['suspended', 1, 1]);
      host.show();
      await pass(20);
      equal([client.status, host.tasks.length], ['open', 2]);
    },
  },
  {
    name: 'U35: a socket that died in the background without a word is found out by a probe',
    async play({ miniProgram, connect, pass }) {
      const host = miniProgram();
      replyToPings(host);
      const { client, closes } = connect(host, { heartbeat: { interval: 1_000, timeout: 5_000 } });
      await pass(2_500); // it has replied
      host.hide();
      host.onMessage = undefined;
      await pass(300_000);
      equal([client.status, closes.length], ['open', 0]);
      host.show();
      await pass(5_100);
      matches(closes, [{ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' } }]);
      await pass(3_000);
      equal([client.status, host.tasks.length], ['open', 2]);
    },
  },
  {
    name: 'U36: timers that stood still lead to one probe, not to a death and not to a burst of pings',
    async play({ host: make, connect, pass, jump }) {
      const host = make();
      replyToPings(host);
      const { client, closes } = connect(host, { heartbeat: { interval: 10_000, timeout: 5_000 } });
      await pass(10_050);
      const before = host.last.sent.length;
      jump(3_600_000); // an hour
      await pass(10_000);
      equal(host.last.sent.length - before, 1);
      await pass(20_000);
      equal([client.status, closes.length], ['open', 0]);
    },
  },
  {
    name: 'U37: a network that is back makes a client dial now; one that is gone forbids nothing',
    async play({ miniProgram, connect, pass }) {
      const host = miniProgram(['error-only']);
      const { client } = connect(host, { reconnect: { jitter: 'none', initialDelay: 20_000, maxDelay: 20_000 } });
      await pass(1_500);
      host.modes = [];
      host.changeNetwork(false);
      await pass(1_000);
      host.changeNetwork(true);
      await pass(300);
      equal([client.status, host.calls.length], ['open', 2]);
      host.last.close(1006, '');
      host.changeNetwork(false);
      await pass(21_000);
      equal(client.status, 'open');
    },
  },
  {
    name: 'U38: one subscription for all clients, where off takes nothing off',
    play: oneSubscription(['off-is-noop']),
  },
  { name: 'U38: one subscription for all clients, where off takes off', play: oneSubscription([]) },
  {
    name: 'U39: without any host there is nothing to watch',
    async play({ uniapp }) {
      const hints: string[] = [];
      const stop = uniapp.uniappAdapter().watch!((hint) => hints.push(hint));
      stop();
      equal(hints, []);
    },
  },
  {
    name: 'U40: after its end there is no timer, no further event, and nobody that the host could tell',
    async play(stage) {
      const host = stage.miniProgram();
      replyToPings(host);
      const { client, closes, messages } = stage.connect(host);
      await stage.pass(31_000);
      await Promise.all([client.close(), stage.pass(20)]);
      const { last: task } = host;
      const before = [closes.length, messages.length, client.status];
      equal(stage.timers, 0);
      host.hide();
      host.show();
      host.changeNetwork(true);
      task.open();
      task.message('late');
      task.error('late');
      task.close(4000, 'late');
      await stage.pass(60_000);
      equal([closes.length, messages.length, client.status], before);
      equal([stage.timers, host.tasks.length], [0, 1]);
    },
  },
];
