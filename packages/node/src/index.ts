// What does @holdfast/node give away?
export { nodeAdapter } from './adapter.ts';
export type { NodeOptions, TlsOptions } from './options.ts';
