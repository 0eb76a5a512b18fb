// What do several tests of the adapter for browsers need?

import type { Adapter, CloseInfo, Data, Socket, SocketRequest } from '@holdfast/core';
import type { WebSocketConstructor } from '@holdfast/browser';

/** A socket with promises for what it tells. */
export interface Dialled {
  readonly socket: Socket;
  readonly opened: Promise<{ readonly protocol: string }>;
  readonly closed: Promise<CloseInfo>;
  /** The names of all that was told so far; for messages what they were. */
  readonly told: readonly unknown[];
}

export function dial(adapter: Adapter, target: string | SocketRequest): Dialled {
  const request = typeof target === 'string' ? { url: target, protocols: [] } : target;
  const told: unknown[] = [];
  let tellOpened: (info: { readonly protocol: string }) => void;
  let tellClosed: (close: CloseInfo) => void;
  const opened = new Promise<{ readonly protocol: string }>((resolve) => (tellOpened = resolve));
  const closed = new Promise<CloseInfo>((resolve) => (tellClosed = resolve));
  const socket = adapter.openSocket(request, {
    opened(info) {
      told.push('opened');
      tellOpened(info);
    },
    message: (data: Data) => void told.push(data),
    closed(close) {
      told.push('closed');
      tellClosed(close);
    },
  });
  return { socket, opened, closed, told };
}

/** A WebSocket that does what a test tells it to, in any order, with events that are nobody's class. */
export interface Scripted {
  readonly url: string;
  binaryType: string;
  readyState: number;
  readonly sent: unknown[];
  /** How often `close` was called. */
  closes: number;
  /** Calls whoever listens; `event` need not be an Event. */
  fire(name: 'open' | 'message' | 'error' | 'close', event?: unknown): void;
  /** How many listen. */
  readonly listeners: number;
}

export interface ScriptedClass {
  readonly WebSocket: WebSocketConstructor;
  readonly sockets: readonly Scripted[];
  /** The latest. */
  readonly last: Scripted;
}

/**
 * @param style `'on'` for a class that has only `onopen` and its kin, as some hosts have
 */
export function scriptedClass(style: 'addEventListener' | 'on' = 'addEventListener'): ScriptedClass {
  const sockets: Scripted[] = [];
  type Listener = (event: unknown) => void;

  class OnlyOn implements Scripted {
    binaryType = 'blob';
    readyState = 0;
    readonly protocol = '';
    readonly bufferedAmount = 0;
    readonly sent: unknown[] = [];
    closes = 0;
    onopen: Listener | null = null;
    onmessage: Listener | null = null;
    onerror: Listener | null = null;
    onclose: Listener | null = null;

    constructor(readonly url: string) {
      sockets.push(this);
    }
    send(data: unknown): void {
      this.sent.push(data);
    }
    close(): void {
      this.closes++;
    }
    listenersOf(name: 'open' | 'message' | 'error' | 'close'): readonly Listener[] {
      const listener = this[`on${name}`];
      return listener ? [listener] : [];
    }
    fire(name: 'open' | 'message' | 'error' | 'close', event: unknown = {}): void {
      for (const listener of this.listenersOf(name)) listener(event);
    }
    get listeners(): number {
      return (['open', 'message', 'error', 'close'] as const).flatMap((name) => this.listenersOf(name)).length;
    }
  }

  class WithListeners extends OnlyOn {
    private readonly added: [string, Listener][] = [];
    addEventListener(name: string, listener: Listener): void {
      this.added.push([name, listener]);
    }
    removeEventListener(name: string, listener: Listener): void {
      const index = this.added.findIndex(([n, l]) => n === name && l === listener);
      if (index >= 0) this.added.splice(index, 1);
    }
    override listenersOf(name: string): readonly Listener[] {
      return this.added.filter(([n]) => n === name).map(([, listener]) => listener);
    }
  }

  return {
    WebSocket: style === 'on' ? OnlyOn : WithListeners,
    sockets,
    get last() {
      return sockets.at(-1)!;
    },
  };
}

/** Promises that are settled get their turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Resolves with what `event` tells next. */
export function next(client: { once(event: never, listener: never): unknown }, event: string): Promise<unknown> {
  return new Promise((resolve) => client.once(event as never, resolve as never));
}
