// How do listeners hear of something, when any of them may throw?

import { EventEmitter } from 'node:events';
import { isPromise } from 'node:util/types';

/** An event's name, and what its listeners are given. */
export type EventMap<Events> = { readonly [Name in keyof Events]: readonly unknown[] };

/** Returning a promise is welcome; its rejection counts as a throw. */
export type Listener<Args extends readonly unknown[]> = (...args: Args) => unknown;

/**
 * Node's EventEmitter with typed events and a guard around every listener: one that throws, or whose promise rejects,
 * harms neither the other listeners nor the process. It is reported once, outside the call, to `listenerThrew`. An
 * `error` without a listener does not throw either.
 */
export class Emitter<Events extends EventMap<Events>> extends EventEmitter {
  /** Where the throws go; whoever makes the emitter sets it. */
  protected listenerThrew: (event: string, cause: unknown) => void = () => {};

  override on<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this {
    return super.on(event, untyped(listener));
  }

  override once<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this {
    return super.once(event, untyped(listener));
  }

  override off<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this {
    return super.off(event, untyped(listener));
  }

  override emit<Name extends keyof Events & string>(event: Name, ...args: Events[Name]): boolean {
    // a copy, so that adding and removing meanwhile is safe; the wrappers of `once` remove themselves
    const listeners = this.rawListeners(event);
    for (const listener of listeners) {
      try {
        const result: unknown = Reflect.apply(listener, this, args);
        if (isPromise(result)) result.catch((cause) => this.report(event, cause));
      } catch (cause) {
        this.report(event, cause);
      }
    }
    return listeners.length > 0;
  }

  private report(event: string, cause: unknown): void {
    process.nextTick(() => this.listenerThrew(event, cause));
  }
}

function untyped<Args extends readonly unknown[]>(listener: Listener<Args>): Listener<unknown[]> {
  return listener as unknown as Listener<unknown[]>;
}
