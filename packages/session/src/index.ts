// What does @holdfast/session give away?

export { session } from './session.ts';
export { DEFAULTS, type SessionOptions } from './options.ts';
export {
  hostStorage,
  storedBy,
  webStorage,
  type HostStorageLike,
  type SessionStorage,
  type SnapshotStore,
  type WebStorageLike,
} from './storage.ts';
