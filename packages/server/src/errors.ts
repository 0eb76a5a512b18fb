// Which errors does a server tell, and what does each carry?

import { inspect } from 'node:util';
import { HoldfastError, type ErrorDetails } from '@holdfast/core';

/** Every code that an error of the server's can carry. Each is a heading in docs/errors.md. Decide on codes, never on messages. */
export type ServerErrorCode =
  // misuse: thrown at once, to the one who called
  | 'INVALID_OPTION'
  | 'INVALID_DATA'
  | 'INVALID_CLOSE'
  // the HTTP server underneath
  | 'SERVER_FAILED'
  // who may come in
  | 'ORIGINS_OPEN'
  | 'ORIGIN_CHECK_FAILED'
  | 'AUTHORIZE_FAILED'
  | 'ADMISSION_TIMEOUT'
  | 'PROTOCOLS_FAILED'
  // one peer's trouble; that peer is gone or going
  | 'HEARTBEAT_TIMEOUT'
  | 'SLOW_READER'
  | 'BUDGET_EXCEEDED'
  | 'PROTOCOL_VIOLATION'
  // sessions
  | 'HANDLER_FAILED'
  | 'STORE_FAILED'
  | 'SESSION_FENCED'
  | 'SESSION_GONE'
  | 'COMMIT_LATE'
  // the caller's code
  | 'LISTENER_THREW';

/** What `error` listeners of a server and of a peer hear. */
export type ServerError = HoldfastError<ServerErrorCode>;

export const serverError = (code: ServerErrorCode, message: string, details?: ErrorDetails): ServerError =>
  new HoldfastError(code, message, details);

export const storeFailed = (cause: unknown): ServerError =>
  serverError('STORE_FAILED', 'the store of sessions failed', { cause });

/** `name` is the option as the caller writes it, `expected` what would have been right. */
export const invalidOption = (name: string, expected: string, value: unknown): ServerError =>
  serverError('INVALID_OPTION', `${name} must be ${expected}, got ${shown(value)}`, { value });

/** How a message shows a value: short, on one line, and never throwing. */
export function shown(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 80 });
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
