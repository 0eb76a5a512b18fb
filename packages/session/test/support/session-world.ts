// What is a world of clients, nodes and a store, in which the real code of both halves lives?
//
// It makes things and breaks them, and writes down what happens. What happens when is the life's business.

import {
  createClient,
  type Adapter,
  type Client,
  type ClientOptions,
  type Data,
  type SocketRequest,
} from '@holdfast/core';
import { createRandom } from '../../../testing/src/random.ts';
import { session, storedBy, type SessionOptions } from '../../src/index.ts';
import { SUBPROTOCOL } from '../../src/wire.ts';
import { createSessionHalf, type SessionHalf } from '../../../server/src/sessions/half.ts';
import { SESSION_DEFAULTS, type SessionSettings } from '../../../server/src/sessions/options.ts';
import type { SessionMessage } from '../../../server/src/sessions/session.ts';
import type { MemoryState } from '../../../server/src/sessions/memory-state.ts';
import {
  createFaultyStore,
  type FaultyStore,
  type Omit2,
  type StoreWeather,
  type Transaction,
} from './faulty-store.ts';
import { Link, type LinkWorld, type Weather } from './network.ts';
import { createTimeline, type Process, type Timeline } from './timeline.ts';
import type { HistoryEvent } from './history.ts';

/** What differs from world to world, and, where it is a function, from moment to moment. */
export interface Climate {
  readonly seed: number;
  readonly weather: Weather;
  readonly storeWeather: StoreWeather;
  readonly settings: Partial<typeof SESSION_DEFAULTS> & {
    readonly highWaterMark?: number;
    readonly heartbeat?: number;
  };
  /** The application's effects are part of the commit. */
  readonly effects: boolean;
  /** Milliseconds that a handler takes; `undefined` returns at once. */
  handlerTakes(): number | undefined;
  handlerThrows(): boolean;
  /** A handler answers with a message of its own. */
  answers(): boolean;
  /** What `authorize` says, and after how long. */
  admission(client: string): { readonly principal: string | false; readonly takes: number | undefined };
}

export interface NodeInWorld {
  readonly process: Process;
  readonly half: SessionHalf<undefined, string>;
  state: 'serving' | 'leaving';
  /** Handlers that are running. */
  running: number;
}

export interface ClientInWorld {
  readonly name: string;
  readonly storage: { text: string | null } | undefined;
  process: Process;
  client: Client;
  /** What the application was told of its session. */
  sid: string | undefined;
  links: Link[];
  /** So many of its next resumes get lost, with their sockets. */
  resumesLost: number;
  readonly bounds: { readonly maxMessages: number };
}

export interface ClientSetUp {
  readonly storage: boolean;
  readonly options: Omit<ClientOptions, 'adapter' | 'session'>;
  readonly session: Omit<SessionOptions, 'storage' | 'auth'>;
}

export interface SessionWorld {
  readonly timeline: Timeline;
  readonly history: HistoryEvent[];
  readonly store: FaultyStore;
  readonly nodes: NodeInWorld[];
  readonly clients: ClientInWorld[];
  readonly links: Link[];
  /** Sessions that some node has told of. */
  readonly sids: string[];
  /** How plain servers take an offer, if there are any: `undefined` for none. */
  plain: 'echo' | 'ignore' | 'refuse' | undefined;
  note(event: Omit2<HistoryEvent>): void;
  startNode(): void;
  crash(node: NodeInWorld, isSilent: boolean): void;
  /** Leaves in good order, and is gone after at most `timeout`. */
  leave(node: NodeInWorld, timeout: number): void;
  startClient(name: string, setUp: ClientSetUp, copiedFrom?: ClientInWorld): ClientInWorld;
  setUpOf(who: ClientInWorld): ClientSetUp;
  /** Its page is loaded again, or goes for good where nothing is stored. */
  reload(who: ClientInWorld): void;
  /** Somebody who has heard of its session tries to resume it, with the token as somebody else, or without as itself. */
  intrude(who: ClientInWorld, hasToken: boolean): void;
  sendFromClient(who: ClientInWorld, size: number, isBinary: boolean): void;
  sendFromServer(node: NodeInWorld, sid: string, size: number, isBinary: boolean): void;
  endSession(node: NodeInWorld, sid: string): void;
  rollBack(to: MemoryState): void;
  /** There are no plain servers any more. */
  endPlain(): void;
}

/** `c12.` or `s12.sid.` and padding; volatile ones begin with a `v`. */
const NUMBER = /^[cs](\d+)\./;

export const textOf = (data: Data): string => (typeof data === 'string' ? data : Buffer.from(data).toString('latin1'));

function numberOf(data: Data): number {
  const match = NUMBER.exec(textOf(data));
  return match ? Number(match[1]) : 0;
}

const OFFER: SocketRequest = { url: 'ws://world.test/', protocols: [SUBPROTOCOL] };

/** What a client says beside numbered messages where there is no session. */
const isPlain = (text: string): boolean => text === 'v' || text === 'ping';

export function createSessionWorld(climate: Climate, log?: (line: string) => void): SessionWorld {
  const random = createRandom(climate.seed ^ 0x2545f491);
  const history: HistoryEvent[] = [];
  const nodes: NodeInWorld[] = [];
  const clients: ClientInWorld[] = [];
  const setUps = new Map<string, ClientSetUp>();
  const links: Link[] = [];
  const sids: string[] = [];
  const settings = { ...SESSION_DEFAULTS, heartbeat: 1_000, highWaterMark: 262_144, ...climate.settings };
  let lastNode = 0;
  let lastFromClient = 0;
  let lastFromServer = 0;

  const timeline = createTimeline((cause) =>
    note({
      type: 'breach',
      rule: 'throw',
      words: cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause),
    }),
  );
  const { ttl, takeoverTimeout, maxMessages, maxBytes } = settings;
  note({ type: 'settings', ttl, takeoverTimeout, maxMessages, maxBytes, effects: climate.effects });
  const store = createFaultyStore(
    timeline,
    climate.storeWeather,
    { maxMessages, maxBytes, maxSessions: 1_000 },
    numberOf,
    note,
  );

  function note(event: Omit2<HistoryEvent>): void {
    const dated = { at: Math.round(timeline.now * 100) / 100, ...event } as HistoryEvent;
    history.push(dated);
    log?.(JSON.stringify(dated));
  }

  // ---- the wire

  const linkWorld: LinkWorld = {
    arrived(link) {
      const offers = link.request.protocols.includes(SUBPROTOCOL) || link.request.url.includes('holdfast-session=1');
      if (world.plain !== undefined && (random() < 0.5 || nodes.length === 0)) {
        if (world.plain === 'refuse' && offers) return undefined;
        return { process: plainProcess, protocol: world.plain === 'echo' ? (link.request.protocols[0] ?? '') : '' };
      }
      const open = nodes.filter(({ state, process }) => state === 'serving' && !process.isDead);
      const node = open[Math.floor(random() * open.length)];
      return node && { process: node.process, protocol: link.request.protocols[0] ?? '' };
    },
    accepted(link, transport) {
      if (link.node === plainProcess) {
        link.greeted = true;
        return { received() {}, closed() {} };
      }
      const node = nodes.find(({ process }) => process === link.node);
      if (!node) return { received() {}, closed() {} };
      const name = clients.find(({ process }) => process === link.client)?.name;
      return node.half.accept(transport, { request: name ?? link.client.name, identity: undefined });
    },
    clientWrote(link, data) {
      const text = textOf(data);
      const who = clients.find(({ process }) => process === link.client);
      if (!who) return;
      log?.(`${timeline.now.toFixed(1)} ${who.name} → ${link.node?.name}: ${text.slice(0, 120)}`);
      const number = numberOf(data);
      link.isPlain ||= number > 0 || isPlain(text);
      if (number > 0) note({ type: 'plain', client: who.name, message: number }); // also to one that greets too late
      if (link.node === plainProcess) {
        if (number > 0) return;
        if (!text.startsWith('v') && text !== 'ping') {
          note({ type: 'breach', rule: 'I12', words: `${who.name} wrote ${text} to a plain server` });
        }
        return;
      }
      const speaksPlainly = number > 0 || (isPlain(text) && setUps.get(who.name)!.session.mode === 'prefer');
      if (!link.greeted && !speaksPlainly) {
        note({ type: 'breach', rule: 'I11', words: `${who.name} wrote ${text} before it was greeted` });
      }
      if (!/^[OR]/.test(text)) return;
      const { by, att: attempt, sid, rx: received, acked, sent } = JSON.parse(text.slice(1)) as Record<string, never>;
      link.holder = (by! as readonly number[]).at(-1)!;
      if (text.startsWith('O')) note({ type: 'attempt', client: who.name, attempt: attempt! });
      else {
        note({
          type: 'attempt',
          client: who.name,
          attempt: attempt!,
          sid,
          received: received!,
          acked: acked!,
          sent: sent!,
        });
        if (who.resumesLost > 0) {
          who.resumesLost--;
          link.break({ up: 0, down: 0 }, { client: 0, node: 0 });
        }
      }
    },
    nodeWrote(link, data) {
      const text = textOf(data);
      log?.(`${timeline.now.toFixed(1)} ${link.node?.name} → ${link.client.name}: ${text.slice(0, 120)}`);
      if (text.startsWith('Y')) {
        const { sid, rx, tok } = JSON.parse(text.slice(1)) as { sid: string; rx: number; tok?: string };
        link.sid = sid;
        if (tok !== undefined) tokens.set(sid, tok);
        holders.set(sid, link.holder);
        note({ type: 'acked', sid, seq: rx });
      } else if (link.sid !== undefined && /^[aq]/.test(text)) {
        note({ type: 'acked', sid: link.sid, seq: parseInt(text.slice(1), 36) });
      }
    },
    clientHeard(link, data) {
      const text = textOf(data);
      if (text.startsWith('H')) link.greeted = true;
      if (!text.startsWith('Y') || link.clientEnd !== 'open') return;
      const who = clients.find(({ process }) => process === link.client);
      if (who) who.sid = (JSON.parse(text.slice(1)) as { sid: string }).sid;
    },
  };
  const plainProcess = timeline.process('plain');
  const tokens = new Map<string, string>();
  const holders = new Map<string, number>();

  // ---- nodes

  function startNode(): void {
    const process = timeline.process(`n${++lastNode}`);
    const offset = Math.floor(random() * 1_000_000); // no two nodes have the same clock
    const half = createSessionHalf<undefined, string>(
      settingsOf(process),
      {
        now: () => timeline.now + offset,
        wake: (at, wakeUp) => timeline.at(at - offset, process, wakeUp),
        randomBytes,
        node: process.name,
      },
      {
        session(face, { resumed }) {
          void resumed;
          if (!sids.includes(face.sid)) sids.push(face.sid);
          if (ended.has(face)) return;
          ended.add(face);
          face.on('ended', ({ reason }) => note({ type: 'ended', node: process.name, sid: face.sid, reason }));
        },
        failed: (error) =>
          log?.(`${timeline.now.toFixed(1)} ${process.name} ${error.code}: ${error.message} ${String(error.cause)}`),
      },
    );
    nodes.push({ process, half, state: 'serving', running: 0 });
  }
  const ended = new WeakSet<object>();

  function settingsOf(process: Process): SessionSettings<undefined, string> {
    return {
      ...settings,
      store: store.view(process),
      admissionTimeout: 1_000,
      retryAfter: 500,
      authorize({ request }) {
        const { principal, takes } = climate.admission(request);
        return takes === undefined ? principal : sleep(process, takes).then(() => principal);
      },
      handle: (message) => handle(process, message),
    };
  }

  function handle(process: Process, message: SessionMessage): unknown {
    const { sid, seq } = message;
    note({ type: 'handling', node: process.name, sid, seq, message: numberOf(message.data) });
    const node = nodes.find((other) => other.process === process);
    const takes = climate.handlerTakes();
    const throws = climate.handlerThrows();
    if (node) node.running++;
    const done = (): void => {
      if (node) node.running--;
      note({ type: 'handled', node: process.name, sid, seq });
      if (node && climate.answers()) sendFromServer(node, sid, 10, false);
      if (throws) throw new Error('a handler that throws');
    };
    if (takes === undefined && !climate.effects) return done();
    return work(
      process,
      takes ?? 0,
      climate.effects ? () => message.commit({ sid, seq } satisfies Transaction) : undefined,
      done,
    );
  }

  async function work(process: Process, takes: number, commit: (() => Promise<void>) | undefined, done: () => void) {
    await sleep(process, takes);
    try {
      await commit?.();
    } finally {
      done();
    }
  }

  const sleep = (process: Process, ms: number): Promise<void> =>
    new Promise((resolve) => void timeline.at(timeline.now + ms, process, resolve));

  function randomBytes(count: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(count / 4));
    for (let i = 0; i < words.length; i++) words[i] = random() * 0x1_0000_0000;
    return new Uint8Array(words.buffer, 0, count);
  }

  function bury(node: NodeInWorld): void {
    node.process.isDead = true;
    nodes.splice(nodes.indexOf(node), 1);
  }

  function crash(node: NodeInWorld, isSilent: boolean): void {
    note({ type: 'crashed', node: node.process.name });
    bury(node);
    if (!isSilent) for (const link of links) if (link.node === node.process) link.reset();
  }

  function leave(node: NodeInWorld, timeout: number): void {
    node.state = 'leaving';
    void node.half.close(timeout).then(() => {
      if (node.process.isDead) return;
      if (node.running > 0) note({ type: 'crashed', node: node.process.name });
      bury(node);
      for (const link of links) if (link.node === node.process) link.reset();
    });
  }

  // ---- clients

  function startClient(name: string, setUp: ClientSetUp, copiedFrom?: ClientInWorld): ClientInWorld {
    const storage = setUp.storage ? { text: copiedFrom?.storage?.text ?? null } : undefined;
    const who = {
      name,
      storage,
      links: [],
      resumesLost: 0,
      sid: copiedFrom?.sid,
    } as Partial<ClientInWorld> as ClientInWorld;
    if (copiedFrom) note({ type: 'copied', client: name, from: copiedFrom.name });
    setUps.set(name, setUp);
    clients.push(who);
    begin(who, setUp);
    return who;
  }

  function begin(who: ClientInWorld, setUp: ClientSetUp): void {
    const { storage } = who;
    const kept = storage && {
      load: () => storage.text,
      save: (text: string) => void (storage.text = text),
      remove: () => void (storage.text = null),
    };
    const process = timeline.process(who.name);
    const { maxMessages: most = 1_000 } = setUp.options.queue || {};
    const adapter: Adapter = {
      name: 'session-world',
      capabilities: { headers: true, bufferedAmount: true, pingFrames: false },
      now: () => timeline.now,
      wake: (at, wakeUp) => timeline.at(at, process, wakeUp),
      random,
      openSocket(request, events) {
        const link = new Link(timeline, climate.weather, linkWorld, process, request, events);
        links.push(link);
        who.links.push(link);
        return link.socket;
      },
    };
    Object.assign(who, { process, bounds: { maxMessages: most } });
    who.client = createClient('ws://world.test/', {
      ...setUp.options,
      adapter,
      session: session({ ...setUp.session, ...(kept ? { storage: storedBy(kept) } : {}) }),
    });
    listen(who);
  }

  function listen(who: ClientInWorld): void {
    const { name, client, process } = who;
    const noteOf = (event: Omit2<HistoryEvent>): void => void (process.isDead || note(event));
    client
      .on('message', (data) => {
        const match = /^s(\d+)\.([\w-]+)\./.exec(textOf(data));
        if (match) noteOf({ type: 'delivered', client: name, sid: match[2]!, message: Number(match[1]) });
      })
      .on('session', ({ resumed }) => noteOf({ type: 'session', client: name, resumed }))
      .on('lost', ({ reason, inDoubt, unsent }) => {
        who.sid = undefined;
        noteOf({
          type: 'lost',
          client: name,
          reason,
          inDoubt: inDoubt.map((data) => numberOf(data as Data)),
          unsent: unsent.map((data) => numberOf(data as Data)),
        });
      })
      .on('drop', ({ data, reason }) => {
        const message = numberOf(data as Data);
        if (message > 0 && message !== beingSent) noteOf({ type: 'dropped', client: name, message, reason });
        else if (message > 0 && reason === 'full') noteOf({ type: 'refused', client: name });
      })
      .on('writable', () => noteOf({ type: 'writable', client: name }))
      .on('close', ({ asked, code, opened }) => {
        if (!asked && opened) noteOf({ type: 'closed', client: name, code });
      })
      .on('end', () => noteOf({ type: 'closing', client: name }))
      .on('error', (error) => log?.(`${timeline.now.toFixed(1)} ${name} ${error.code}: ${error.message}`));
  }

  function reload(who: ClientInWorld): void {
    who.process.isDead = true;
    for (const link of who.links) if (link.clientEnd !== 'over') link.abandon();
    who.links = [];
    if (!who.storage) {
      note({ type: 'gone', client: who.name });
      clients.splice(clients.indexOf(who), 1);
      return;
    }
    note({ type: 'reloaded', client: who.name });
    begin(who, setUps.get(who.name)!);
  }

  function intrude({ name, sid = '' }: ClientInWorld, hasToken: boolean): void {
    const link = new Link(timeline, climate.weather, linkWorld, timeline.process(hasToken ? 'stranger' : name), OFFER, {
      opened() {},
      message(data) {
        const text = textOf(data);
        const tok = hasToken ? (tokens.get(sid) ?? 'none') : 'guessed';
        const by = [holders.get(sid) ?? 0, 0];
        const claim = { v: 1, att: 1_000_000, by, win: 1_000, sid, tok, rx: 0, tag: 0, acked: 0, sent: 0 };
        if (text.startsWith('H')) link.socket.send(`R${JSON.stringify(claim)}`);
        else if (text.startsWith('Y')) note({ type: 'breach', rule: 'I8', words: `a stranger has resumed ${sid}` });
        else link.socket.close(1000, '');
      },
      closed() {},
    });
    links.push(link);
  }

  // ---- messages

  let beingSent = 0;

  function payload(text: string, size: number, isBinary: boolean): string | Uint8Array {
    const padded = text.padEnd(size, '.');
    return isBinary ? new Uint8Array(Buffer.from(padded, 'latin1')) : padded;
  }

  function sendFromClient({ client, name }: ClientInWorld, size: number, isBinary: boolean): void {
    const message = ++lastFromClient;
    beingSent = message;
    // stands before everything that comes of it, and is taken back if nothing does
    note({ type: 'accepted', client: name, message });
    const place = history.length - 1;
    const result = client.send(payload(`c${message}.`, size, isBinary));
    beingSent = 0;
    if (result === false) history.splice(place, 1);
  }

  function sendFromServer(node: NodeInWorld, sid: string, size: number, isBinary: boolean): void {
    if (node.process.isDead) return;
    const message = ++lastFromServer;
    const data = payload(`s${message}.${sid}.`, size, isBinary);
    note({ type: 'sending', node: node.process.name, sid, message, bytes: data.length });
    node.half.send(sid, data).then(
      (isStored) => {
        if (!isStored) note({ type: 'turned-away', sid, message });
      },
      () => {}, // it may have been stored, or not
    );
  }

  function endSession(node: NodeInWorld, sid: string): void {
    note({ type: 'ending', sid });
    node.half.end(sid).catch(() => {});
  }

  const world: SessionWorld = {
    timeline,
    history,
    store,
    nodes,
    clients,
    links,
    sids,
    plain: undefined,
    note,
    startNode,
    crash,
    leave,
    startClient,
    setUpOf: ({ name }) => setUps.get(name)!,
    reload,
    intrude,
    sendFromClient,
    sendFromServer,
    endSession,
    rollBack: (to) => store.rollBack(to),
    endPlain() {
      world.plain = undefined;
      // a peer that never answers is not known to be gone: whoever took its server for a plain one may wait for ever
      for (const link of links) {
        if (link.node === plainProcess || link.isPlain) link.break({ up: 0, down: 0 }, { client: 0, node: 0 });
      }
    },
  };
  return world;
}
