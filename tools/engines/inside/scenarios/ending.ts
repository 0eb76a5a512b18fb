// However a host tells an end, or does not, is there one close and then silence?

import { equal, matches } from '../check.ts';
import type { FakeTaskMode } from '@holdfast/testing';
import type { Scenario } from '../stage.ts';

const isTaken = (mode: FakeTaskMode): Scenario => ({
  name: `U26: a deliberate close is told as asked for, whatever the host makes of it (${mode})`,
  async play({ host: make, connect, pass }) {
    const { client, closes } = connect(make([mode]));
    await pass(20);
    await Promise.all([client.close(4000, 'bye'), pass(20)]);
    matches(closes, [{ asked: true, willReconnect: false }]);
    equal(client.status, 'closed');
  },
});

const isNotAnswered = (mode: FakeTaskMode): Scenario => ({
  name: `U25: a close that is never answered is over after a bounded wait (${mode})`,
  async play({ host: make, connect, pass }) {
    const { client, closes } = connect(make([mode]), { closeTimeout: 2_000 });
    await pass(20);
    await Promise.all([client.close(), pass(2_050)]);
    matches(closes, [{ code: 1006, asked: true, cause: { code: 'CLOSE_TIMEOUT' } }]);
  },
});

const isLost = (code: number, reason: string): Scenario => ({
  name: `U32, U33: ${code} "${reason}" that we did not ask for is a loss, and is dialled again`,
  async play({ host: make, connect, pass }) {
    const host = make();
    const { client, closes } = connect(host);
    await pass(20);
    host.last.close(code, reason);
    matches(closes, [{ code, reason, asked: false, willReconnect: true }]);
    await pass(3_000);
    equal([client.status, host.tasks.length], ['open', 2]);
  },
});

export const ENDING: readonly Scenario[] = [
  ...(['1000-interrupted', '0-interrupted', 'code-missing'] as const).map(isTaken),
  ...(['close-never-answers', 'revived-old-socket', 'silent-death'] as const).map(isNotAnswered),
  isLost(1000, 'interrupted'),
  isLost(0, 'interrupted'),
  isLost(1000, 'CLOSE_NORMAL'),
  isLost(1005, ''),
  isLost(1006, 'abnormal closure'),
  {
    name: 'U23: a code that hosts refuse becomes 1000, and a reason is cut between two characters',
    async play({ host: make, open, pass }) {
      const host = make();
      const { socket, names } = await open(host);
      socket.close(1001, `${'汉'.repeat(40)}😀x`);
      await pass(10);
      matches(host.last.closes, [{ code: 1000, reason: '汉'.repeat(40) }]);
      equal(names(), 'opened closed');
    },
  },
  {
    name: 'U24: a close while connecting is one close, and a task that opens afterwards is closed again',
    async play({ host: make, connect, pass }) {
      const host = make(['late-open', 'close-noop-until-open']);
      const { client, closes, opens } = connect(host);
      await pass(20);
      void client.close(4000, 'gone');
      await pass(20);
      matches(closes, [{ code: 1006, asked: true, opened: false, willReconnect: false }]);
      host.last.open();
      await pass(20);
      equal([host.last.closes.length, opens.length, closes.length, host.live.length], [2, 0, 1, 0]);
    },
  },
  {
    name: 'U27: an error while open and no close is one close, in a moment',
    async play({ host: make, open, pass }) {
      const host = make();
      const { names, story } = await open(host);
      host.last.error('connectSocket:fail broken pipe');
      equal(names(), 'opened');
      await pass(150);
      equal([names(), host.live.length], ['opened closed', 0]);
      matches(story[1]![1], { code: 1006, wasClean: false, cause: { message: 'connectSocket:fail broken pipe' } });
    },
  },
  {
    name: 'U28: an error, then its close, is one close, with the code of the close',
    async play({ host: make, open, pass }) {
      const host = make();
      const { names, story } = await open(host);
      host.last.error('connectSocket:fail');
      await pass(50);
      host.last.close(1011, 'server error');
      await pass(200);
      equal(names(), 'opened closed');
      matches(story[1]![1], { code: 1011, reason: 'server error', cause: { message: 'connectSocket:fail' } });
    },
  },
  {
    name: 'U29: a close without a code is 1005',
    async play({ host: make, open }) {
      const host = make(['code-missing']);
      const { story } = await open(host);
      host.last.close();
      matches(story[1]![1], { code: 1005, reason: '' });
    },
  },
  {
    name: 'U30: a task that was given up is silent, also when it comes back to life',
    async play({ host: make, connect, pass }) {
      const host = make(['revived-old-socket']);
      const { client, messages, closes, opens } = connect(host);
      await pass(20);
      const old = host.last;
      client.reconnect();
      await pass(20);
      old.message('from the dead');
      old.open();
      old.error('connectSocket:fail');
      old.close(4000, 'kicked out');
      old.fail('connectSocket:fail');
      await pass(200);
      equal([client.status, messages.length, opens.length, closes.length], ['open', 0, 2, 1]);
    },
  },
  {
    name: 'U34: each failed dial is one retry, and each waits longer',
    async play({ host: make, connect, pass }) {
      const host = make(['error-then-close']);
      const { closes } = connect(host, { reconnect: { jitter: 'none' } });
      await pass(60_000);
      equal(closes.map(({ delay }) => delay).slice(0, 4), [2_500, 5_000, 10_000, 20_000]);
      equal(host.calls.length, 5);
    },
  },
];
