// What becomes of a token that two processes hold, over the real half of a server?

import { expect, it } from 'vitest';
import { checkHistory } from './support/checker.ts';
import { createSessionWorld, type Climate, type ClientSetUp } from './support/session-world.ts';

const CLIMATE: Climate = {
  seed: 1,
  weather: { latency: () => 5, isSlow: false, isRude: false },
  storeWeather: { isRemote: true, latency: () => 2, fails: () => 'no', newsTimes: () => 1 },
  settings: {},
  effects: false,
  handlerTakes: () => undefined,
  handlerThrows: () => false,
  answers: () => false,
  admission: () => ({ principal: 'ada', takes: undefined }),
};

const SET_UP: ClientSetUp = {
  storage: true,
  options: { heartbeat: { interval: 500, timeout: 300 }, reconnect: { initialDelay: 50, maxDelay: 50 } },
  session: {},
};

const losses = ({ history }: ReturnType<typeof createSessionWorld>) =>
  history.flatMap((event) => (event.type === 'lost' ? [event] : []));

it('T30: two tabs give one number to two messages: the one that is left behind is told, however often it has dialled', async () => {
  const world = createSessionWorld(CLIMATE);
  const { timeline } = world;
  world.startNode();
  const tab = world.startClient('tab', SET_UP);
  await timeline.run(200);
  const copy = world.startClient('copy', SET_UP, tab);

  // the tab is in a lift: it writes message 1 of the session to a dead link, and then its resumes get lost
  tab.links.at(-1)!.break({ up: 0, down: 0 }, { client: 400, node: 400 });
  world.sendFromClient(tab, 0, false);
  tab.resumesLost = 3;
  await timeline.run(400);
  expect(copy.client.status).toBe('open');
  world.sendFromClient(copy, 0, false); // so is this
  await timeline.run(3_000);

  expect(losses(world)).toMatchObject([{ client: 'tab', reason: 'taken', inDoubt: [1], unsent: [] }]);
  expect([tab.client.status, copy.client.status]).toEqual(['open', 'open']);
  world.sendFromClient(tab, 0, false); // in a session of its own
  await timeline.run(4_000);
  const handled = world.history.flatMap((event) => (event.type === 'handling' ? [event.message] : []));
  expect(handled).toEqual([2, 3]);
  expect(checkHistory([...world.history, { type: 'settled', at: timeline.now, held: [] }]).violations).toEqual([]);
});

it('T30: a copy that does not know of a message in the hands of a handler gives its number to no other', async () => {
  const world = createSessionWorld({ ...CLIMATE, handlerTakes: () => 600, settings: { takeoverTimeout: 200 } });
  const { timeline } = world;
  world.startNode();
  const tab = world.startClient('tab', SET_UP);
  await timeline.run(200);
  const copy = world.startClient('copy', { ...SET_UP, options: { ...SET_UP.options, autoConnect: false } }, tab);
  world.sendFromClient(tab, 0, false); // its handler takes longer than anybody waits
  await timeline.run(220);
  copy.client.connect();
  await timeline.run(600);
  world.sendFromClient(copy, 0, false);
  await timeline.run(4_000);

  expect(losses(world).map(({ reason }) => reason)).toEqual(['regressed', 'regressed']);
  const numbers = world.history.flatMap((event) => (event.type === 'handling' ? [`${event.sid} ${event.seq}`] : []));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(checkHistory([...world.history, { type: 'settled', at: timeline.now, held: [] }]).violations).toEqual([]);
});

it('T30: a page that is loaded again and again, and never hears the answer, goes on with its session', async () => {
  const world = createSessionWorld(CLIMATE);
  const { timeline } = world;
  world.startNode();
  const page = world.startClient('page', SET_UP);
  await timeline.run(200);
  world.sendFromClient(page, 0, false);
  for (let i = 1; i <= 4; i++) {
    await timeline.run(200 + i * 100, () => page.links.at(-1)!.holder !== 0); // asked, and perhaps taken
    world.reload(page);
  }
  await timeline.run(2_000);
  expect(losses(world)).toEqual([]);
  expect(page.client.queued).toBe(0);
  const handled = world.history.flatMap((event) => (event.type === 'handling' ? [event.message] : []));
  expect(handled).toEqual([1]);
});
