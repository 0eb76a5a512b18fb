// Which errors are there, and how are they recognised?

/** Every code that an error of ours can carry. Each is a heading in docs/errors.md. Decide on codes, never on messages. */
export type ErrorCode =
  // misuse: thrown at once, to the one who called
  | 'INVALID_OPTION'
  | 'INVALID_URL'
  | 'INVALID_DATA'
  | 'ENCODE_FAILED'
  | 'HEADERS_UNSUPPORTED'
  | 'NO_ADAPTER'
  | 'NOT_OPEN'
  // the network's trouble and the peer's: told by `error`, by the cause of a `close`, or by a rejection
  | 'CONNECT_TIMEOUT'
  | 'PROVIDER_FAILED'
  | 'HANDSHAKE_FAILED'
  | 'HEARTBEAT_TIMEOUT'
  | 'HEARTBEAT_UNANSWERED'
  | 'HEARTBEAT_REFUSED'
  | 'CLOSE_TIMEOUT'
  | 'DECODE_FAILED'
  | 'LISTENER_THREW'
  // the session's
  | 'SESSION_LOST'
  | 'SESSION_PROTOCOL'
  | 'SESSION_UNSUPPORTED'
  | 'STORAGE_FAILED'
  // the answer to something that was waited for
  | 'ENDED'
  | 'IN_HANDSHAKE'
  | 'MESSAGES_OVERFLOW'
  | 'NO_PROOF'
  | 'UNCONFIRMED';

/** What an error may carry beside its code and message. */
export interface ErrorDetails {
  /** What was thrown underneath. */
  readonly cause?: unknown;
  /** The close that this error is about. */
  readonly closeCode?: number | undefined;
  /** The value at fault: the option's value, or the message that could not be decoded. */
  readonly value?: unknown;
}

const BRAND = 'holdfast.error';

/** The one error class. Recognise it by {@link isHoldfastError}, since two copies of a package defeat `instanceof`. */
export class HoldfastError<Code extends string = ErrorCode> extends Error {
  /** From a closed list; each is a heading in docs/errors.md. */
  readonly code: Code;
  /** What was thrown underneath, if anything was. */
  readonly cause?: unknown;
  /** The close code that this error is about, if it is about one. */
  readonly closeCode?: number | undefined;
  /** The value at fault, if one is. */
  readonly value?: unknown;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(`${code}: ${message}`);
    this.name = 'HoldfastError';
    this.code = code;
    if ('cause' in details) this.cause = details.cause;
    if ('closeCode' in details) this.closeCode = details.closeCode;
    if ('value' in details) this.value = details.value;
  }

  /** @internal */
  get brand(): string {
    return BRAND;
  }
}

/** True for every error made by Holdfast, whichever copy of the package made it. */
export function isHoldfastError(error: unknown): error is HoldfastError {
  return typeof error === 'object' && error !== null && (error as { brand?: unknown }).brand === BRAND;
}

const STOP_BRAND = 'holdfast.stop';

/**
 * Thrown by a provider or a `handshake`, ends the client with the reason `stopped`: there is no use in dialling again,
 * for instance because the user has signed out.
 */
export class StopReconnecting extends Error {
  constructor(reason = 'the caller said stop') {
    super(reason);
    this.name = 'StopReconnecting';
  }

  /** @internal */
  get brand(): string {
    return STOP_BRAND;
  }
}

export function isStopReconnecting(error: unknown): error is StopReconnecting {
  return typeof error === 'object' && error !== null && (error as { brand?: unknown }).brand === STOP_BRAND;
}

/** How a message shows a value: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  return String(value);
}
