// Which WebSocket is there, and how is it listened to?

/** The part of a WebSocket that is used. Its events are anybody's: some platforms have classes of their own for them. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol?: string | undefined;
  readonly bufferedAmount?: number | undefined;
  send(data: never): void;
  close(code?: number, reason?: string): void;
}

/** A constructor of WebSockets: the platform's, a mock's or a polyfill's. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocketLike;

export interface SocketListeners {
  open(): void;
  message(event: { readonly data: unknown }): void;
  error(event: unknown): void;
  close(event: { readonly code?: number; readonly reason?: string; readonly wasClean?: boolean }): void;
}

/** `readyState` of a socket that is over, whether or not its close event has been told. */
export const CLOSED = 3;

/**
 * The global `WebSocket`, read at every dial, so that one that is mocked or brought later is found.
 * @throws where there is none
 */
export function globalWebSocket(): WebSocketConstructor {
  if (typeof WebSocket === 'undefined') {
    throw new Error('there is no WebSocket here; give one as options.WebSocket, or use the package for your runtime');
  }
  return WebSocket;
}

/**
 * Attaches all four at once. Returns a function that takes them off, but for `error`: the `ws` package, given as the
 * constructor, tells one when it is closed while dialling, and ends the process if nobody listens.
 */
export function listenTo(socket: WebSocketLike, listeners: SocketListeners): () => void {
  const target = socket as unknown as EventTarget & Record<string, unknown>;
  const names = Object.keys(listeners) as (keyof SocketListeners)[];
  const leaving = names.filter((name) => name !== 'error');
  if (typeof target.addEventListener !== 'function') {
    for (const name of names) target[`on${name}`] = listeners[name];
    return () => leaving.forEach((name) => (target[`on${name}`] = null));
  }
  for (const name of names) target.addEventListener(name, listeners[name] as (event: unknown) => void);
  return () => leaving.forEach((name) => target.removeEventListener(name, listeners[name] as (event: unknown) => void));
}
