// One random life: a seed makes a client, a server, a network and a list of mishaps, and says which promises were broken.

import { createClient, type ClientOptions, type DropReason, type Hint, type SendResult } from '@holdfast/core';
import { createRandom, createWorld, type Reception, type WorldConnection } from '@holdfast/testing';

export interface Outcome {
  readonly operations: number;
  /** What was promised and not kept, in words; empty is good. */
  readonly violations: readonly string[];
}

/** One message that was sent, and what was told of it. */
interface Sent {
  readonly text: string;
  readonly result: SendResult;
  readonly isVolatile: boolean;
  readonly drops: DropReason[];
}

const OPERATIONS = 40;

export async function liveRandomly(seed: number, log?: (line: string) => void): Promise<Outcome> {
  const dice = createRandom(seed ^ 0x5f3759df);
  const chance = (p: number): boolean => dice() < p;
  const upTo = (n: number): number => Math.floor(dice() * n);
  const pick = <T>(...items: readonly T[]): T => items[upTo(items.length)]!;

  const violations: string[] = [];
  const promise = (isKept: boolean, words: string): void => {
    if (!isKept && violations.length < 10) violations.push(`${words} (at ${world.now} ms)`);
  };

  const world = createWorld({ seed, latency: pick(0, 1, 5, 80), rude: chance(0.5) });
  /** At least once: messages are held until they are proven. */
  const holds = chance(0.4);
  const isAllergic = holds && chance(0.3);
  let reception: Reception = { name: 'open' };
  // a listener that hears of `open` may find the next socket there already, so each is told by its protocol
  world.server.reception = (_request, id) =>
    reception.name === 'open' ? { name: 'open', protocol: String(id) } : reception;
  const sent = new Map<string, Sent>();
  const books = createBooks(promise);
  const options = optionsOf();
  const client = createClient('ws://world.test/', options);
  let numbers = 0;
  let isKind = false;
  const dropsAtSend: { readonly text: string; readonly reason: DropReason }[] = []; // told before send() has returned
  let lives = 1;
  let ends = 0;
  let flushes = 0;
  let operations = 0;
  if (isAllergic) world.server.onMessage = (link, data) => void (Number(String(data).slice(1)) % 11 || link.cut());
  listen();

  await world.run(0);
  for (; operations < OPERATIONS && violations.length === 0; operations++) {
    await mishap();
    inspect();
  }
  await becomeKind();
  return { operations, violations };

  // ---- the client

  function optionsOf(): ClientOptions {
    const interval = pick(100, 500, 3_000);
    return {
      adapter: world.adapter({ pingFrames: chance(0.4) }),
      autoConnect: chance(0.9),
      connectTimeout: pick(300, 10_000),
      closeTimeout: pick(50, 2_000),
      ...(holds ? { delivery: 'at-least-once' as const } : {}),
      heartbeat:
        !holds && chance(0.1)
          ? false
          : { interval, timeout: pick(50, 500), expectReply: pick<boolean | 'auto'>(true, false, 'auto') },
      reconnect: chance(0.05)
        ? false
        : {
            initialDelay: pick(0, 100, 2_500),
            stableAfter: pick(0, 200, 5_000),
            maxAttempts: pick(2, Infinity, Infinity),
            ...(chance(0.1)
              ? { shouldReconnect: () => pick<boolean | number | undefined>(true, false, 50, undefined) }
              : {}),
          },
      queue:
        !holds && chance(0.1)
          ? false
          : {
              maxMessages: pick(3, 10, 1_000),
              maxBytes: pick(20, 1_048_576),
              maxAge: pick(Infinity, Infinity, 400),
              overflow: chance(0.5) ? 'refuse' : 'drop-oldest',
              highWaterMark: pick(0, 10, 1_048_576),
            },
      ...(chance(0.3) ? { handshake: handshakeOf() } : {}),
      ...(chance(0.2) ? { protocols: () => (chance(0.1) ? Promise.reject(new Error('no token')) : []) } : {}),
    };
  }

  function handshakeOf(): NonNullable<ClientOptions['handshake']> {
    return async ({ send, next }) => {
      send('hello');
      if (chance(0.2)) throw new Error('handshake');
      if (chance(0.5)) await next();
    };
  }

  function listen(): void {
    client
      .on('open', ({ protocol }) => {
        promise(ends < lives, 'no open after the end');
        books.opened(world.server.connections[Number(protocol) - 1]!);
        interfere();
      })
      .on('message', (data) => books.messageTold(String(data)))
      .on('close', ({ opened, unconfirmed, willReconnect }) => {
        promise(ends < lives, 'no close after the end');
        if (opened) books.closed(unconfirmed);
        promise(!(willReconnect && client.status === 'idle'), 'a close that will reconnect leads somewhere');
        interfere();
      })
      .on('drop', ({ data, reason }) => {
        const message = sent.get(String(data));
        if (message) message.drops.push(reason);
        else dropsAtSend.push({ text: String(data), reason });
        interfere();
      })
      .on('status', interfere)
      .on('writable', interfere)
      .on('pong', (roundTrip) => {
        books.proven();
        promise(roundTrip >= 0, 'a round trip takes time');
        interfere();
      })
      .on('end', () => {
        ends++;
        promise(ends <= lives, 'end is told once per life');
        books.lifeOver();
      })
      .on('error', () => {}); // each of them has a test of its own
  }

  /** Listeners that do what they like. */
  function interfere(): void {
    if (isKind) return;
    if (chance(0.05)) send();
    if (chance(0.03)) reconnect();
    if (chance(0.02)) close();
    if (chance(0.03)) throw new Error('a listener that throws');
  }

  // ---- what can happen

  async function mishap(): Promise<void> {
    const { server } = world;
    const link = server.connections[server.connections.length - 1];
    const kind = upTo(22);
    log?.(`${world.now} ms, ${client.status}: mishap ${kind}`);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        for (let i = upTo(4); i >= 0; i--) send();
        return;
      case 3:
        return link?.send(`s${link.id}-${books.nextFromServer(link)}`);
      case 4:
        return link?.silence();
      case 5:
        return link?.release();
      case 6:
        return link?.cut();
      case 7:
        return link?.close(
          pick(1000, 1001, 1006, 1008, 1009, 1012, 1013, 4000, 4400, 4401, 4429),
          pick('', 'retry-after=0.2'),
        );
      case 8:
        reception = pick<Reception>(
          { name: 'open' },
          { name: 'refused' },
          { name: 'refused', status: pick(401, 404, 429, 503), retryAfter: 1 },
          { name: 'hanging' },
        );
        return;
      case 9:
        server.reply = pick('pong', 'pong', undefined);
        return;
      case 10:
        return world.sleep(pick(50, 1_500, 600_000), chance(0.5));
      case 11:
        return world.throttleTimers(pick(1, 1, 1_000, 60_000));
      case 12:
        return world.hint(pick<Hint>('online', 'offline', 'visible', 'suspend', 'resume', 'resume'));
      case 13:
        return reconnect();
      case 14:
        if (chance(0.7)) return;
        return close();
      case 15:
        return connect();
      case 16:
        return link?.stall(chance(0.5));
      case 17:
        return flush();
      case 18:
        return link?.ping();
      case 19:
        world.latency = pick(0, 5, 300);
        return;
      default:
        return world.run(pick(0, 1, 20, 150, 1_000, 7_000));
    }
  }

  function send(): void {
    const text = `m${++numbers}`;
    const isEnding = client.status === 'closing' || client.status === 'closed';
    const isVolatile = chance(0.1);
    const how = chance(0.8) ? {} : { maxAge: pick(50, 1_000), ifOpen: chance(0.5) };
    const result = client.send(text, { ...how, volatile: isVolatile });
    promise(!(isEnding && result !== false), 'send is refused from close() on');
    promise(!(client.status !== 'open' && result === 'sent'), 'nothing is sent unless open');
    promise(!(isVolatile && result === 'queued'), 'nothing volatile is queued');
    sent.set(text, { text, result, isVolatile, drops: [] });
  }

  function close(): void {
    const before = lives;
    void client.close(pick(1000, 3000, 4999), 'enough');
    const isClosing = client.status === 'closing' || client.status === 'closed';
    promise(isClosing || lives > before, 'close() closes, unless a listener begins anew');
  }

  function connect(): void {
    const begins = client.status === 'closed' || client.status === 'closing';
    if (begins) lives++;
    client.connect();
  }

  function reconnect(): void {
    if (client.status === 'closing') lives++;
    client.reconnect();
  }

  function flush(): void {
    flushes++;
    client.flush().then(
      () => flushes--,
      () => flushes--,
    );
  }

  // ---- what must always hold

  function inspect(): void {
    const live = world.server.connections.filter((connection) => connection.isLive);
    promise(live.length <= 1, 'at most one live socket');
    promise(world.timers <= 1, 'at most one timer');
    if (client.status === 'closed' || client.status === 'idle') {
      promise(live.length === 0, 'no socket once closed');
      promise(world.timers === 0 || client.status === 'idle', 'no timer once closed'); // what is queued may expire
      promise(client.queued === 0 || client.status === 'idle', 'nothing is queued once closed');
    }
    if (client.status === 'reconnecting' || client.status === 'connecting' || client.status === 'closing') {
      promise(world.timers === 1, `a state that waits has a timer: ${client.status}`);
    }
    if (holds) inspectHeld();
  }

  /** First in, first out: what is held are the last that were accepted and not dropped; those before them are proven. */
  function inspectHeld(): void {
    noteDrops();
    const accepted = [...sent.values()].filter((each) => each.result && !each.isVolatile && each.drops.length === 0);
    const { maxMessages, maxBytes } = options.queue as { maxMessages: number; maxBytes: number };
    const held = accepted.splice(accepted.length - client.queued);
    promise(held.length === client.queued && held.length <= maxMessages, 'no more messages are held than may be');
    promise(held.reduce((sum, { text }) => sum + text.length, 0) <= maxBytes, 'no more bytes are held than may be');
    const arrived = arrivals();
    promise(
      accepted.every(({ text }) => arrived.has(text)),
      'what is held no longer, and not dropped, has arrived',
    );
  }

  function arrivals(): ReadonlySet<string> {
    return new Set(world.server.connections.flatMap(({ received }) => received.map(String)));
  }

  function noteDrops(): void {
    for (const { text, reason } of dropsAtSend.splice(0)) sent.get(text)!.drops.push(reason);
  }

  /** Faults stop: the client must get back, and then end, and every message must have had its one fate. */
  async function becomeKind(): Promise<void> {
    if (violations.length > 0) return;
    isKind = true;
    world.throttleTimers(1);
    world.latency = 5;
    reception = { name: 'open' };
    world.server.reply = 'pong';
    world.server.onOpen = (connection) => connection.send('welcome');
    world.server.onMessage = undefined;
    for (const connection of world.server.connections) {
      connection.stall(false);
      connection.release();
    }
    world.hint('resume');
    await world.run(0);
    const patience = 4_000_000; // a server may ask for an hour
    try {
      await world.runUntil(() => {
        if (client.status === 'closed' || client.status === 'idle') connect();
        return client.status === 'open';
      }, patience);
    } catch {
      return promise(false, `a kind world sees the client open again, not ${client.status}`);
    }
    try {
      await world.runUntil(() => client.queued === 0, 120_000);
    } catch {
      return promise(false, `in a kind world everything is handed over and proven, and not ${client.queued} held`);
    }
    close();
    await world.run(40_000);
    inspect();
    promise(client.status === 'closed', 'close() ends in bounded time');
    promise(ends === lives, `one end for each life: ${ends} of ${lives}`);
    promise(flushes === 0, 'every flush is answered');
    checkFates();
  }

  function checkFates(): void {
    noteDrops();
    const times = new Map<string, number>();
    const perSocket = world.server.connections.map(({ handedOver }) => handedOver.map(String).filter(isMine));
    for (const text of perSocket.flat()) times.set(text, (times.get(text) ?? 0) + 1);
    const arrived = arrivals();
    for (const { text, result, isVolatile, drops } of sent.values()) {
      const count = times.get(text) ?? 0;
      const words = `${text} was ${String(result)}, dropped ${drops.join(' and ') || 'never'}, handed over ${count} times`;
      if (result === false) promise(drops.length === 1, `a refusal is told by drop: ${words}`);
      if (!holds || isVolatile) {
        promise(drops.length + count === 1, `one fate for each send: ${words}`);
        if (result === 'sent') promise(drops.length === 0, `what was sent is not dropped: ${words}`);
        continue;
      }
      promise(drops.length <= 1, `one fate for each send: ${words}`);
      promise(drops.length === 1 || arrived.has(text), `what was not dropped has arrived: ${words}`);
      const isInDoubt = drops[0] === 'unconfirmed' || drops[0] === 'poison';
      if (drops.length === 1) promise(isInDoubt === count > 0, `whether it may have arrived is told: ${words}`);
    }
    if (holds) perSocket.forEach(checkReplay);
    else checkOrder(perSocket.flat());
    books.checkUnconfirmed(sent, holds);
  }

  function isMine(text: string): boolean {
    return sent.has(text);
  }

  function checkOrder(texts: readonly string[]): void {
    const order = texts.filter((text) => !sent.get(text)!.isVolatile).map((text) => Number(text.slice(1)));
    promise(
      order.every((number, i) => i === 0 || order[i - 1]! < number),
      'messages are handed over in order',
    );
  }

  /** On one socket: in order, and nothing is left out between its first and its last but what was dropped. */
  function checkReplay(texts: readonly string[]): void {
    checkOrder(texts);
    const kept = texts.filter((text) => !sent.get(text)!.isVolatile);
    const has = new Set(kept);
    const [from, to] = [kept[0], kept[kept.length - 1]].map((text) => Number(text?.slice(1)));
    for (const { text, isVolatile, drops } of sent.values()) {
      const number = Number(text.slice(1));
      if (isVolatile || !(number > from! && number < to!) || drops.length > 0) continue;
      promise(has.has(text), `what is not proven goes out again first: ${text} was left out`);
    }
  }
}

/** What was told of each socket, held against what happened to it. */
function createBooks(promise: (isKept: boolean, words: string) => void) {
  let current: WorldConnection | undefined;
  let lastTold = 0;
  let proofs = 0;
  const fromServer = new Map<number, number>();
  const accounts: { connection: WorldConnection; unconfirmed: number | undefined; proofs: number }[] = [];

  return {
    opened(connection: WorldConnection) {
      promise(current === undefined, 'a socket closes before the next one opens');
      current = connection;
      lastTold = 0;
    },
    nextFromServer(connection: WorldConnection): number {
      const next = (fromServer.get(connection.id) ?? 0) + 1;
      fromServer.set(connection.id, next);
      return next;
    },
    messageTold(text: string) {
      promise(current !== undefined, 'messages are told between open and close');
      promise(text !== 'pong' || proofs >= 0, 'a reply that is owed reaches nobody');
      const match = /^s(\d+)-(\d+)$/.exec(text);
      if (!match || !current) return;
      promise(Number(match[1]) === current.id, 'no message from a socket that was left behind');
      promise(Number(match[2]) > lastTold, 'messages are told in order and once');
      lastTold = Number(match[2]);
    },
    proven() {
      proofs++;
    },
    closed(unconfirmed: number | undefined) {
      promise(current !== undefined, 'a socket that opened closes once');
      if (current) accounts.push({ connection: current, unconfirmed, proofs });
      current = undefined;
    },
    lifeOver() {
      promise(current === undefined, 'a socket is told closed before its life ends');
      proofs = 0;
    },
    /** Where messages are held, those that are dropped are no longer counted, and which are proven is known without it. */
    checkUnconfirmed(sent: ReadonlyMap<string, Sent>, holds: boolean) {
      for (const { connection, unconfirmed, proofs: had } of accounts) {
        const mine = connection.handedOver.map(String).filter((text) => sent.get(text)?.isVolatile === false);
        const arrived = new Set(connection.received.map(String));
        if (unconfirmed === undefined) {
          promise(had === 0, 'unconfirmed is unknown only where nothing was ever proven');
          continue;
        }
        promise(unconfirmed <= mine.length, 'no more are unconfirmed than were handed over');
        const proven = holds ? [] : mine.slice(0, mine.length - unconfirmed);
        promise(
          proven.every((text) => arrived.has(text)),
          `what is not told as unconfirmed has arrived: socket ${connection.id}, ${unconfirmed} of ${mine.length}`,
        );
      }
    },
  };
}
