import { expect, it } from 'vitest';
import { newClient, newWorld } from './support/worlds.ts';

it('T49: a component that mounts twice shares its client: one socket, the same queue, each listener once', async () => {
  const world = newWorld();
  const { client } = newClient(world, { autoConnect: false }); // held outside of the component
  const seen: unknown[] = [];
  const hear = (data: unknown): void => void seen.push(data);
  const mount = (): (() => void) => {
    client.on('message', hear).connect();
    return () => void client.off('message', hear);
  };

  const unmount = mount();
  expect(client.send('from the first mount')).toBe('queued');
  unmount(); // as Strict Mode and hot reloading have it, all in one turn
  mount();
  client.send('from the second');
  await world.run(100);
  world.server.last.send('once');
  await world.run(100);

  expect(world.server.connections.length).toBe(1);
  expect(world.server.last.received).toEqual(['from the first mount', 'from the second']);
  expect(seen).toEqual(['once']);
});

it('T49: a component that closes as it unmounts leaves one socket of two mounts, and tells what it dropped', async () => {
  const world = newWorld();
  const { client } = newClient(world, { autoConnect: false });
  const dropped: unknown[] = [];
  client.on('drop', ({ data, reason }) => dropped.push([data, reason]));

  client.connect();
  client.send('from the first mount');
  void client.close();
  client.connect();
  client.send('from the second');
  await world.run(20_000);

  expect(world.server.connections.filter(({ isLive }) => isLive).length).toBe(1);
  expect(world.server.last.received).toEqual(['from the second']);
  expect(dropped).toEqual([['from the first mount', 'closed']]);
});
