// What does @holdfast/node give away?
export { connect, type ConnectOptions } from './connect.ts';
export { nodeAdapter } from './adapter.ts';
export { fileStore, type FileStore } from './file-store.ts';
export type { NodeOptions, TlsOptions } from './options.ts';
export * from '@holdfast/core';
