// What does @holdfast/session give away?

export { session } from './session.ts';
export { DEFAULTS, type SessionOptions } from './options.ts';
export { hostStorage, webStorage, type HostStorageLike, type SessionStorage, type WebStorageLike } from './storage.ts';
