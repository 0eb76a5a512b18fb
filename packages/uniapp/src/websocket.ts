// How does a library that wants a WebSocket run in a mini-program?

import {
  createWebSocketClass as createClass,
  type WebSocketClass,
  type WebSocketClassOptions as ClassOptions,
} from '@holdfast/core/websocket';
import { uniappAdapter, type UniappOptions } from './adapter.ts';

/** What all sockets of one class share. Durations are milliseconds. */
export interface WebSocketClassOptions extends ClassOptions, UniappOptions {}

/**
 * Makes a WebSocket class on `uni.connectSocket`, or on the function that is given, by the names of the standard. One
 * `new WebSocket(url)` is one task, which is never redialled: the library does that. An attempt that does not open and a
 * closing handshake that is not answered end within a bounded time.
 * @throws `INVALID_OPTION` naming the option and the value, `HEADERS_UNSUPPORTED`
 */
export function createWebSocketClass(options: WebSocketClassOptions = {}): WebSocketClass {
  const { connectSocket, ...classOptions } = options;
  return createClass(uniappAdapter({ connectSocket }), classOptions);
}

export type { UniappOptions } from './adapter.ts';
export type { ConnectSocket, ConnectSocketOptions, SocketTask } from './task.ts';
export * from '@holdfast/core/websocket';
