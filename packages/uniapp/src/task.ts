// What does a host give for a socket, whichever host it is?
//
// Only what all of them have: `uni.connectSocket`, `wx`, `my`, `tt`, `swan`, `qq`, `ks`, `jd`, `xhs` and Taro fit as they
// are. There is no `readyState` here on purpose: an App says 3, closed, while it is connecting.

import type { SocketRequest } from '@holdfast/core';

/** One socket of a host. Its `on…` methods append on some hosts and replace on others, so each is called once. */
export interface SocketTask {
  /** With {@link SendOptions}; `never`, for hosts type them in ways that exclude each other. */
  send(options: never): void;
  /** With {@link CloseOptions}. */
  close(options: never): void;
  onOpen(opened: (result: unknown) => void): void;
  onMessage(received: (result: unknown) => void): void;
  onError(failed: (result: unknown) => void): void;
  onClose(closed: (result: unknown) => void): void;
}

/** What `connectSocket` is called with. All three callbacks are always there: without one, uni-app returns no task. */
export interface ConnectSocketOptions extends Callbacks {
  readonly url: string;
  /** Alipay returns a task only when it is asked for several; elsewhere it means nothing. */
  readonly multiple: true;
  header?: Record<string, string>;
  protocols?: string[];
}

export interface SendOptions extends Callbacks {
  data: string | ArrayBuffer;
  /** Alipay: `data` is binary as base64. */
  isBuffer?: boolean;
}

export interface CloseOptions extends Callbacks {
  code: number;
  reason: string;
}

export interface Callbacks {
  success: (result: unknown) => void;
  fail: (result: unknown) => void;
  complete: (result: unknown) => void;
}

/** `uni.connectSocket` and its kin. A promise of a task, as Taro gives it, is waited for. */
export type ConnectSocket = (options: ConnectSocketOptions) => SocketTask | PromiseLike<unknown> | undefined | void;

const nothing = (): void => {};

export function isTask(value: unknown): value is SocketTask {
  return isObject(value) && typeof value['onOpen'] === 'function';
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value['then'] === 'function';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What is absent is left out: Alipay warns of each key that it does not know. */
export function toOptions(
  { url, headers, protocols }: SocketRequest,
  fail: (said: unknown) => void,
): ConnectSocketOptions {
  const options: ConnectSocketOptions = { url, multiple: true, success: nothing, fail, complete: nothing };
  if (headers) options.header = { ...headers };
  if (protocols.length > 0) options.protocols = protocols.slice();
  return options;
}

/** RFC 6455 §4.2.2: in a header of the server's answer, which some hosts pass on. Empty where they do not. */
export function protocolOf(event: unknown): string {
  const header = isObject(event) ? event['header'] : undefined;
  if (!isObject(header)) return '';
  const name = Object.keys(header).filter((each) => each.toLowerCase() === 'sec-websocket-protocol')[0];
  const protocol = name === undefined ? '' : header[name];
  return typeof protocol === 'string' ? protocol : '';
}

/** Says what a host said, with its whole answer as the `cause`. For logs; nothing is decided by its message but {@link isGone}. */
export function hostError(said: unknown): Error {
  const answer = isObject(said) ? said : {};
  const words = [said, answer['errMsg'], answer['errorMessage'], answer['message']].filter(isText)[0];
  return Object.assign(new Error(words || 'the host gave no reason'), { cause: said });
}

/** A host says so of a task that it has dropped without ever telling a close. */
export function isGone(error: Error): boolean {
  return /taskid not exist|not connected|readystate is not open/i.test(error.message);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
