// Is a message the same on every host, and is each told what became of it?

import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { connect, dial, fakeHost, goneInTheCall, open, pass, replyToPings } from './support/stage.ts';
import type { FakeTaskMode } from '@holdfast/testing';

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;

describe('what arrives', () => {
  it('U14: Alipay wraps each event once more, and has binary as base64, both ways', async () => {
    const host = fakeHost(['alipay-envelope']);
    const { socket, story } = await open(host);
    host.last.message('text');
    host.last.message(bytes(0, 1, 254, 255));
    host.last.message(bytes());
    socket.send(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    socket.send('text');
    host.last.close(4000, 'a reason that is not told');
    expect(story.slice(1)).toEqual([
      ['message', 'text'],
      ['message', Uint8Array.of(0, 1, 254, 255)],
      ['message', new Uint8Array(0)],
      ['closed', { code: 1005, reason: '', wasClean: true, cause: undefined }],
    ]);
    expect(host.last.sent).toEqual(['AgM=', 'text']);
  });

  it('T14: a greeting that the host tells before the opening is told after it, and in order', async () => {
    const host = fakeHost(['late-open']);
    const { story } = dial(host);
    await pass(10);
    host.last.message('first');
    host.last.message(bytes(1));
    expect(story).toEqual([]);
    host.last.open();
    host.last.message('second');
    expect(story).toEqual([
      ['opened', ''],
      ['message', 'first'],
      ['message', Uint8Array.of(1)],
      ['message', 'second'],
    ]);
  });

  it('U14: a string is never taken apart, whatever is written in it', async () => {
    const host = fakeHost();
    const { story } = await open(host);
    const text = '{"data":{"data":"AgM=","isBuffer":true}}';
    host.last.message(text);
    host.last.message('');
    expect(story.slice(1)).toEqual([
      ['message', text],
      ['message', ''],
    ]);
  });

  it('U15: binary is a Uint8Array over exactly its bytes, also of a view and of another realm', async () => {
    const host = fakeHost();
    const { story } = await open(host);
    host.last.message(runInNewContext('Uint8Array.of(1, 2).buffer') as ArrayBuffer);
    host.last.message(Uint8Array.of(0, 1, 2, 3).subarray(1, 3) as never);
    for (const [, data] of story.slice(1)) {
      expect(data).toEqual(Uint8Array.of(1, 2));
      expect((data as Uint8Array).buffer.byteLength).toBe(2);
      expect(data).toBeInstanceOf(Uint8Array);
    }
    expect(story.length).toBe(3);
  });

  it('a message that is neither text nor binary ends the socket, and is not lost in silence', async () => {
    const host = fakeHost();
    const { names, story } = await open(host);
    host.last.message(42 as never);
    expect(names()).toBe('opened closed');
    expect(String((story[1]![1] as { cause: Error }).cause)).toMatch(/neither text nor binary/);
  });

  it('U16: a listener that throws harms no other, no state and no socket', async () => {
    const host = fakeHost();
    const { client, messages, errors } = connect(host);
    client.on('open', () => {
      throw new Error('from open');
    });
    client.on('message', () => {
      throw new Error('from message');
    });
    const later: unknown[] = [];
    client.on('message', (data) => later.push(data));
    await pass(20);
    host.last.message('one');
    host.last.message('two');
    await pass(20);
    expect([messages, later, client.status]).toEqual([['one', 'two'], ['one', 'two'], 'open']);
    expect(errors.map(({ code }) => code)).toEqual(['LISTENER_THREW', 'LISTENER_THREW', 'LISTENER_THREW']);
  });
});

describe('what is sent', () => {
  it('U17: nothing is handed to a task that is not open', async () => {
    const host = fakeHost(['late-open']);
    const { socket } = dial(host);
    await pass(20);
    socket.send('early');
    host.last.open();
    socket.close(1000, '');
    socket.send('late');
    await pass(200);
    expect(host.last.sent).toEqual([]);
  });

  it('U17: a client that is not open queues, or refuses and says so once', async () => {
    const host = fakeHost(['late-open']);
    const { client, drops } = connect(host);
    await pass(20);
    expect([client.send('queued'), client.send('now or never', { ifOpen: true })]).toEqual(['queued', false]);
    expect(drops).toMatchObject([{ data: 'now or never', reason: 'not-open' }]);
    host.last.open();
    expect(host.last.sent).toEqual(['queued']);
  });

  it.each<[FakeTaskMode, false | 'sent']>([
    ['fail-then-success-send', false],
    ['double-fail-send', 'sent'], // the host says that it has no socket any more
  ])('U18: a message that fails at once is refused once, though the host says more (%s)', async (mode, result) => {
    const host = fakeHost([mode]);
    const { client, drops } = connect(host, { heartbeat: false });
    await pass(20);
    expect(client.send('one')).toBe(result);
    await pass(120);
    expect(drops).toMatchObject([{ data: 'one', reason: 'rejected' }]);
    expect(String(drops[0]!.cause)).toMatch(/sendSocketMessage:fail/);
  });

  it('U18: a verdict that comes late is told once, with the bytes as they were sent', async () => {
    const host = fakeHost();
    const { client, drops } = connect(host, { heartbeat: false });
    await pass(20);
    host.last.failSends('sendSocketMessage:fail interrupted');
    const data = Uint8Array.of(1, 2, 3);
    expect(client.send(data)).toBe('sent');
    data.fill(9);
    await pass(20);
    expect(drops).toMatchObject([{ data: Uint8Array.of(1, 2, 3), reason: 'rejected' }]);
    expect(client.status).toBe('open');
  });

  it('U18: a host that says nothing of a message leaves nothing behind', async () => {
    const host = fakeHost(['no-complete-send']);
    const { client, drops } = connect(host, { heartbeat: false });
    await pass(20);
    expect([client.send('one'), client.send('')]).toEqual(['sent', 'sent']);
    await pass(1_000);
    expect([host.last.sent, drops, vi.getTimerCount()]).toEqual([['one', ''], [], 0]);
  });

  it('U19: a view is sent as a copy of exactly its bytes', async () => {
    const host = fakeHost();
    const { socket } = await open(host);
    const whole = Uint8Array.of(1, 2, 3, 4);
    socket.send(whole.subarray(1, 3));
    whole.fill(9);
    const [sent] = host.last.sent;
    expect(Object.prototype.toString.call(sent)).toBe('[object ArrayBuffer]');
    expect(new Uint8Array(sent as ArrayBuffer)).toEqual(Uint8Array.of(2, 3));
  });

  it.each([42, {}, null, undefined])('U20: %j is refused before a host can make something of it', async (data) => {
    const host = fakeHost();
    const { client } = connect(host);
    await pass(20);
    expect(() => client.send(data as never)).toThrow(/INVALID_DATA/);
    expect(host.last.sent).toEqual([]);
  });

  it('U21, T47: that a host takes messages is no sign of life', async () => {
    const host = fakeHost();
    replyToPings(host);
    const { client, closes } = connect(host, { heartbeat: { interval: 1_000, timeout: 500 } });
    await pass(2_500); // it has replied before
    host.onMessage = undefined;
    client.send('into the void');
    await pass(1_600);
    expect(closes).toMatchObject([{ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' }, willReconnect: true }]);
    expect(host.tasks[0]!.closes.length).toBe(1);
  });

  it.each(['sendSocketMessage:fail taskID not exist', 'sendSocketMessage:fail WebSocket is not connected'])(
    'U22: a task of which the host says "%s" is lost',
    async (errMsg) => {
      const host = fakeHost();
      const { client, closes, drops } = connect(host, { heartbeat: false });
      await pass(20);
      host.last.failSends(errMsg);
      client.send('one');
      client.send('two');
      await pass(150);
      expect(closes).toMatchObject([{ code: 1006, willReconnect: true, cause: { message: errMsg } }]);
      expect(drops.length).toBe(2);
    },
  );

  it('U22: a task that is gone says nothing of messages: at least once, all that waits goes out on the next', async () => {
    const host = fakeHost();
    replyToPings(host);
    const { client, drops } = connect(host, { delivery: 'at-least-once' });
    const texts = Array.from({ length: 100 }, (_, i) => `m${i}`);
    for (const text of texts) client.send(text);
    await pass(2);
    goneInTheCall(host);
    await pass(5_000);
    expect(host.tasks.length).toBe(2);
    expect(drops).toEqual([]);
    expect(host.last.sent.filter((data) => data !== 'ping')).toEqual(texts);
  });

  it('U22: the close that was on its way meanwhile has the last word', async () => {
    const host = fakeHost();
    const { client, closes } = connect(host, { heartbeat: false });
    await pass(20);
    host.last.failSends('sendSocketMessage:fail taskID not exist');
    client.send('one');
    await pass(50);
    host.last.close(4401, 'token expired');
    await pass(150);
    expect(closes).toMatchObject([{ code: 4401, reason: 'token expired' }]);
  });
});
