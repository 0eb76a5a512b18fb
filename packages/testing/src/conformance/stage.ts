// What does a conformance case stand on: sockets that remember all they told, waits that end, and checks?

import type { Adapter, CloseInfo, Data, Socket, SocketRequest } from '@holdfast/core';
import { createMoments } from '../moments.ts';

/** What some hosts cannot do or do not tell, for no fault of an adapter's. */
export type Lack =
  /** The peer's code, reason and clean flag are told as they were. */
  | 'close-details'
  /** The subprotocol that was chosen is told. */
  | 'subprotocols'
  /** The server's answer to the handshake is checked as RFC 6455 §4.1 has it. */
  | 'handshake-checks'
  /** Frames are checked as RFC 6455 §5 and §8.1 have it. */
  | 'frame-checks'
  /** Empty messages can be sent and received. */
  | 'empty-messages'
  /** More than five sockets at a time. */
  | 'many-sockets';

/** What a case is run with. */
export interface ConformanceContext {
  readonly adapter: Adapter;
  /** The fault server's address of a path that begins with a slash. */
  url(path: string): string;
  /** An address at which nobody listens. */
  readonly refusedUrl: string;
  /**
   * How long to wait for something that must come, in milliseconds.
   * @default 10_000
   */
  readonly patience?: number | undefined;
}

export interface ConformanceCase {
  /** The promise kept, with the number of its trap where it has one. */
  readonly name: string;
  readonly needs: readonly Lack[];
  /** Rejects if the promise is not kept. Leaves nothing open. */
  readonly run: (context: ConformanceContext) => Promise<void>;
}

/** All that a socket told, and when it was terminated, in order. */
export type Told =
  | { readonly name: 'opened'; readonly protocol: string }
  | { readonly name: 'message'; readonly data: Data }
  | { readonly name: 'pong'; readonly payload: Uint8Array }
  | { readonly name: 'alive' }
  | { readonly name: 'rejected' }
  | { readonly name: 'closed'; readonly close: CloseInfo }
  | { readonly name: 'terminated' };

/** One socket under test. */
export interface Subject {
  readonly socket: Socket;
  readonly told: readonly Told[];
  /** How often it told `name`. */
  count(name: Told['name']): number;
  opened(): Promise<{ readonly protocol: string }>;
  /** The first `count` messages. */
  messages(count: number): Promise<Data[]>;
  pongs(count: number): Promise<Uint8Array[]>;
  alive(): Promise<void>;
  closed(): Promise<CloseInfo>;
  /** Terminates the socket, and from then on anything it tells is an offence. */
  terminate(): void;
}

/** What a case may do to a socket from inside its own events. */
export interface Hooks {
  opened?(subject: Subject): void;
  message?(subject: Subject, data: Data): void;
  closed?(subject: Subject): void;
}

export interface Stage extends ConformanceContext {
  /** Dials a path of the fault server, or anything else. */
  dial(target: string | SocketRequest, hooks?: Hooks): Subject;
  /** Dials, and waits for `opened`. */
  open(target: string | SocketRequest, hooks?: Hooks): Promise<Subject>;
  /** The moment `ms` milliseconds from now. */
  readonly after: (ms: number) => Promise<void>;
  /** Long enough on loopback for what must not come to have come. */
  readonly quiet: () => Promise<void>;
  readonly equal: (actual: unknown, expected: unknown, what: string) => void;
  readonly ok: (condition: boolean, what: string) => void;
}

/** Nothing on loopback takes so long; whatever is still waited for then does not come. */
const PATIENCE = 10_000;

/** Of the laws of `SocketEvents`, those that hold for every socket are checked for every socket of every case. */
export function conformanceCase(
  name: string,
  body: (stage: Stage) => Promise<void> | void,
  needs: readonly Lack[] = [],
): ConformanceCase {
  return {
    name,
    needs,
    async run(context) {
      const subjects: Subject[] = [];
      const stage = createStage(context, subjects);
      try {
        await body(stage);
      } finally {
        for (const subject of subjects) subject.terminate();
      }
      await stage.quiet();
      for (const { told } of subjects) checkGrammar(told);
    },
  };
}

function createStage(context: ConformanceContext, subjects: Subject[]): Stage {
  const { adapter, patience = PATIENCE } = context;
  const moments = createMoments();

  function until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = adapter.wake(adapter.now() + patience, () =>
        reject(new Error(`waited ${patience} ms in vain for ${what}`)),
      );
      moments.until(look).then((answer) => {
        giveUp();
        resolve(answer);
      }, reject);
    });
  }

  function dial(target: string | SocketRequest, hooks: Hooks = {}): Subject {
    const request = typeof target === 'string' ? { url: context.url(target), protocols: [] } : target;
    const told: Told[] = [];
    const tell = (next: Told): void => {
      told.push(next);
      moments.changed();
    };
    let returned = false;
    const socket = adapter.openSocket(request, {
      opened({ protocol }) {
        ok(returned, 'nothing is told before openSocket has returned');
        tell({ name: 'opened', protocol });
        hooks.opened?.(subject);
      },
      message(data) {
        tell({ name: 'message', data });
        hooks.message?.(subject, data);
      },
      pong: (payload) => tell({ name: 'pong', payload }),
      alive: () => tell({ name: 'alive' }),
      rejected: () => tell({ name: 'rejected' }),
      closed(close) {
        ok(returned, 'nothing is told before openSocket has returned');
        tell({ name: 'closed', close });
        hooks.closed?.(subject);
      },
    });
    returned = true;
    const all = <Name extends Told['name']>(name: Name) =>
      told.filter((next): next is Extract<Told, { name: Name }> => next.name === name);
    const atLeast = <Name extends Told['name']>(name: Name, count: number) =>
      until(() => {
        const there = all(name);
        return there.length >= count ? there.slice(0, count) : undefined;
      }, `${count} × ${name} from ${request.url}`);

    const subject: Subject = {
      socket,
      told,
      count: (name) => all(name).length,
      opened: async () => (await atLeast('opened', 1))[0]!,
      messages: async (count) => (await atLeast('message', count)).map(({ data }) => data),
      pongs: async (count) => (await atLeast('pong', count)).map(({ payload }) => payload),
      alive: async () => void (await atLeast('alive', 1)),
      closed: async () => (await atLeast('closed', 1))[0]!.close,
      terminate() {
        if (!all('terminated').length && !all('closed').length) told.push({ name: 'terminated' });
        socket.terminate();
      },
    };
    subjects.push(subject);
    return subject;
  }

  const after = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      adapter.wake(adapter.now() + ms, resolve);
    });

  return {
    ...context,
    dial,
    async open(target, hooks) {
      const subject = dial(target, hooks);
      await subject.opened();
      return subject;
    },
    after,
    quiet: () => after(20),
    equal,
    ok,
  };
}

/** `opened` at most once and first, `closed` at most once, and nothing after it or after `terminate()`. */
function checkGrammar(told: readonly Told[]): void {
  const names = told.map(({ name }) => name);
  const story = names.join(' ');
  const end = names.findIndex((name) => name === 'closed' || name === 'terminated');
  ok(end === names.length - 1, `silence after the end: ${story}`);
  ok(names.lastIndexOf('opened') <= 0, `opened comes once and first: ${story}`);
  const early = names[0] !== 'opened' && names[0] !== 'closed' && names[0] !== 'terminated';
  ok(!early, `nothing is told before opened: ${story}`);
}

function ok(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken: ${what}`);
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (!same(actual, expected)) {
    throw new Error(`broken: ${what}\n  expected ${shown(expected)}\n  but got  ${shown(actual)}`);
  }
}

/** Equal primitives, equal bytes, or arrays of such. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => same(item, b[i]));
  }
  if (isBytes(a) && isBytes(b)) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  return Object.is(a, b);
}

/** By tag and not by instanceof: in some hosts the arrays come from another realm. */
function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

function shown(value: unknown): string {
  if (isBytes(value)) return `${value.length} bytes ${shown(Array.from(value.subarray(0, 16)))}`;
  const text = Array.isArray(value) ? `[${value.slice(0, 20).map(shown).join(', ')}]` : JSON.stringify(value);
  return text === undefined ? String(value) : text.slice(0, 200);
}
