// What does @holdfast/core/websocket give away?
export { createWebSocketClass, type WebSocketClass, type WebSocketClassOptions } from './face-class.ts';
export { toWebSocket, type LastingWebSocket } from './face-of-client.ts';
export type { FaceCloseEvent, FaceErrorEvent, FaceEvent, FaceEvents, FaceMessageEvent, WebSocketFace } from './face.ts';
export type { BlobLike } from './outbox.ts';
export type { EventListener, ListenOptions } from './event-target.ts';
