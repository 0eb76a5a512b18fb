// Is a message the same on every host, and is each told what became of it?

import { contains, equal, matches, thrownBy } from '../check.ts';
import type { FakeTaskMode } from '@holdfast/testing';
import type { Scenario } from '../stage.ts';

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;

const refusedOnce = ([mode, result]: readonly [FakeTaskMode, false | 'sent']): Scenario => ({
  name: `U18: a message that fails at once is refused once, though the host says more (${mode})`,
  async play({ host: make, connect, pass }) {
    const { client, drops } = connect(make([mode]), { heartbeat: false });
    await pass(20);
    equal(client.send('one'), result);
    await pass(120);
    matches(drops, [{ data: 'one', reason: 'rejected' }]);
    contains(drops[0]!.cause, 'sendSocketMessage:fail');
  },
});

export const MESSAGES: readonly Scenario[] = [
  {
    name: 'U14: Alipay wraps each event once more, and has binary as base64, both ways',
    async play({ host: make, open }) {
      const host = make(['alipay-envelope']);
      const { socket, story } = await open(host);
      host.last.message('text');
      host.last.message(bytes(0, 1, 254, 255));
      host.last.message(bytes());
      socket.send(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
      socket.send('text');
      host.last.close(4000, 'a reason that is not told');
      equal(story.slice(1, 4), [
        ['message', 'text'],
        ['message', Uint8Array.of(0, 1, 254, 255)],
        ['message', new Uint8Array(0)],
      ]);
      matches(story[4]![1], { code: 1005, reason: '' });
      equal(host.last.sent, ['AgM=', 'text']);
    },
  },
  {
    name: 'U14: a string is never taken apart, whatever is written in it',
    async play({ host: make, open }) {
      const host = make();
      const { story } = await open(host);
      const text = '{"data":{"data":"AgM=","isBuffer":true}}';
      host.last.message(text);
      host.last.message('');
      equal(story.slice(1), [
        ['message', text],
        ['message', ''],
      ]);
    },
  },
  {
    name: 'U15: binary is a Uint8Array over exactly its bytes, also of a view',
    async play({ host: make, open }) {
      const host = make();
      const { story } = await open(host);
      host.last.message(bytes(1, 2));
      host.last.message(Uint8Array.of(0, 1, 2, 3).subarray(1, 3) as never);
      equal(
        story.slice(1).map(([, data]) => [data, (data as Uint8Array).buffer.byteLength]),
        [
          [Uint8Array.of(1, 2), 2],
          [Uint8Array.of(1, 2), 2],
        ],
      );
    },
  },
  {
    name: 'U16: a listener that throws harms no other, no state and no socket',
    async play({ host: make, connect, pass }) {
      const host = make();
      const { client, messages, errors } = connect(host);
      client.on('message', () => {
        throw new Error('from message');
      });
      const later: unknown[] = [];
      client.on('message', (data) => later.push(data));
      await pass(20);
      host.last.message('one');
      host.last.message('two');
      await pass(20);
      equal([messages, later, client.status], [['one', 'two'], ['one', 'two'], 'open']);
      equal(
        errors.map(({ code }) => code),
        ['LISTENER_THREW', 'LISTENER_THREW'],
      );
    },
  },
  {
    name: 'U17: a client that is not open queues, or refuses and says so once',
    async play({ host: make, connect, pass }) {
      const host = make(['late-open']);
      const { client, drops } = connect(host);
      await pass(20);
      equal([client.send('queued'), client.send('now or never', { ifOpen: true })], ['queued', false]);
      matches(drops, [{ data: 'now or never', reason: 'not-open' }]);
      host.last.open();
      equal(host.last.sent, ['queued']);
    },
  },
  refusedOnce(['fail-then-success-send', false]),
  refusedOnce(['double-fail-send', 'sent']), // its socket is gone
  {
    name: 'U18: a verdict that comes late is told once, with the bytes as they were sent',
    async play({ host: make, connect, pass }) {
      const host = make();
      const { client, drops } = connect(host, { heartbeat: false });
      await pass(20);
      host.last.failSends('sendSocketMessage:fail interrupted');
      const data = Uint8Array.of(1, 2, 3);
      equal(client.send(data), 'sent');
      data.fill(9);
      await pass(20);
      matches(drops, [{ data: Uint8Array.of(1, 2, 3), reason: 'rejected' }]);
      equal(client.status, 'open');
    },
  },
  {
    name: 'U18: a host that says nothing of a message leaves nothing behind',
    async play(stage) {
      const host = stage.host(['no-complete-send']);
      const { client, drops } = stage.connect(host, { heartbeat: false });
      await stage.pass(20);
      equal([client.send('one'), client.send('')], ['sent', 'sent']);
      await stage.pass(1_000);
      equal([host.last.sent, drops.length, stage.timers], [['one', ''], 0, 0]);
    },
  },
  {
    name: 'U19: a view is sent as a copy of exactly its bytes',
    async play({ host: make, open }) {
      const host = make();
      const { socket } = await open(host);
      const whole = Uint8Array.of(1, 2, 3, 4);
      socket.send(whole.subarray(1, 3));
      whole.fill(9);
      const [sent] = host.last.sent;
      equal(Object.prototype.toString.call(sent), '[object ArrayBuffer]');
      equal(new Uint8Array(sent as ArrayBuffer), Uint8Array.of(2, 3));
    },
  },
  {
    name: 'U20: what is neither text nor binary is refused before a host can make something of it',
    async play({ host: make, connect, pass }) {
      const host = make();
      const { client } = connect(host);
      await pass(20);
      for (const data of [42, {}, null, undefined]) {
        contains(
          thrownBy(() => client.send(data as never)),
          'INVALID_DATA',
        );
      }
      equal(host.last.sent, []);
    },
  },
  {
    name: 'U21: that a host takes messages is no sign of life',
    async play({ host: make, connect, pass }) {
      const host = make();
      host.onMessage = (task, data) => {
        if (data === 'ping') task.message('pong');
      };
      const { client, closes } = connect(host, { heartbeat: { interval: 1_000, timeout: 500 } });
      await pass(2_500); // it has replied before
      host.onMessage = undefined;
      client.send('into the void');
      await pass(1_600);
      matches(closes, [{ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' }, willReconnect: true }]);
    },
  },
  {
    name: 'U22: a task of which the host says that it does not exist is lost',
    async play({ host: make, connect, pass }) {
      const host = make();
      const { client, closes, drops } = connect(host, { heartbeat: false });
      await pass(20);
      host.last.failSends('sendSocketMessage:fail taskID not exist');
      client.send('one');
      await pass(150);
      matches(closes, [{ code: 1006, willReconnect: true }]);
      contains(closes[0]!.cause, 'taskID not exist');
      equal(drops.length, 1);
    },
  },
];
