// How does code listen that was written for the platform's own WebSocket?
//
// By the rules of an EventTarget (WHATWG DOM §2.7, HTML §8.1.8.1), made by hand: the hosts that we run on may have no
// Event and no EventTarget. An event is a plain object; there is nothing to bubble to and nothing to prevent.

import { HoldfastError } from './errors.ts';
import { isThenable } from './request.ts';
import type { AbortSignalLike } from './options.ts';

/** Not in every runtime, and in none of the libraries that we compile against. */
declare const console: { error(...args: unknown[]): void } | undefined;

/** What every event has. */
export interface AnyEvent {
  readonly type: string;
}

export type EventListener<E> = ((event: E) => unknown) | { handleEvent(event: E): unknown };

export interface ListenOptions {
  /** Tells two registrations of the same listener apart, and nothing else. @default false */
  readonly capture?: boolean | undefined;
  /** Taken off before its first call. @default false */
  readonly once?: boolean | undefined;
  /** Takes the listener off when it aborts. @default none */
  readonly signal?: AbortSignalLike | undefined;
}

/** The listeners of one face. `Events` says which event each type brings. */
export interface EventTarget<Events> {
  /** The same listener is added once. */
  add(type: string, listener: unknown, options: boolean | ListenOptions | undefined): void;
  remove(type: string, listener: unknown, options: boolean | ListenOptions | undefined): void;
  /** What `on…` reads. */
  handler<T extends keyof Events>(type: T): ((event: Events[T]) => unknown) | null;
  /** What assigning to `on…` does: its place among the listeners is that of the first handler. */
  setHandler(type: keyof Events & string, handler: unknown): void;
  /**
   * Calls everybody who listened when the event began and has not been taken off since. One that throws harms no other;
   * it is reported to the console, outside the call.
   */
  dispatch(event: AnyEvent): void;
}

interface Entry {
  /** `undefined` for the entry of `on…`, whose function is looked up when it is called. */
  readonly listener: unknown;
  readonly capture: boolean;
  readonly once: boolean;
  /** Taken off, perhaps while an event is being told. */
  isGone: boolean;
  /** Leaves nothing behind with the signal. */
  forgetSignal?: () => void;
}

export function createEventTarget<Events>(self: object): EventTarget<Events> {
  // by type; a list is replaced and never written to, so that an event may go through the one with which it began
  const entries: Record<string, readonly Entry[]> = Object.create(null);
  const handlers: Record<string, unknown> = Object.create(null);

  const entriesOf = (type: string): readonly Entry[] => entries[type] ?? [];

  function push(type: string, entry: Entry): void {
    entries[type] = entriesOf(type).concat(entry);
  }

  function takeOff(type: string, entry: Entry): void {
    entry.isGone = true;
    entry.forgetSignal?.();
    entries[type] = entriesOf(type).filter((other) => other !== entry);
  }

  function find(type: string, listener: unknown, capture: boolean): Entry | undefined {
    return entriesOf(type).filter((entry) => entry.listener === listener && entry.capture === capture)[0];
  }

  function call(listener: unknown, event: AnyEvent): void {
    try {
      const result = isFunction(listener)
        ? listener.call(self, event)
        : (listener as { handleEvent(event: AnyEvent): unknown }).handleEvent(event);
      if (isThenable(result)) result.then(undefined, report);
    } catch (cause) {
      report(cause);
    }
  }

  return {
    add(type, listener, options) {
      const { capture, once, signal } = read(options);
      checkListener(listener);
      if (listener === null || listener === undefined || signal?.aborted || find(type, listener, capture)) return;
      const entry: Entry = { listener, capture, once, isGone: false };
      push(type, entry);
      if (!signal) return;
      const abort = (): void => takeOff(type, entry);
      signal.addEventListener('abort', abort);
      entry.forgetSignal = () => signal.removeEventListener('abort', abort);
    },
    remove(type, listener, options) {
      checkListener(listener);
      const entry = find(type, listener ?? null, read(options).capture);
      if (entry) takeOff(type, entry);
    },
    handler: (type) => (handlers[type as string] ?? null) as never,
    setHandler(type, handler) {
      const before = find(type, undefined, false);
      handlers[type] = isFunction(handler) || (typeof handler === 'object' && handler) ? handler : null;
      const isWanted = handlers[type] !== null;
      if (isWanted && !before) push(type, { listener: undefined, capture: false, once: false, isGone: false });
      if (!isWanted && before) takeOff(type, before);
    },
    dispatch(event) {
      entriesOf(event.type).forEach((entry) => {
        if (entry.isGone) return;
        if (entry.once) takeOff(event.type, entry);
        if (entry.listener !== undefined) call(entry.listener, event);
        else if (isFunction(handlers[event.type])) call(handlers[event.type], event);
      });
    },
  };
}

function read(options: boolean | ListenOptions | undefined): {
  capture: boolean;
  once: boolean;
  signal: AbortSignalLike | undefined;
} {
  if (typeof options !== 'object' || options === null) {
    return { capture: options === true, once: false, signal: undefined };
  }
  return { capture: !!options.capture, once: !!options.once, signal: options.signal };
}

function checkListener(listener: unknown): void {
  if (listener === undefined || typeof listener === 'object' || isFunction(listener)) return;
  throw new TypeError(`a listener must be a function or an object with handleEvent, got ${String(listener)}`);
}

function isFunction(value: unknown): value is (this: object, event: AnyEvent) => unknown {
  return typeof value === 'function';
}

/** As a platform reports what its listeners throw: loudly, and where nobody's call is broken by it. */
function report(cause: unknown): void {
  void Promise.resolve().then(() => {
    const error = new HoldfastError('LISTENER_THREW', `a listener threw: ${String(cause)}`, { cause });
    if (typeof console === 'object') console.error(error);
  });
}
