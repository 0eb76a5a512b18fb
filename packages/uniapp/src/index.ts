// What does @holdfast/uniapp give away?
export { connect, type ConnectOptions } from './connect.ts';
export { uniappAdapter, type UniappOptions } from './adapter.ts';
export type { Callbacks, CloseOptions, ConnectSocket, ConnectSocketOptions, SendOptions, SocketTask } from './task.ts';
export * from '@holdfast/core';
