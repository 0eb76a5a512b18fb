// What does a close say: never again, much later, as usual, or at a moment that the server names?

import { trimToBytes } from './bytes.ts';
import type { CloseInfo } from './adapter.ts';

/** Codes of RFC 6455 §7.4.1 and of the IANA registry that appear in our own rules. */
export const NORMAL = 1000;
export const NO_STATUS = 1005;
export const ABNORMAL = 1006;
export const POLICY_VIOLATION = 1008;
export const SERVICE_RESTART = 1012;
export const TRY_AGAIN_LATER = 1013;
/** Ours, after HTTP 429: the server wants fewer messages or fewer clients. */
export const TOO_MANY_REQUESTS = 4429;

/** RFC 6455 §5.5: a control frame holds 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

/** No server may keep a client waiting for longer than this, whatever it says. */
const MAX_RETRY_AFTER = 3_600_000;

/** A socket that ended without a word. */
export const lost = (cause?: unknown): CloseInfo => ({
  code: ABNORMAL,
  reason: '',
  wasClean: false,
  cause,
});

/** What a close means for the next attempt. The rules are those of docs/reconnecting.md, one row each. */
export type Meaning =
  /** Dial again after the usual backoff. */
  | 'retry'
  /** A message, a deploy or an outage caused it; the dial may be fine, so dial again, but with the longest delay at once. */
  | 'retry-late'
  /** The server knows us and says no. */
  | 'refused'
  /** It says no to these credentials; fresh ones may be welcome. */
  | 'unauthorized';

export function meaningOf(close: CloseInfo): Meaning {
  return close.status === undefined ? meaningOfCode(close.code) : meaningOfStatus(close.status);
}

function meaningOfCode(code: number): Meaning {
  switch (code) {
    case POLICY_VIOLATION:
    case 4401:
    case 4403:
      return 'unauthorized';
    case 1002: // protocol error
    case 1003: // unsupported data
    case 1007: // invalid payload
    case 1009: // message too big
    case 1010: // mandatory extension
    case 4804: // a session's store does not answer, so nothing can go on as yet
      return 'retry-late';
    case 4408: // request timeout
    case 4425: // too early
    case TOO_MANY_REQUESTS:
      return 'retry';
  }
  return code >= 4400 && code <= 4499 ? 'refused' : 'retry';
}

/** RFC 9110 §15. A redirect is not followed, as in browsers, and counts as any other failed dial. */
function meaningOfStatus(status: number): Meaning {
  switch (status) {
    case 401:
    case 403:
      return 'unauthorized';
    case 400:
    case 404: // a deploy may answer so for a minute, and a device must not die of it
    case 410:
    case 426:
      return 'retry-late';
  }
  return 'retry';
}

/** When the server wants the next dial, in milliseconds from now; `undefined` if it did not say. */
export function retryAfterOf(close: CloseInfo, random: number): number | undefined {
  if (close.retryAfter !== undefined) return fromSeconds(String(close.retryAfter), random);
  switch (close.code) {
    case SERVICE_RESTART:
    case TRY_AGAIN_LATER:
    case TOO_MANY_REQUESTS: {
      const match = /^retry-after=(\d{1,9}(?:\.\d{1,3})?)$/.exec(close.reason);
      return match ? fromSeconds(match[1]!, random) : undefined;
    }
  }
  return undefined;
}

/** Whole seconds are told to many clients at once, so they are spread over one more; a decimal slot is our own. */
function fromSeconds(seconds: string, random: number): number {
  const slot = Math.round(Number(seconds) * 1000);
  const spread = seconds.indexOf('.') < 0 ? random * 1000 : 0;
  return Math.min(MAX_RETRY_AFTER, slot + spread);
}

/** The reason by which a server names one client's slot, `ms` milliseconds from now; for codes 1012, 1013 and 4429. */
export function retryAfterReason(ms: number): string {
  return `retry-after=${(Math.max(0, ms) / 1000).toFixed(3)}`;
}

/** Whether an application may close with this code (WHATWG WebSockets, `close(code, reason)`). */
export function isClosable(code: unknown): code is number {
  return code === NORMAL || (typeof code === 'number' && code % 1 === 0 && code >= 3000 && code <= 4999);
}

/** A reason that fits into a close frame. */
export function trimReason(reason: string): string {
  return trimToBytes(reason, MAX_REASON_BYTES);
}
