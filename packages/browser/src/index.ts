// What does @holdfast/browser give away?
export { browserAdapter, type BrowserOptions } from './adapter.ts';
export { connect, type ConnectOptions } from './connect.ts';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.ts';
export * from '@holdfast/core';
