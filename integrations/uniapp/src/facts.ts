// What does a scenario tell?

/** How one attempt ended. */
export interface CloseFact {
  readonly code: number;
  readonly reason: string;
  readonly asked: boolean;
  readonly opened: boolean;
  readonly willReconnect: boolean;
  /** What the platform said, in words. */
  readonly cause: string;
}

/** All that a client told, by event, in order; and what the scenario noted beside it. */
export interface Facts {
  /** Whether it was a reconnection. */
  readonly open: readonly boolean[];
  readonly message: readonly (string | { readonly tag: string; readonly bytes: readonly number[] })[];
  readonly pong: readonly boolean[];
  readonly close: readonly CloseFact[];
  readonly drop: readonly string[];
  readonly error: readonly string[];
  readonly end: readonly string[];
  readonly [noted: string]: unknown;
}
