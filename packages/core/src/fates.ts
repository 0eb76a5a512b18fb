// What can become of a message, and what may be said of it when it is sent?

/**
 * Why a message was dropped:
 * - `full`: the queue's bounds are reached (`overflow: 'refuse'`: this message; `'drop-oldest'`: the oldest), or a
 *   `volatile` one could not go out at once
 * - `too-large`: it alone is larger than the queue's bytes
 * - `expired`: its `maxAge` passed before a socket took it
 * - `not-open`: it was sent with `ifOpen` or `volatile`, or nothing is kept (`queue: false`), and no socket was open
 * - `rejected`: the platform refused this one message
 * - `unconfirmed`: it was held until its receipt is proven, a socket has taken it, and it will not be sent again: it may
 *   or may not have arrived
 * - `poison`: three sockets in a row died with this message the first unproven
 * - `closed`: after, or still queued at, the caller's `close()`
 * - `ended`: after, or still queued at, any other end of the client
 */
export type DropReason =
  'full' | 'too-large' | 'expired' | 'not-open' | 'rejected' | 'unconfirmed' | 'poison' | 'closed' | 'ended';

/** What became of a message at the call: on its way, waiting, or refused (and told by `drop`). */
export type SendResult = 'sent' | 'queued' | false;

export interface SendOptions {
  /**
   * How long this message may wait for a socket, in milliseconds.
   * @default the queue's `maxAge`
   */
  readonly maxAge?: number | undefined;
  /**
   * Only on the socket that is open now: an unsubscribe need not outlive its subscription.
   * @default false
   */
  readonly ifOpen?: boolean | undefined;
  /**
   * Now or never: handed to the open socket at once, past what waits, and neither queued nor held nor sent again. For
   * what the next message makes worthless, such as the position of a pointer.
   * @default false
   */
  readonly volatile?: boolean | undefined;
}

/** The option `queue`, checked and complete. */
export interface QueuePolicy {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxAge: number;
  readonly overflow: 'refuse' | 'drop-oldest';
  readonly highWaterMark: number;
}
