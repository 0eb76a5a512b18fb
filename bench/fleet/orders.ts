// What is asked of the processes of a fleet, and what do they answer?

/** To a server. */
export type ServerOrder =
  | { readonly name: 'usage' }
  /** The same as it is, with no garbage collected for it. */
  | { readonly name: 'glance' }
  /** So many messages, each to the next session, a burst at a time. */
  | { readonly name: 'send'; readonly load: Load }
  | { readonly name: 'drain'; readonly over: number };

export interface Usage {
  /** After the garbage was collected, if `usage` asked. */
  readonly rss: number;
  /** Of the JavaScript heap, and what hangs on it. */
  readonly heap: number;
  /** Milliseconds of processor time since the process began. */
  readonly cpu: number;
  /** Messages that `handle` has seen. */
  readonly handled: number;
}

/** To the clients. */
export type ClientOrder =
  /** So many more clients, plain ones or with sessions; the oldest is let go of when there are more than `atOnce`. */
  | {
      readonly name: 'open';
      readonly url: string;
      readonly count: number;
      readonly atOnce: number;
      readonly plain: boolean;
    }
  /** All come back with their session, when told to or when their socket ends; `url` is where. */
  | { readonly name: 'resume'; readonly url: string }
  /** All end their sessions in good order. */
  | { readonly name: 'end' }
  | { readonly name: 'send'; readonly load: Load }
  | { readonly name: 'usage' };

export interface ClientUsage {
  /** Clients that are ready. */
  readonly ready: number;
  readonly received: number;
  /** Their own messages that are acknowledged. */
  readonly acknowledged: number;
}

export interface Load {
  readonly messages: number;
  readonly perSecond: number;
  /** So many to one session at once. */
  readonly burst: number;
  readonly bytes: number;
}

/** Messages fall due by the clock, so a late tick brings more of them. */
export function pour({ messages, perSecond, burst }: Load, one: (turn: number) => void, done: () => void): void {
  const began = performance.now();
  let poured = 0;
  const timer = setInterval(() => {
    const due = Math.min(messages, ((performance.now() - began) / 1e3) * perSecond);
    while (poured + burst <= due) {
      for (let i = 0; i < burst; i++) one(poured / burst);
      poured += burst;
    }
    if (poured + burst <= messages) return;
    clearInterval(timer);
    done();
  }, 10);
}
