// What does a node tell of sessions whose store is a Redis, where answers take their time and cross?
import { expect, onTestFinished, test, vi } from 'vitest';
import { END } from '@holdfast/session/wire';
import { redisStore } from '@holdfast/redis';
import type { SessionSettings } from '../../server/src/sessions/options.ts';
import { createWorld } from '../../server/test/sessions/world.ts';
import { startRedis } from './support/redis-server.ts';

async function nodeOnRedis(overrides: Partial<SessionSettings<string, string>> = {}) {
  const server = await startRedis();
  const store = redisStore({ url: server.url });
  onTestFinished(async () => {
    await store.close();
    await server.dispose();
  });
  const world = createWorld(() => store);
  const node = world.node(overrides);
  const socket = node.dial().open();
  await vi.waitFor(() => socket.ready);
  return { world, node, socket, session: node.session };
}

test('two ends at once tell what the client had not acknowledged', async () => {
  const { node, session } = await nodeOnRedis();
  await session.send('a');
  await Promise.all([session.end(), session.end()]);
  expect(node.told.map(({ name }) => name)).toEqual(['close', 'ended']);
  expect(node.told[1]!.value).toMatchObject({ reason: 'ended', undelivered: [{ seq: 1, data: 'a' }] });
});

test('so do the client’s end and the application’s', async () => {
  const { node, socket, session } = await nodeOnRedis();
  await session.send('a');
  socket.say(END);
  await session.end();
  await vi.waitFor(() => expect(node.told.map(({ name }) => name)).toEqual(['close', 'ended']));
  expect(node.told[1]!.value).toMatchObject({ reason: 'ended', undelivered: [{ seq: 1, data: 'a' }] });
});

test('whoever was refused just as the client made room hears of it', async () => {
  const { world, socket, session } = await nodeOnRedis({ maxMessages: 2 });
  const fill = async (text: string) => {
    await vi.waitFor(async () => expect(await session.send(text)).toBe(true));
    await vi.waitFor(() => expect(socket.messages.at(-1)).toContain(text));
  };
  await fill('known');
  socket.ack(1);
  await fill('a');
  await fill('b');
  let writables = 0;
  const refused = session.send('c').then((isStored) => {
    session.on('writable', () => writables++);
    return !isStored;
  });
  socket.ack(3);
  expect(await refused).toBe(true);
  await vi.waitFor(async () => {
    await world.time.pass(1);
    expect(writables).toBeGreaterThan(0);
  });
});
