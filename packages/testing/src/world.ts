// What would happen out there, if time and the network did as they are told?
//
// A world has its own time, its own server and its own links. Nothing in it waits for anything real, so an hour takes
// milliseconds, and a seed brings every bit of it back.

import { createRandom } from './random.ts';
import type { Adapter, CloseInfo, Data, Hint, Socket, SocketEvents, SocketRequest } from '@holdfast/core';

export interface WorldOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Milliseconds that a frame takes one way. @default 5 */
  readonly latency?: number;
  /** The platform goes on delivering after `terminate()` and after `closed`, as some do. @default false */
  readonly rude?: boolean;
}

export interface WorldAdapterOptions {
  /** @default false */
  readonly pingFrames?: boolean;
  /** @default true */
  readonly headers?: boolean;
  readonly resolveUrl?: (url: string) => string;
}

/** How the server takes a dial: opens it, answers with an HTTP status, resets it, or never answers. */
export type Reception =
  | { readonly name: 'open'; readonly protocol?: string }
  | { readonly name: 'refused'; readonly status?: number; readonly retryAfter?: number }
  | { readonly name: 'hanging' };

/** One dial as the server and the link see it. */
export interface WorldConnection {
  /** From 1, in the order of dialling. */
  readonly id: number;
  readonly request: SocketRequest;
  readonly dialledAt: number;
  /** The client's end has neither ended nor been told of an end. */
  readonly isLive: boolean;
  readonly isOpen: boolean;
  /** What the client handed over that is no heartbeat, in order. */
  readonly handedOver: readonly Data[];
  /** What of it has arrived. */
  readonly received: readonly Data[];
  /** Pings that have arrived, as messages or as frames. */
  readonly pings: number;
  readonly wasTerminated: boolean;
  /** Nothing passes either way, and nobody is told. */
  silence(): void;
  /** Lets pass what a silence has held back, late. */
  release(): void;
  /** The client's frames stay with the platform and `bufferedAmount` grows, or no longer. */
  stall(isStalled: boolean): void;
  send(data: Data): void;
  /** A ping frame from the server. */
  ping(): void;
  close(code?: number, reason?: string): void;
  /** The link breaks; both ends learn of it. */
  cut(): void;
  /** The client's host says that it did not send this message after all. */
  reject(data: Data, cause: unknown): void;
}

export interface WorldServer {
  /** What happens to the next dials. */
  reception: Reception | ((request: SocketRequest, id: number) => Reception);
  /** Whether pings are replied to, and with what. */
  reply: Data | undefined;
  /** What counts as a ping, where pings are messages. */
  ping: Data;
  /** Called for every message that arrives. */
  onMessage: ((connection: WorldConnection, data: Data) => void) | undefined;
  /** Called when a socket opens, before anything else passes. */
  onOpen: ((connection: WorldConnection) => void) | undefined;
  /** Every connection there ever was. */
  readonly connections: readonly WorldConnection[];
  /** The newest. */
  readonly last: WorldConnection;
}

export interface World {
  readonly now: number;
  readonly server: WorldServer;
  /** Timers that are armed, of all adapters. */
  readonly timers: number;
  /** Milliseconds that a frame takes one way, from now on. */
  latency: number;
  random(): number;
  /** A runtime of this world; each client may have its own. */
  adapter(options?: WorldAdapterOptions): Adapter;
  /** Tells a hint to every client that watches. */
  hint(hint: Hint): void;
  /** Lets `ms` pass, event by event. */
  run(ms: number): Promise<void>;
  /** Lets time pass until `isSo`, at most `limit` milliseconds; throws otherwise. */
  runUntil(isSo: () => boolean, limit?: number): Promise<void>;
  /**
   * The loop is blocked, or the device sleeps, for `ms`: whatever came due fires late, timers before the network, as
   * event loops have it. With `frozenNetwork` what is on its way stays so for as long.
   */
  sleep(ms: number, frozenNetwork?: boolean): Promise<void>;
  /** Timers fire only at multiples of `ms`, as in a hidden tab; 1 for as usual. */
  throttleTimers(ms: number): void;
}

interface Scheduled {
  readonly at: number;
  readonly run: () => void;
}

/** How long a platform takes to notice that a closing handshake is not answered: 30 s in ws, 60 s in Chromium. */
const PLATFORM_CLOSE = 30_000;

export function createWorld(options: WorldOptions = {}): World {
  const random = createRandom(options.seed ?? 1);
  const isRude = options.rude ?? false;
  const timers = new Set<Scheduled>();
  const network = new Set<Scheduled>();
  const watchers = new Set<(hint: Hint) => void>();
  const connections: WorldConnection[] = [];
  let now = 0;
  let latency = options.latency ?? 5;
  let grid = 1;
  let frozenFor = 0;

  const server: WorldServer = {
    reception: { name: 'open' },
    reply: 'pong',
    ping: 'ping',
    onMessage: undefined,
    onOpen: undefined,
    connections,
    get last() {
      const last = connections[connections.length - 1];
      if (!last) throw new Error('nobody has dialled yet');
      return last;
    },
  };

  const later = (ms: number, run: () => void): void => void network.add({ at: now + ms, run });

  // ---- time

  async function run(ms: number): Promise<void> {
    const end = now + ms;
    await settle();
    for (let next = nextAt(); next <= end; next = nextAt()) {
      now = Math.max(now, next);
      await turn();
    }
    now = Math.max(now, end);
  }

  async function runUntil(isSo: () => boolean, limit = 600_000): Promise<void> {
    const end = now + limit;
    await settle();
    while (!isSo()) {
      const next = nextAt();
      if (next > end) throw new Error(`it was not so within ${limit} ms`);
      now = Math.max(now, next);
      await turn();
    }
  }

  async function sleep(ms: number, frozenNetwork = false): Promise<void> {
    now += ms;
    if (frozenNetwork) {
      frozenFor += ms;
      const moved = [...network].map(({ at, run: act }) => ({ at: at + ms, run: act }));
      network.clear();
      moved.forEach((event) => network.add(event));
    }
    await turn();
  }

  /** What is due of the timers, then what is due of the network: the order that makes a late timer unfair. */
  async function turn(): Promise<void> {
    for (const queue of [timers, network]) {
      for (const event of due(queue)) {
        if (!queue.delete(event)) continue; // cancelled meanwhile
        event.run();
        await settle();
      }
    }
  }

  function due(queue: Set<Scheduled>): readonly Scheduled[] {
    const events: Scheduled[] = [];
    for (const event of queue) if (event.at <= now) events.push(event);
    return events.length > 1 ? events.sort((a, b) => a.at - b.at) : events;
  }

  function nextAt(): number {
    let next = Infinity;
    for (const { at } of timers) next = Math.min(next, at);
    for (const { at } of network) next = Math.min(next, at);
    return next;
  }

  // ---- runtimes

  function adapter({ pingFrames = false, headers = true, resolveUrl }: WorldAdapterOptions = {}): Adapter {
    return {
      name: 'world',
      capabilities: { headers, bufferedAmount: true, pingFrames },
      ...(resolveUrl ? { resolveUrl } : {}),
      now: () => now,
      random,
      wake(at, wakeUp) {
        const timer = { at: Math.ceil(Math.max(now, at) / grid) * grid, run: wakeUp };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
      watch(tell) {
        watchers.add(tell);
        return () => void watchers.delete(tell);
      },
      openSocket: (request, events) => dial(request, events, pingFrames),
    };
  }

  function dial(request: SocketRequest, events: SocketEvents, pingFrames: boolean): Socket {
    let phase: 'dialling' | 'open' | 'closing' | 'over' = 'dialling';
    let isSilent = false;
    let isStalled = false;
    let wasTerminated = false;
    let buffered = 0;
    let pings = 0;
    const held: (() => void)[] = [];
    const stalled: (() => void)[] = [];
    const handedOver: Data[] = [];
    const received: Data[] = [];

    /** One way over the link, after its latency and never before what went ahead; a silence holds it back. */
    const lane = (): ((arrive: () => void) => void) => {
      let last = 0;
      let seen = frozenFor;
      return (arrive) => {
        last = Math.max(last + frozenFor - seen, now + latency);
        seen = frozenFor;
        network.add({ at: last, run: () => (isSilent ? void held.push(arrive) : arrive()) });
      };
    };
    const toServer = lane();
    const toClient = lane();

    const tell = (news: () => void): void => {
      if (phase === 'over' && !isRude) return;
      news();
    };
    const closed = (close: CloseInfo): void =>
      tell(() => {
        phase = 'over';
        events.closed(close);
      });

    function arriveAtServer(data: Data, isPing: boolean): void {
      if (phase === 'over' && wasTerminated && !isRude) return;
      if (isPing) {
        pings++;
        const { reply } = server;
        if (reply === undefined) return;
        toClient(() => tell(() => (pingFrames ? events.pong?.(data as Uint8Array) : events.message(reply))));
        return;
      }
      received.push(data);
      server.onMessage?.(connection, data);
    }

    function leave(data: Data, isPing: boolean): void {
      if (!isPing) handedOver.push(data);
      const size = typeof data === 'string' ? data.length : data.byteLength;
      const go = (): void => toServer(() => arriveAtServer(data, isPing));
      if (!isStalled) return go();
      buffered += size;
      stalled.push(go);
    }

    const connection: WorldConnection = {
      id: connections.length + 1,
      request,
      dialledAt: now,
      get isLive() {
        return phase !== 'over';
      },
      get isOpen() {
        return phase === 'open';
      },
      handedOver,
      received,
      get pings() {
        return pings;
      },
      get wasTerminated() {
        return wasTerminated;
      },
      silence() {
        isSilent = true;
      },
      release() {
        isSilent = false;
        held.splice(0).forEach((arrive) => arrive());
      },
      stall(next) {
        isStalled = next;
        if (next) return;
        buffered = 0;
        stalled.splice(0).forEach((go) => go());
      },
      send: (data) => toClient(() => tell(() => events.message(data))),
      ping: () => toClient(() => tell(() => events.alive?.())),
      close(code = 1005, reason = '') {
        toClient(() => closed({ code, reason, wasClean: true }));
      },
      cut() {
        later(0, () => closed({ code: 1006, reason: '', wasClean: false }));
      },
      reject: (data, cause) => tell(() => events.rejected?.(data, cause)),
    };
    connections.push(connection);

    const { reception } = server;
    const welcome = typeof reception === 'function' ? reception(request, connection.id) : reception;
    if (welcome.name === 'open') {
      toClient(() => {
        if (phase !== 'dialling') return;
        phase = 'open';
        events.opened({ protocol: welcome.protocol ?? '' });
        server.onOpen?.(connection);
      });
    } else if (welcome.name === 'refused') {
      const { status, retryAfter } = welcome;
      toClient(() => closed({ code: 1006, reason: '', wasClean: false, status, retryAfter }));
    }

    return {
      send(data) {
        if (phase === 'dialling') throw new Error('the socket is not open yet');
        if (phase !== 'open') return; // as platforms do: taken, and gone
        leave(data, !pingFrames && data === server.ping);
      },
      ping(payload) {
        if (phase === 'open') leave(payload, true);
      },
      close(code, reason) {
        if (phase === 'over') return;
        phase = 'closing';
        const answered = (): void => closed({ code, reason, wasClean: true });
        toServer(() => toClient(answered));
        later(PLATFORM_CLOSE, () => {
          if (phase === 'closing') closed({ code: 1006, reason: '', wasClean: false });
        });
      },
      terminate() {
        wasTerminated = true;
        phase = 'over';
        if (isRude) later(PLATFORM_CLOSE * random(), () => events.closed({ code: 1006, reason: '', wasClean: false }));
      },
      get bufferedAmount() {
        return buffered;
      },
    };
  }

  return {
    get now() {
      return now;
    },
    server,
    get timers() {
      return timers.size;
    },
    get latency() {
      return latency;
    },
    set latency(ms) {
      latency = ms;
    },
    random,
    adapter,
    hint: (hint) => [...watchers].forEach((tell) => tell(hint)),
    run,
    runUntil,
    sleep,
    throttleTimers(ms) {
      grid = ms;
    },
  };
}

/** Promises that are settled get their turn: an async function that awaits three times is done. */
async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}
