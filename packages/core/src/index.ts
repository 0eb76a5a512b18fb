// What does @holdfast/core give away?

// for everybody
export { createClient } from './client.ts';
export type { Client, ClientEvents, CloseEvent, DropEvent, LostEvent, Status } from './client.ts';
export { DEFAULTS } from './options.ts';
export type { AbortSignalLike, ClientOptions, HeartbeatOptions, QueueOptions, ReconnectOptions } from './options.ts';
export type { DialContext, Provider } from './request.ts';
export type { Handshake, HandshakeContext } from './handshake.ts';
export type { DropReason, SendOptions, SendResult } from './fates.ts';
export type { EndReason } from './states.ts';
export type { MessageReader } from './messages.ts';
export { json, type Codec, type JsonOptions, type StandardSchema } from './codec.ts';
export { HoldfastError, StopReconnecting, isHoldfastError, type ErrorCode, type ErrorDetails } from './errors.ts';
export type { Binary, Data } from './bytes.ts';

export type { ProgressEvent, SessionEvent, SessionOption } from './session-layer.ts';

// for those who write an adapter, a server, a session layer or a test
export type { Leftovers, SessionQueue, SessionHost, SessionLayer } from './session-layer.ts';
export type { QueuedMessage } from './send-queue.ts';
export type { Adapter, Capabilities, CloseInfo, Hint, Socket, SocketEvents, SocketRequest } from './adapter.ts';
export { withAccessors } from './accessors.ts';
export { byteLength, utf8Length, viewOf } from './bytes.ts';
export { createClock, type Clock, type ClockParts } from './clock.ts';
export { isClosable, retryAfterReason, trimReason } from './close-codes.ts';
export { transition } from './machine.ts';
export { has, oneOf, positive, readGroup, type Rule } from './rules.ts';
