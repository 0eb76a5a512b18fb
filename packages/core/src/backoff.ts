// How long is the wait before redial n?

/** How waits grow. Values in, a value out: no counter, no clock, no Math.random. */
export interface Backoff {
  /** The first wait is at most this long, in milliseconds. */
  readonly initialDelay: number;
  /** No wait is longer than this, in milliseconds. */
  readonly maxDelay: number;
  /** What each further wait is multiplied by. */
  readonly factor: number;
  /** `'full'` draws evenly between nothing and the whole wait; `'none'` waits the whole wait. */
  readonly jitter: 'full' | 'none';
}

/**
 * The wait before a redial, where `n` counts the redials since the last stable connection from 0. The cap comes before
 * the random factor, so that late waits are spread as widely as early ones.
 */
export function backoffDelay(backoff: Backoff, n: number, random: number): number {
  const grown = backoff.initialDelay * Math.pow(backoff.factor, n);
  // 0 × Infinity, far out on a backoff that starts with no wait at all
  return spread(backoff, Number.isNaN(grown) ? 0 : Math.min(backoff.maxDelay, grown), random);
}

/** The longest wait at once, for a close that redialling soon would only bring back. */
export function longestDelay(backoff: Backoff, random: number): number {
  return spread(backoff, backoff.maxDelay, random);
}

function spread(backoff: Backoff, delay: number, random: number): number {
  return backoff.jitter === 'full' ? random * delay : delay;
}
