// Who is told, and what if a listener throws?

import { EventEmitter } from 'eventemitter3';
import { HoldfastError } from './errors.ts';
import { isThenable } from './request.ts';

/** Not in every runtime, and in none of the libraries that we compile against. */
declare const console: { error(...args: unknown[]): void } | undefined;

type Listener = (value: never) => unknown;

/**
 * Listeners of one client. Each is wrapped in its guard when it is added, since an emit of eventemitter3 stops at the
 * first that throws: here a listener that throws, or that returns a promise which rejects, harms no other and is
 * reported once, outside the call. Otherwise eventemitter3's rules hold: one that is added during an emit is not part of
 * it, one that is removed still is, and the same function added twice is called twice and removed as one.
 */
export interface Listeners {
  on(event: string, listener: Listener): void;
  once(event: string, listener: Listener): void;
  off(event: string, listener: Listener | undefined): void;
  /** False if nobody listens. */
  emit(event: string, value?: unknown): boolean;
  /** Tells `error`, or without a listener the console, once per code. */
  report(error: HoldfastError): void;
}

export function createListeners(): Listeners {
  const emitter = new EventEmitter<string>();
  const reported: Record<string, true> = {};
  const report = (error: HoldfastError): void => {
    if (!emitter.emit('error', error)) toConsole(error);
  };
  const guard = createGuard((cause) => report(threw(cause)));
  const guardOfErrors = createGuard((cause) => toConsole(threw(cause))); // else it would be told of itself for ever
  const guardFor = (event: string) => (event === 'error' ? guardOfErrors : guard);

  function toConsole(error: HoldfastError): void {
    if (reported[error.code]) return;
    reported[error.code] = true;
    if (typeof console === 'object') console.error(error);
  }

  return {
    on: (event, listener) => void emitter.on(event, guardFor(event)(listener)),
    once: (event, listener) => void emitter.once(event, guardFor(event)(listener)),
    off: (event, listener) => void emitter.off(event, listener && guardFor(event)(listener)),
    emit: (event, value) => emitter.emit(event, value),
    report,
  };
}

/** One guard per listener, so that it can be taken off again. */
function createGuard(thrown: (cause: unknown) => void): (listener: Listener) => (value: unknown) => void {
  const guards = new WeakMap<Listener, (value: unknown) => void>();
  const later = (cause: unknown): void => void Promise.resolve().then(() => thrown(cause));
  return (listener) => {
    let guarded = guards.get(listener);
    if (!guarded) {
      guarded = (value) => {
        try {
          const result = listener(value as never);
          if (result !== undefined && isThenable(result)) result.then(undefined, later);
        } catch (cause) {
          later(cause);
        }
      };
      guards.set(listener, guarded);
    }
    return guarded;
  };
}

function threw(cause: unknown): HoldfastError {
  return new HoldfastError('LISTENER_THREW', `a listener threw: ${String(cause)}`, { cause });
}
