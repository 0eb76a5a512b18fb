// Does a session hold on a host of mini-programs, which hides the app, cuts its network, and tells things out of order?

import { hostStorage, session } from '@holdfast/session';
import { decodeFromClient, encodeHello, encodeMessage, encodePong, encodeReady } from '@holdfast/session/wire';
import { viewOf } from '@holdfast/core';
import { expect, it, vi } from 'vitest';
import type { FakeHost, FakeTask } from '@holdfast/testing';
import { connect, fakeHost, goneInTheCall, pass } from './support/stage.ts';

const HELLO = encodeHello({ ttl: 120_000, maxMessage: 65_536, heartbeat: 30_000, window: 1_048_576 });

/** A server that keeps one session, and commits what it gets. */
function serve(host: FakeHost) {
  const handled: unknown[] = [];
  let stored = 0;
  host.onMessage = (task, data) => {
    const frame = decodeFromClient(typeof data === 'string' ? data : viewOf(data)!);
    if (frame.type === 'open') task.message(encodeReady({ sid: 's', token: 't', received: 0, stored: 0 }));
    if (frame.type === 'resume') {
      task.message(encodeReady({ sid: frame.sid, token: undefined, received: handled.length, stored }));
    }
    if (frame.type === 'message' && frame.seq === handled.length + 1) handled.push(frame.data);
    if (frame.type === 'ping') task.message(encodePong(handled.length));
  };
  const say = (task: FakeTask, text: string): void => task.message(encodeMessage(++stored, 7, text) as string);
  return { handled, say };
}

it('U35: hidden, cut off and shown again, with the greeting told before the opening: nothing is lost, nothing twice', async () => {
  const host = fakeHost(['late-open']);
  const items = new Map<string, unknown>();
  const storage = hostStorage({
    getStorageSync: (key) => items.get(key) ?? '',
    setStorageSync: (key, text) => void items.set(key, text),
    removeStorageSync: (key) => void items.delete(key),
  });
  const { handled, say } = serve(host);
  vi.stubGlobal('wx', host.api);
  const { client } = connect(host, { session: session({ storage }) });
  const told: unknown[] = [];
  client.on('message', (data) => told.push(data)).on('session', ({ resumed }) => told.push(resumed));

  async function open(): Promise<FakeTask> {
    await pass(10);
    const task = host.last;
    task.message(HELLO);
    task.open();
    await pass(10);
    return task;
  }

  client.send('a');
  const first = await open();
  client.send(Uint8Array.of(1, 2));
  say(first, 'hello');
  host.hide();
  first.close(1000, 'interrupted');
  await pass(300_000);
  client.send('while hidden');
  expect(client.status).toBe('suspended');
  host.show();
  const second = await open();
  say(second, 'again');
  await pass(100);

  expect(told).toEqual([false, 'hello', true, 'again']);
  expect(handled).toEqual(['a', Uint8Array.of(1, 2), 'while hidden']);
  expect(client.queued).toBeLessThanOrEqual(3);
  void client.close();
  await pass(5_000);
  expect(items.size).toBe(0);
});

it('U22: a task that is gone takes nothing with it: what waits goes out on the next', async () => {
  const host = fakeHost();
  const { handled } = serve(host);
  const { client, drops } = connect(host, { session: session() });
  for (const text of ['a', 'b', 'c']) client.send(text);
  await pass(10);
  const answer = host.onMessage!;
  host.onMessage = (task, data) => {
    host.onMessage = answer;
    answer(task, data);
    goneInTheCall(host); // just after the ready
  };
  host.last.message(HELLO);
  await pass(3_000);
  expect(host.tasks.length).toBe(2);
  host.last.message(HELLO);
  await pass(2_000);
  expect([drops, handled]).toEqual([[], ['a', 'b', 'c']]);
});

it('U22: the close that was on its way when the host says that the task is gone has the last word', async () => {
  const host = fakeHost();
  serve(host);
  const { client, closes } = connect(host, { session: session() });
  await pass(10);
  host.last.message(HELLO);
  await pass(10);
  host.last.failSends('sendSocketMessage:fail taskID not exist');
  client.send('one');
  await pass(50);
  host.tasks[0]!.close(4401, 'token expired');
  await pass(150);
  expect(closes).toMatchObject([{ code: 4401, reason: 'token expired' }]);
});
