// One random life: a seed makes clients, nodes, a store and a list of mishaps, and says which promises were broken.

import { createRandom } from '../../../testing/src/random.ts';
import { waiting } from '../../../server/src/sessions/memory-state.ts';
import { checkHistory, type HistoryEvent, type Verdict } from './checker.ts';
import {
  createSessionWorld,
  type ClientInWorld,
  type ClientSetUp,
  type Climate,
  type NodeInWorld,
} from './session-world.ts';

export interface Outcome extends Verdict {
  readonly history: readonly HistoryEvent[];
}

/** What may happen in a life: weights, by name. */
type Mishap =
  | 'client sends'
  | 'server sends'
  | 'time passes'
  | 'a link breaks'
  | 'a node crashes'
  | 'a node pauses'
  | 'a node starts'
  | 'a node leaves'
  | 'the store rolls back'
  | 'the store fails'
  | 'a page is loaded again'
  | 'a tab is duplicated'
  | 'a client closes'
  | 'a client redials'
  | 'the application ends a session'
  | 'credentials change'
  | 'all links break'
  | 'a message gets lost'
  | 'nonsense arrives'
  | 'a stranger comes';

/** Frames that break the protocol wherever they arrive. */
const NONSENSE: readonly (string | Uint8Array)[] = [
  'azzzzz',
  'dzzzz.0:x',
  'x',
  'a',
  'E1',
  'Y{}',
  new Uint8Array([0x64, 0, 0]),
];

const MISHAPS = 45;
/** Everything has to have arrived so long after the last mishap. */
const PATIENCE = 30_000;
const CLOSING = 10_000;

export async function liveRandomly(seed: number, log?: (line: string) => void): Promise<Outcome> {
  const dice = createRandom(seed ^ 0x5f3759df);
  const chance = (p: number): boolean => dice() < p;
  const upTo = (n: number): number => Math.floor(dice() * n);
  const pick = <T>(...items: readonly T[]): T => items[upTo(items.length)]!;

  let isQuiet = false;
  let storeIsAway = false;
  let nextName = 0;
  const principals = new Map<string, string>();
  let refusing: string | undefined;

  // ---- what kind of world it is
  const isRemote = chance(0.6);
  const hasCopies = chance(0.12);
  // of two holders and a store that forgets, nobody can say who was right
  const hasRollbacks = !hasCopies && chance(0.15);
  const hasStoreErrors = chance(0.2);
  const hasPlainServers = chance(0.1);
  const hasShortLives = chance(0.12);
  const hasLimits = !hasCopies && chance(0.08);
  const endsSessions = chance(0.15);
  const changesCredentials = chance(0.08);
  const isHostile = chance(0.15);
  const burst = chance(0.05) ? 80 : 5;
  const handlers = burst > 5 ? 'at once' : pick('at once', 'at once', 'soon', 'soon', 'slow');
  const [lag, jitter] = [pick(1, 5, 30), pick(1, 10, 10, 300, 1_200)];
  const storeLag = pick(1, 4, 25);
  const dropsNews = chance(0.3);
  const ttl = hasShortLives ? pick(400, 1_500) : 60_000;

  const climate: Climate = {
    seed,
    weather: {
      latency: () => (isQuiet ? lag : lag + dice() ** 3 * jitter),
      isSlow: chance(0.2),
      isRude: chance(0.5),
    },
    storeWeather: {
      isRemote,
      latency: () => storeLag * (0.5 + dice()),
      fails: () => (storeIsAway && chance(0.3) ? pick('before', 'after') : 'no'),
      newsTimes: () => (dropsNews && !isQuiet ? pick(0, 1, 1, 2) : 1),
    },
    settings: {
      ttl,
      heartbeat: pick(300, 1_000),
      readyTimeout: 2_000,
      maxMessage: 1_000,
      maxMessages: pick(4, 20, 1_000, 1_000),
      maxBytes: burst > 5 ? 1_048_576 : pick(400, 1_048_576, 1_048_576),
      takeoverTimeout: pick(300, 1_000, 5_000),
      maxSessionsPerPrincipal: hasLimits ? 1 : 100,
      highWaterMark: burst > 5 ? 262_144 : pick(500, 262_144),
    },
    effects: burst === 5 && chance(0.3),
    handlerTakes: () => (handlers === 'at once' ? undefined : duration(handlers === 'slow' && !isQuiet)),
    handlerThrows: () => chance(0.02),
    answers: () => !isQuiet && chance(0.05),
    admission: (client) => ({
      principal: refusing === client && !isQuiet ? false : (principals.get(client) ?? client),
      takes: chance(0.7) ? undefined : dice() * 40,
    }),
  };
  const world = createSessionWorld(climate, log);
  const { timeline, note } = world;
  const run = (ms: number): Promise<void> => timeline.run(timeline.now + ms);

  if (hasLimits) note({ type: 'crowded' });
  if (hasPlainServers) {
    note({ type: 'plain-servers' });
    world.plain = pick('echo', 'ignore', 'refuse');
  }
  for (let i = pick(1, 2, 3); i > 0; i--) world.startNode();
  for (let i = hasLimits ? 3 : pick(1, 1, 1, 2, 3); i > 0; i--) newClient();

  const weights: Record<Mishap, number> = {
    'client sends': 8,
    'server sends': 8,
    'time passes': 14,
    'a link breaks': 5,
    'a node crashes': 1.5,
    'a node pauses': 1.5,
    'a node starts': 1,
    'a node leaves': 1,
    'the store rolls back': hasRollbacks ? 1.5 : 0,
    'the store fails': hasStoreErrors ? 1.5 : 0,
    'a page is loaded again': 0.7,
    'a tab is duplicated': hasCopies ? 1.5 : 0,
    'a client closes': 0.2,
    'a client redials': 0.7,
    'the application ends a session': endsSessions ? 0.7 : 0,
    'credentials change': changesCredentials ? 0.7 : 0,
    'all links break': 0.7,
    'a message gets lost': isHostile ? 1.5 : 0,
    'nonsense arrives': isHostile ? 1.5 : 0,
    'a stranger comes': isHostile ? 1 : 0,
  };
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);

  await run(pick(0, 30, 500));
  for (let i = 0; i < MISHAPS; i++) {
    await happen(drawn());
    keepsBounds();
  }
  await becomeQuiet();
  return { ...checkHistory(world.history), history: world.history };

  // ---- who there is

  function newClient(from?: ClientInWorld): ClientInWorld {
    const name = `${from ? from.name[0] : 'abcdefghij'[nextName++]}${from ? nextName++ : ''}`;
    principals.set(name, from ? principals.get(from.name)! : hasLimits ? 'all' : name);
    return world.startClient(name, from ? world.setUpOf(from) : setUpOf(), from);
  }

  function setUpOf(): ClientSetUp {
    return {
      storage: hasCopies || chance(0.4),
      options: {
        // with less a client gives up while its takeover waits, each time
        connectTimeout: climate.settings.takeoverTimeout! + pick(1_000, 4_000),
        closeTimeout: 5_000,
        heartbeat: { interval: pick(200, 800), timeout: pick(200, 600, 2_000) },
        reconnect: { initialDelay: pick(0, 30, 300), maxDelay: 1_000, stableAfter: pick(0, 500) },
        queue: {
          maxMessages: pick(3, 20, 1_000),
          maxBytes: pick(300, 1_048_576, 1_048_576),
          maxAge: pick(Infinity, Infinity, Infinity, 500),
          overflow: chance(0.8) ? 'refuse' : 'drop-oldest',
          highWaterMark: pick(60, 1_048_576),
        },
      },
      session: {
        mode: hasPlainServers ? 'prefer' : 'require',
        helloTimeout: hasPlainServers ? 150 : 1_500,
        negotiate: chance(0.2) ? 'query' : 'subprotocol',
        carryUnsent: chance(0.3),
      },
    };
  }

  function living(): readonly ClientInWorld[] {
    return world.clients.filter(({ client }) => client.status !== 'closed' && client.status !== 'closing');
  }

  function serving(): readonly NodeInWorld[] {
    return world.nodes.filter(({ state }) => state === 'serving');
  }

  function duration(isSlow: boolean): number | undefined {
    if (isSlow && chance(0.1)) return dice() * 1_500;
    return chance(0.3) ? undefined : dice() * 20;
  }

  // ---- what happens

  function drawn(): Mishap {
    let left = dice() * total;
    for (const [mishap, weight] of Object.entries(weights)) if ((left -= weight) < 0) return mishap as Mishap;
    return 'time passes';
  }

  async function happen(mishap: Mishap): Promise<void> {
    log?.(`${timeline.now.toFixed(1)} -- ${mishap}`);
    const clients = living();
    const who = clients[upTo(clients.length)];
    const node = world.nodes[upTo(world.nodes.length)];
    switch (mishap) {
      case 'client sends':
        for (let i = upTo(burst); i >= 0 && who; i--) {
          if (chance(0.1)) who.client.send('v', { volatile: true });
          world.sendFromClient(who, pick(0, 0, 50, 400), chance(0.2));
        }
        return timeline.run(timeline.now);
      case 'server sends':
        if (node) serverSends(node, who, upTo(burst) + 1);
        return timeline.run(timeline.now);
      case 'time passes':
        return run(pick(1, 20, 100, 400, hasShortLives ? 2_500 : 900));
      case 'a link breaks': {
        const live = world.links.filter((link) => link.isLive);
        const link = live[upTo(live.length)];
        link?.break(
          { up: pick(0, 0, 300, 3_000) * dice(), down: pick(0, 0, 300, 3_000) * dice() },
          { client: pick(0, 0, 200, 3_000, Infinity), node: pick(0, 200, 3_000, 8_000) },
        );
        return;
      }
      case 'a node crashes':
        if (node) world.crash(node, chance(0.3));
        return;
      case 'a node pauses':
        if (node) node.process.pausedUntil = timeline.now + dice() * 3_000;
        return;
      case 'a node starts':
        if (world.nodes.length < 3) world.startNode();
        return;
      case 'a node leaves':
        if (node?.state === 'serving') world.leave(node, pick(100, 2_000));
        return;
      case 'the store rolls back': {
        const then = world.store.copy();
        if (chance(0.5)) {
          // under living leases: what comes next may get the numbers of what was forgotten, and more than those
          if (node && who) serverSends(node, who, upTo(3));
          await run(20 + dice() * 580);
          world.rollBack(then);
          if (node && who) serverSends(node, who, upTo(5));
          return;
        }
        // a failover: what was just delivered is forgotten, and others get its numbers before anybody is back
        if (node && who) serverSends(node, who, 3);
        await run(pick(100, 400));
        breakAll(0);
        world.rollBack(then);
        if (node && who) serverSends(node, who, 6);
        return;
      }
      case 'the store fails':
        storeIsAway = true;
        await run(pick(20, 300));
        storeIsAway = false;
        return;
      case 'a page is loaded again':
        if (!who) return;
        world.reload(who);
        if (world.clients.length === 0) newClient();
        return;
      case 'a tab is duplicated':
        if (who && world.clients.length < 4) await haveTwoHolders(who, newClient(who));
        return;
      case 'a client closes':
        if (!who) return;
        note({ type: 'closing', client: who.name });
        void who.client.close();
        newClient();
        return;
      case 'a client redials':
        who?.client.reconnect();
        return;
      case 'the application ends a session':
        if (node && who?.sid !== undefined) world.endSession(node, who.sid);
        return;
      case 'credentials change':
        if (!who) return;
        note({ type: 'unauthorized', client: who.name });
        if (chance(0.5)) principals.set(who.name, `${who.name}${timeline.now}`);
        else refusing = refusing === undefined ? who.name : undefined;
        return;
      case 'a message gets lost':
      case 'nonsense arrives': {
        const link = who?.links.at(-1);
        if (!who || !link?.isLive) return;
        const way = pick('up', 'down');
        const few = (): void => {
          for (let i = 3; i > 0; i--) world.sendFromClient(who, 0, false);
        };
        few();
        const { [way]: last } = link.last;
        if (chance(0.4) && last !== undefined) return link.inject(way, last); // once more, which either end bears
        note({ type: 'corrupted', client: who.name });
        if (mishap === 'nonsense arrives') return link.inject(way, NONSENSE[upTo(NONSENSE.length)]!);
        link.loses = way;
        few();
        // a socket that has lost one does not last: nothing tells of the last message but the next
        timeline.at(timeline.now + dice() * 2_000, link.client, () =>
          link.break({ up: 0, down: 0 }, { client: 0, node: 0 }),
        );
        return;
      }
      case 'a stranger comes':
        if (who?.sid !== undefined) world.intrude(who, chance(0.5));
        return;
      case 'all links break':
        breakAll(500);
    }
  }

  /** Often the one from before is in a lift meanwhile, and sends what the other may send too; and dials more often. */
  async function haveTwoHolders(before: ClientInWorld, copy: ClientInWorld): Promise<void> {
    if (chance(0.3)) return;
    await timeline.run(timeline.now); // the copy has read what is kept
    before.links.at(-1)?.break({ up: 0, down: 0 }, { client: pick(100, 1_000), node: pick(0, 1_000) });
    before.resumesLost = upTo(4);
    for (const who of [before, copy]) {
      for (let i = upTo(4); i > 0; i--) world.sendFromClient(who, 0, false);
    }
  }

  function serverSends(node: NodeInWorld, who: ClientInWorld | undefined, times: number): void {
    for (let i = times; i > 0; i--) {
      const sid = (chance(0.9) ? who?.sid : undefined) ?? world.sids[upTo(world.sids.length)];
      if (sid === undefined) return;
      if (chance(0.1))
        node.half
          .get(sid)
          ?.send('v', { volatile: true })
          .catch(() => {});
      world.sendFromServer(node, sid, pick(0, 0, 80, 400), chance(0.2));
    }
  }

  function breakAll(lateBy: number): void {
    for (const link of world.links) {
      if (link.isLive) link.break({ up: dice() * lateBy, down: dice() * lateBy }, { client: 0, node: 500 });
    }
  }

  // ---- what must always hold, beside what the history tells

  function keepsBounds(): void {
    for (const { name, client, bounds } of world.clients) {
      if (client.queued > bounds.maxMessages) {
        note({ type: 'level', whose: name, level: client.queued, bound: bounds.maxMessages });
      }
    }
  }

  /** Nothing goes wrong any more: everything has to arrive, and nothing has to be left at the end. */
  async function becomeQuiet(): Promise<void> {
    isQuiet = true;
    world.endPlain();
    for (let i = serving().length; i < 1; i++) world.startNode();
    await run(1);
    note({ type: 'quiet' });
    await timeline.run(timeline.now + PATIENCE, hasArrived);
    for (const { name, client, sid } of living()) {
      if (hasLimits) continue;
      if (client.status !== 'open' || client.queued > 0) {
        note({ type: 'breach', rule: 'L1', words: `${name} is ${client.status} and holds ${client.queued}` });
      }
      if (sid !== undefined && world.store.state.sessions.has(sid)) note({ type: 'stands', client: name, sid });
    }
    for (const { name, client } of living()) {
      note({ type: 'closing', client: name });
      void client.close();
    }
    await timeline.run(timeline.now + CLOSING, () => world.clients.every(({ client }) => client.status === 'closed'));
    for (const { name, client } of world.clients) {
      if (client.status !== 'closed') note({ type: 'breach', rule: 'L1', words: `${name} is still ${client.status}` });
    }
    note({ type: 'settled', held: [] });
    if (hasShortLives) await leaveNothing();
  }

  function hasArrived(): boolean {
    const clients = living();
    const sids = new Set(clients.map(({ sid }) => sid));
    if (sids.size < clients.length) return false; // two hold the same session, and one of them has not noticed
    return clients.every(({ client, sid }) => {
      if (client.status !== 'open') return false;
      const stored = sid === undefined ? undefined : world.store.state.sessions.get(sid);
      return client.queued === 0 && stored !== undefined && waiting(stored) === 0;
    });
  }

  async function leaveNothing(): Promise<void> {
    await run(20 * ttl + 10_000);
    const left = world.sids.filter((sid) => world.nodes.some(({ half }) => half.get(sid) !== undefined));
    if (left.length > 0) note({ type: 'breach', rule: 'I13', words: `nodes still know ${left.join(' ')}` });
    if (timeline.planned > 0) note({ type: 'breach', rule: 'I13', words: `${timeline.planned} timers are left` });
  }
}
