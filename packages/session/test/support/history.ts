// What is written down of sessions, so that anybody can judge afterwards whether every promise was kept?
//
// Plain values, one for each thing that happened, oldest first: a simulation writes them, and so does a test over real
// sockets and a real store (then the events of several processes are put in order by one clock). Only what is marked as
// required has to be there; each of the others lets the checker see more.

/** One thing that happened. `at` is in milliseconds; of equal moments the order of the list counts. */
export type HistoryEvent = { readonly at: number } & (
  SettingsEvent | ClientHistory | ServerHistory | StoreHistory | FaultHistory | EndOfHistory
);

/** Required, first. What the servers were told. */
export interface SettingsEvent {
  readonly type: 'settings';
  readonly ttl: number;
  readonly takeoverTimeout: number;
  /** Of a server's outbox. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** The application's effects are part of the commit: each comes exactly once, whatever crashes. */
  readonly effects?: boolean;
}

/**
 * What an application sees of its client. `client` is one conversation, also across reloads of its page; `message` is a
 * number that the application puts into its payload: of all messages to servers no two have the same, and each client's
 * grow.
 */
export type ClientHistory =
  /** Required. `send` took it; stands before everything that came of it. */
  | { readonly type: 'accepted'; readonly client: string; readonly message: number }
  /** `send` returned false, as `full`. `writable` has to follow. */
  | { readonly type: 'refused'; readonly client: string }
  | { readonly type: 'writable'; readonly client: string }
  /** Required. What was accepted before was dropped, and told so. */
  | { readonly type: 'dropped'; readonly client: string; readonly message: number; readonly reason: string }
  /** Required. */
  | { readonly type: 'session'; readonly client: string; readonly resumed: boolean }
  /** Required. */
  | {
      readonly type: 'lost';
      readonly client: string;
      readonly reason: string;
      readonly inDoubt: readonly number[];
      readonly unsent: readonly number[];
    }
  /** Required. A message of the server's was told to the application. */
  | { readonly type: 'delivered'; readonly client: string; readonly sid: string; readonly message: number }
  /** Its newest socket ended. */
  | { readonly type: 'closed'; readonly client: string; readonly code: number }
  /** `open` or `resume` was written, and with what. */
  | {
      readonly type: 'attempt';
      readonly client: string;
      readonly attempt: number;
      /** Those of a resume. */
      readonly sid?: string | undefined;
      readonly received?: number;
      readonly acked?: number;
      readonly sent?: number;
    }
  /** It was handed to a server that keeps no sessions, and nothing more is promised. */
  | { readonly type: 'plain'; readonly client: string; readonly message: number }
  /** Its process went without a word, and another one goes on from what was stored. */
  | { readonly type: 'reloaded'; readonly client: string }
  /** A second holder of everything that `from` has stored: a duplicated tab. */
  | { readonly type: 'copied'; readonly client: string; readonly from: string }
  /** Required, if it happens: the application called `close()`, or its client told `end`. */
  | { readonly type: 'closing'; readonly client: string }
  /** Required, if it happens: its process ended and nothing was stored, so what it held went with it. */
  | { readonly type: 'gone'; readonly client: string };

/** What an application sees of its servers. */
export type ServerHistory =
  /** Required. A handler was called. */
  | {
      readonly type: 'handling';
      readonly node: string;
      readonly sid: string;
      readonly seq: number;
      readonly message: number;
    }
  /** And is done. */
  | { readonly type: 'handled'; readonly node: string; readonly sid: string; readonly seq: number }
  /** What the message does has been done, in one transaction with its commit. */
  | { readonly type: 'effect'; readonly sid: string; readonly seq: number }
  /** Required. `send` was called; of all messages to clients no two have the same number. */
  | {
      readonly type: 'sending';
      readonly node: string;
      readonly sid: string;
      readonly message: number;
      readonly bytes: number;
    }
  /** Required. It resolved true; `seq` is for those who can see it. */
  | { readonly type: 'appended'; readonly sid: string; readonly message: number; readonly seq?: number }
  /** It resolved false: there is no room, or no session. */
  | { readonly type: 'turned-away'; readonly sid: string; readonly message: number }
  /** The application ends a session. */
  | { readonly type: 'ending'; readonly sid: string }
  /** A node told that one has ended. */
  | { readonly type: 'ended'; readonly node: string; readonly sid: string; readonly reason: string };

/** What one who looks at the store and at the wire sees. */
export type StoreHistory =
  /** The store has committed everything up to there. */
  | { readonly type: 'committed'; readonly sid: string; readonly to: number }
  /** A server has written an acknowledgement. */
  | { readonly type: 'acked'; readonly sid: string; readonly seq: number }
  /** The life of a session was prolonged. */
  | { readonly type: 'touched'; readonly sid: string }
  /** A takeover has waited long enough, and takes the session from a handler in flight, on that node. */
  | { readonly type: 'forced'; readonly sid: string; readonly from: string }
  /** What the store has of a session now. */
  | {
      readonly type: 'position';
      readonly sid: string;
      readonly attempt: number;
      readonly conn: number;
      readonly committed: number;
      readonly acknowledged: number;
      readonly stored: number;
    }
  /** Something old reached the store, and did or did not change it. */
  | { readonly type: 'stale'; readonly what: 'write' | 'attempt'; readonly sid: string; readonly changed: boolean }
  /** So much is kept, and so much may be. */
  | { readonly type: 'level'; readonly whose: string; readonly level: number; readonly bound: number }
  /** A rule that only those on the wire can see was broken. */
  | { readonly type: 'breach'; readonly rule: string; readonly words: string };

/** What went wrong on purpose, and excuses something. Required, as far as it happens. */
export type FaultHistory =
  /** A node died, with all it had in memory. */
  | { readonly type: 'crashed'; readonly node: string }
  /** The store has forgotten its last writes. */
  | { readonly type: 'rolled-back' }
  /** The store did not do what it was asked for, or did not say so. */
  | { readonly type: 'store-failed' }
  /** The client's credentials are not those of its session any more. */
  | { readonly type: 'unauthorized'; readonly client: string }
  /** There are more clients than there may be sessions, so some dial for ever. */
  | { readonly type: 'crowded' }
  /** Some servers speak plainly. */
  | { readonly type: 'plain-servers' }
  /** Somebody speaks who does not keep the protocol. */
  | { readonly type: 'corrupted'; readonly client: string };

export type EndOfHistory =
  /** Nothing goes wrong any more. */
  | { readonly type: 'quiet' }
  /** At the end: the client has this session, and it lives. */
  | { readonly type: 'stands'; readonly client: string; readonly sid: string }
  /** Required, last: enough time has passed for all that was promised. `held`: what clients still have. */
  | { readonly type: 'settled'; readonly held: readonly number[] };
