// What does @holdfast/server give away?
export { deny, type Denial } from './authorize.ts';
export type { DrainOptions } from './drain.ts';
export type { Emitter, EventMap, Listener } from './emitter.ts';
export type { ServerError, ServerErrorCode } from './errors.ts';
export {
  DEFAULTS,
  type AdmissionOptions,
  type Admitted,
  type Authorize,
  type BudgetOptions,
  type HeartbeatOptions,
  type OriginFunction,
  type PeerOptions,
  type PlaceOptions,
  type ProtocolFunction,
  type Rate,
  type ServerOptions,
} from './options.ts';
export { createAllowlist, parseOrigin, type AbsentOrigin, type Allowlist, type Origin } from './origin.ts';
export type { Peer, PeerEvents } from './peer.ts';
export type { RefusalReason } from './refusal.ts';
export { memoryStore, type MemoryStoreOptions } from './sessions/memory-store.ts';
export type { SessionAuthorize, SessionCredentials, SessionOptions } from './sessions/options.ts';
export type { SessionInfo } from './sessions/platform.ts';
export type { Sessions } from './sessions/serving.ts';
export type { Session, SessionEnded, SessionEvents, SessionMessage, SessionSendOptions } from './sessions/session.ts';
export type {
  AppendOutcome,
  Awaitable,
  EndReason,
  Entry,
  Lease,
  OpenRequest,
  Progress,
  ResumeClaim,
  ResumeOutcome,
  Resumed,
  SessionBounds,
  SessionStore,
  Standing,
  StoreNews,
} from './sessions/store.ts';
export { createServer, type Refused, type Server, type ServerEvents } from './server.ts';
