// However a host tells an end, or does not, is there one close and then silence?

import { describe, expect, it, vi } from 'vitest';
import { connect, dial, fakeHost, open, pass } from './support/stage.ts';
import type { FakeTaskMode } from '@holdfast/testing';

describe('close() asks for what hosts accept', () => {
  it.each([
    [1000, 1000],
    [1001, 1000],
    [1005, 1000],
    [2999, 1000],
    [3000, 3000],
    [4999, 4999],
    [5000, 1000],
    [0, 1000],
    [3000.5, 1000],
  ])('U23: code %d becomes %d', async (code, expected) => {
    const host = fakeHost();
    const { socket, names } = await open(host);
    socket.close(code, '');
    await pass(10);
    expect(host.last.closes).toMatchObject([{ code: expected, reason: '' }]);
    expect(names()).toBe('opened closed');
  });

  it('U23: a reason is cut to 123 bytes between two characters', async () => {
    const host = fakeHost();
    const { socket, names } = await open(host);
    socket.close(4000, `${'汉'.repeat(40)}😀x`);
    await pass(10);
    expect(host.last.closes[0]!.reason).toBe('汉'.repeat(40));
    expect(names()).toBe('opened closed');
  });

  it('U23: a second close() asks nothing more of the host', async () => {
    const host = fakeHost();
    const { socket, names } = await open(host);
    socket.close(4000, 'first');
    socket.close(4001, 'second');
    await pass(200);
    expect(host.last.closes.length).toBe(1);
    expect(names()).toBe('opened closed');
  });
});

describe('close() while connecting', () => {
  // Core tells such a close as 1006 with `asked`, here as in every runtime: nobody has said a code yet, and the caller's
  // is on record in what he gave to close().
  it.each<readonly FakeTaskMode[]>([['late-open'], ['late-open', 'close-noop-until-open']])(
    'U24: is one close, asked for, and a task that opens afterwards is closed again (%s, %s)',
    async (...modes) => {
      const host = fakeHost(modes);
      const { client, closes, opens } = connect(host);
      await pass(20);
      void client.close(4000, 'gone');
      await pass(20);
      expect(closes).toMatchObject([{ code: 1006, asked: true, opened: false, willReconnect: false }]);
      host.last.open();
      await pass(20);
      expect(host.last.closes.length).toBe(2);
      expect([opens.length, closes.length, host.live.length]).toEqual([0, 1, 0]);
    },
  );

  it('U24: on a bare socket it is told by one close, and never opens', async () => {
    const host = fakeHost(['late-open', 'close-noop-until-open']);
    const { socket, names } = dial(host);
    await pass(20);
    socket.close(4000, 'gone');
    expect(names()).toBe('');
    await pass(10);
    expect(names()).toBe('closed');
    host.last.open();
    await pass(10);
    expect(names()).toBe('closed');
    expect(host.last.closes).toMatchObject([{ code: 4000, reason: 'gone' }, { code: 1000 }]);
  });
});

describe('a deliberate close', () => {
  it.each<FakeTaskMode>(['1000-interrupted', '0-interrupted', 'code-missing'])(
    'U26: is told as asked for, whatever the host makes of it (%s)',
    async (mode) => {
      const { client, closes } = connect(fakeHost([mode]));
      await pass(20);
      await Promise.all([client.close(4000, 'bye'), pass(20)]);
      expect(closes).toMatchObject([{ asked: true, willReconnect: false }]);
      expect(client.status).toBe('closed');
    },
  );

  it.each<FakeTaskMode>(['close-never-answers', 'revived-old-socket', 'silent-death'])(
    'U25: of a host that never answers is over after a bounded wait (%s)',
    async (mode) => {
      const { client, closes } = connect(fakeHost([mode]), { closeTimeout: 2_000 });
      await pass(20);
      const closed = client.close();
      await pass(2_050);
      await closed;
      expect(closes).toMatchObject([{ code: 1006, asked: true, cause: { code: 'CLOSE_TIMEOUT' } }]);
    },
  );

  it('U25: that the host refuses is over in a moment, and is asked once more', async () => {
    const host = fakeHost();
    const { client, closes } = connect(host);
    await pass(20);
    const { socketTask } = host.last;
    socketTask.close = (wanted) => wanted.fail!({ errMsg: 'closeSocket:fail wcwss taskID not exist' });
    void client.close();
    await pass(150);
    expect(closes).toMatchObject([{ code: 1006, asked: true }]);
  });
});

describe('an end that nobody here asked for', () => {
  it('U27: an error while open and no close is one close, in a moment', async () => {
    const host = fakeHost();
    const { names, story } = await open(host);
    host.last.error('connectSocket:fail broken pipe');
    host.last.error('connectSocket:fail again');
    expect(names()).toBe('opened');
    await pass(150);
    expect(names()).toBe('opened closed');
    expect(story[1]![1]).toMatchObject({
      code: 1006,
      wasClean: false,
      cause: { message: 'connectSocket:fail broken pipe' },
    });
    expect(host.live).toEqual([]); // the task was told to close
  });

  it('U28: an error, then its close, is one close, with the code of the close', async () => {
    const host = fakeHost();
    const { names, story } = await open(host);
    host.last.error('connectSocket:fail');
    await pass(50);
    host.last.close(1011, 'server error');
    expect(vi.getTimerCount()).toBe(0);
    await pass(200);
    expect(names()).toBe('opened closed');
    expect(story[1]![1]).toMatchObject({
      code: 1011,
      reason: 'server error',
      cause: { message: 'connectSocket:fail' },
    });
  });

  it('U29: a close without a code is 1005', async () => {
    const host = fakeHost(['code-missing']);
    const { story } = await open(host);
    host.last.close();
    expect(story[1]![1]).toMatchObject({ code: 1005, reason: '' });
  });

  it('U30: a task that was given up is silent, also when it comes back to life', async () => {
    const host = fakeHost(['revived-old-socket']);
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
    expect([client.status, messages, opens.length, closes.length]).toEqual(['open', [], 2, 1]);
  });

  it('U30: a task that goes on talking is told again to close, once a second at most', async () => {
    const host = fakeHost(['revived-old-socket']);
    const { socket, names } = await open(host);
    socket.terminate();
    for (let i = 0; i < 40; i++) {
      await pass(100);
      host.last.message(`tick ${i}`);
    }
    expect(names()).toBe('opened');
    expect(host.last.closes.length).toBe(5);
  });

  it.each([
    [1000, 'interrupted'],
    [0, 'interrupted'],
    [1000, 'CLOSE_NORMAL'],
    [1000, ''],
    [1000, 'normal closure'],
    [1001, 'Stream end encountered'],
    [1005, ''],
    [1006, 'abnormal closure'],
    [1006, 'interrupted'],
  ])('U32, U33, T47: %d "%s" that we did not ask for is a loss, and is dialled again', async (code, reason) => {
    const host = fakeHost();
    const { client, closes } = connect(host);
    await pass(20);
    host.last.close(code, reason);
    expect(closes).toMatchObject([{ code, reason, asked: false, willReconnect: true }]);
    await pass(3_000);
    expect([client.status, host.tasks.length]).toEqual(['open', 2]);
  });

  it.each([1000, 1001, 1002, 1003, 1005, 1006, 1007])('U33: code %d does not end a client', async (code) => {
    const host = fakeHost();
    const { client, closes } = connect(host);
    await pass(20);
    host.last.close(code, '');
    expect(closes).toMatchObject([{ willReconnect: true }]);
    expect(client.status).toBe('reconnecting');
  });

  it('U27, T47: an error and a close for each failed dial are one retry each', async () => {
    const host = fakeHost(['error-then-close']);
    const { closes } = connect(host, { reconnect: { jitter: 'none', initialDelay: 1_000, factor: 1 } });
    await pass(3_500);
    expect([closes.length, host.calls.length]).toEqual([4, 4]);
  });
});
