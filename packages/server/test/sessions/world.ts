// What the tests of sessions share: nodes on one store, clients that speak frame by frame, and time that stands still.
import { onTestFinished } from 'vitest';
import {
  decodeFromServer,
  encodeAck,
  encodeMessage,
  encodeOpen,
  encodeResume,
  type FrameFromServer,
  type ReadyFrame,
  type ResumeFrame,
} from '@holdfast/session/wire';
import type { Data } from '@holdfast/core';
import { createRandom } from '@holdfast/testing';
import type { ServerError } from '../../src/errors.ts';
import { createSessionHalf, type SessionHalf, type SessionLink, type Transport } from '../../src/sessions/half.ts';
import { createMemoryStore, type MemoryStore } from '../../src/sessions/memory-store.ts';
import { SESSION_DEFAULTS, type SessionSettings } from '../../src/sessions/options.ts';
import type { Session, SessionMessage } from '../../src/sessions/session.ts';
import type { SessionStore } from '../../src/sessions/store.ts';

/** Time that only tests move. */
export class Time {
  private at = 1_000;
  private readonly wakes = new Set<{ readonly at: number; readonly fn: () => void }>();

  now = (): number => this.at;

  wake = (at: number, fn: () => void): (() => void) => {
    const wake = { at, fn };
    this.wakes.add(wake);
    return () => void this.wakes.delete(wake);
  };

  get armed(): number {
    return this.wakes.size;
  }

  /** Lets `ms` pass: each wake at its moment, and what was promised before the next. */
  async pass(ms: number): Promise<void> {
    const end = this.at + ms;
    await settled();
    for (;;) {
      const [next] = [...this.wakes].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.wakes.delete(next);
      this.at = Math.max(this.at, next.at);
      next.fn();
      await settled();
    }
    this.at = end;
  }
}

/** All promises that can go on have done so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A promise that the test keeps, or breaks. */
export interface Gate {
  readonly promise: Promise<void>;
  open(): void;
  fail(cause: unknown): void;
}

export function createGate(): Gate {
  let open = () => {};
  let fail: (cause: unknown) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** One socket, with a client at the other end of it that the test speaks for. */
export class Socket implements Transport {
  bufferedAmount = 0;
  reading: 'flowing' | 'paused' = 'flowing';
  /** Everything the server sent. */
  readonly raw: Data[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  private link: SessionLink | undefined;
  /** The number of this client's attempts, shared by its sockets. */
  attempt = 0;
  /** The process that this client is. */
  holder = 1;

  join(link: SessionLink): void {
    this.link = link;
  }

  // --- as the server sees it
  send(data: Data): void {
    if (!this.closed) this.raw.push(data);
  }
  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }
  pause(): void {
    this.reading = 'paused';
  }
  resume(): void {
    this.reading = 'flowing';
  }

  // --- as the client sees it
  get frames(): FrameFromServer[] {
    return this.raw.map(decodeFromServer);
  }
  get last(): FrameFromServer | undefined {
    return this.frames.at(-1);
  }
  /** Payloads of tracked messages, with their numbers. */
  get messages(): [seq: number, data: Data][] {
    return this.frames.flatMap((frame) =>
      frame.type === 'message' ? [[frame.seq, frame.data] as [number, Data]] : [],
    );
  }
  /** What was acknowledged last. */
  get acked(): number {
    const acks = this.frames.flatMap((frame) =>
      frame.type === 'ack' || frame.type === 'pong' ? [frame.received] : [],
    );
    return acks.at(-1) ?? 0;
  }
  get ready(): ReadyFrame {
    const ready = this.frames.find((frame) => frame.type === 'ready');
    if (ready?.type !== 'ready')
      throw new Error(`not ready: ${JSON.stringify(this.frames)} ${JSON.stringify(this.closed)}`);
    return ready;
  }
  say(frame: Data): void {
    this.link!.received(frame);
  }
  open({ window = 1_048_576, auth = 'ada' as unknown, attempt = ++this.attempt } = {}): this {
    this.say(encodeOpen({ attempt, holders: [this.holder], window, auth }));
    return this;
  }
  resume_(claim: Partial<ResumeFrame> & { readonly sid: string; readonly token: string }): this {
    const { window = 1_048_576, auth = 'ada', attempt = ++this.attempt, holders = [this.holder] } = claim;
    const { received = 0, tag = 0, acked = 0, sent = 0, sid, token } = claim;
    this.say(encodeResume({ attempt, holders, window, auth, sid, token, received, tag, acked, sent }));
    return this;
  }
  /** Messages `from` … `to`, whose payloads are their numbers. */
  sendMessages(from: number, to = from): void {
    for (let seq = from; seq <= to; seq++) this.say(encodeMessage(seq, 0, `${seq}`));
  }
  ack(received: number): void {
    this.say(encodeAck(received));
  }
  /** The network takes it away. */
  break(): void {
    this.closed ??= { code: 1006, reason: '' };
    this.link!.closed();
  }
}

/** A client's memory across sockets, as far as a resume needs it. */
export interface Memory {
  readonly sid: string;
  readonly token: string;
}

export interface Told {
  readonly name: string;
  readonly value?: unknown;
}

export class Node {
  readonly half: SessionHalf<string, string>;
  readonly errors: ServerError[] = [];
  readonly sessions: { readonly session: Session<string>; readonly resumed: boolean }[] = [];
  /** Messages whose handler was called. */
  readonly handled: SessionMessage[] = [];
  /** What sessions told, in order. */
  readonly told: Told[] = [];
  /** What a handler does. */
  handle: (message: SessionMessage, session: Session<string>) => unknown = () => {};

  constructor(
    readonly world: World,
    name: string,
    overrides: Partial<SessionSettings<string, string>>,
  ) {
    const settings: SessionSettings<string, string> = {
      ...SESSION_DEFAULTS,
      store: world.store,
      authorize: ({ auth }) => typeof auth === 'string' && auth,
      handle: (message, session) => {
        this.handled.push(message);
        return this.handle(message, session);
      },
      heartbeat: 30_000,
      admissionTimeout: 5_000,
      retryAfter: 5_000,
      highWaterMark: 262_144,
      ...overrides,
    };
    const random = createRandom(name.charCodeAt(0));
    const { now, wake } = world.time;
    const randomBytes = (count: number) => Uint8Array.from({ length: count }, () => random() * 256);
    this.half = createSessionHalf<string, string>(
      settings,
      { now, wake, randomBytes, node: name },
      {
        session: (session, { resumed }) => {
          if (!this.sessions.some((known) => known.session === session)) {
            session.on('close', () => void this.told.push({ name: 'close' }));
            session.on('writable', () => void this.told.push({ name: 'writable' }));
            session.on('volatile', (value) => void this.told.push({ name: 'volatile', value }));
            session.on('ended', (value) => void this.told.push({ name: 'ended', value }));
          }
          this.sessions.push({ session, resumed });
        },
        failed: (error) => void this.errors.push(error),
      },
    );
  }

  get seqs(): number[] {
    return this.handled.map(({ seq }) => seq);
  }

  /** The newest session that is ready. */
  get session(): Session<string> {
    return this.sessions.at(-1)!.session;
  }

  /** A socket that has offered a session, and was greeted. */
  dial(socket = new Socket(), identity = 'from the upgrade'): Socket {
    socket.join(this.half.accept(socket, { request: '/live', identity }));
    return socket;
  }

  /** A socket with a session that is ready. */
  join(options?: Parameters<Socket['open']>[0]): Socket & { readonly memory: Memory } {
    const socket = this.dial().open(options);
    const { sid, token } = socket.ready;
    return Object.assign(socket, { memory: { sid, token: token! } });
  }

  /** The same with a store that answers later. */
  async joinLate(): Promise<Socket & { readonly memory: Memory }> {
    const socket = this.dial().open();
    await this.world.time.pass(10);
    const { sid, token } = socket.ready;
    return Object.assign(socket, { memory: { sid, token: token! } });
  }

  /** The next socket of a client. */
  rejoin(before: Socket & { readonly memory: Memory }, claim: Partial<ResumeFrame> = {}): Socket & { memory: Memory } {
    const socket = new Socket();
    const { memory } = before;
    this.dial(socket);
    socket.attempt = before.attempt;
    before.attempt++;
    return Object.assign(socket.resume_({ ...memory, ...claim }), { memory });
  }
}

export class World {
  readonly time = new Time();
  readonly memory: MemoryStore = createMemoryStore({ now: this.time.now });
  /** What the nodes are given; a test may put something between. */
  store: SessionStore = this.memory;
  readonly nodes: Node[] = [];

  node(overrides: Partial<SessionSettings<string, string>> = {}): Node {
    const node = new Node(this, 'abcdef'.charAt(this.nodes.length), overrides);
    this.nodes.push(node);
    return node;
  }
}

/** On disposal nothing is armed any more: whoever opens closes. */
export function createWorld(wrap: (store: MemoryStore) => SessionStore = (store) => store): World {
  const world = new World();
  world.store = wrap(world.memory);
  onTestFinished(async () => {
    for (const { half } of world.nodes) {
      const closed = half.close(10);
      await world.time.pass(1_000);
      await closed;
    }
    await world.time.pass(60_000);
    if (world.time.armed > 0) throw new Error(`${world.time.armed} wakes were left`);
  });
  return world;
}

/** Like a store somewhere else: each answer comes a turn later, or as late as the test says. */
export function late(store: MemoryStore, when: () => Promise<void> = () => Promise.resolve()): SessionStore {
  return each(store, (ask) => when().then(ask));
}

/** Puts something around each question to a store. */
export function each(
  store: SessionStore,
  around: (ask: () => unknown, name: keyof SessionStore) => unknown,
): SessionStore {
  const wrapped = { ...store } as Record<string, unknown>;
  for (const name of Object.keys(store) as (keyof SessionStore)[]) {
    if (name === 'watch' || name === 'close') continue;
    const method = store[name] as (...args: unknown[]) => unknown;
    wrapped[name] = (...args: unknown[]) => around(() => method(...args), name);
  }
  return wrapped as unknown as SessionStore;
}
