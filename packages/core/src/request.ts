// What is to be dialled this time?

import { HoldfastError, isStopReconnecting, show } from './errors.ts';
import { resolveUrl } from './url.ts';
import type { Adapter, CloseInfo, SocketRequest } from './adapter.ts';

/** What a provider is told, so that it can refresh a token or pick another host. */
export interface DialContext {
  /** 0 for the first dial of a life or after a stable connection that was dropped by `reconnect()`, else the redial's number. */
  readonly attempt: number;
  /** How the last socket or attempt ended; `undefined` on the first. */
  readonly lastClose: CloseInfo | undefined;
}

/** A value, or a function asked before every dial. A throw, a rejection or `undefined` is a failed attempt. */
export type Provider<T> = T | ((context: DialContext) => T | PromiseLike<T>);

/** Where requests come from. */
export interface RequestSource {
  readonly url: Provider<string>;
  readonly protocols: Provider<string | readonly string[]>;
  readonly headers: Provider<Readonly<Record<string, string>>> | undefined;
}

/**
 * Asks the providers, all at once; answers at once too when none of them has to be waited for, so that a plain URL is
 * dialled in the same turn in which it was asked for.
 * @throws (or rejects) `PROVIDER_FAILED`, `INVALID_URL`, or the provider's own `StopReconnecting`
 */
export function prepareRequest(
  source: RequestSource,
  context: DialContext,
  adapter: Adapter,
): SocketRequest | PromiseLike<SocketRequest> {
  const answers = [
    ask('url', source.url, context),
    ask('protocols', source.protocols, context),
    source.headers === undefined ? undefined : ask('headers', source.headers, context),
  ] as const;
  return answers.some(isThenable)
    ? Promise.all(answers).then(
        ([url, protocols, headers]) => toRequest(url, protocols, headers, adapter),
        (cause) => {
          throw asProviderError('a provider', cause);
        },
      )
    : toRequest(answers[0], answers[1], answers[2], adapter);
}

function ask<T>(option: string, provider: Provider<T>, context: DialContext): unknown {
  if (typeof provider !== 'function') return provider;
  try {
    return (provider as (context: DialContext) => unknown)(context);
  } catch (cause) {
    throw asProviderError(`the ${option} provider`, cause);
  }
}

function toRequest(url: unknown, protocols: unknown, headers: unknown, adapter: Adapter): SocketRequest {
  return { url: resolveUrl(url, adapter), protocols: toProtocols(protocols), headers: toHeaders(headers) };
}

/** RFC 6455 §4.1: each protocol is an HTTP token, and none is named twice. */
export function toProtocols(value: unknown): readonly string[] {
  const list: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) throw bad('protocols', 'a string or a list of strings', value);
  list.forEach((protocol: unknown, i) => {
    if (typeof protocol !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(protocol)) {
      throw bad('protocols', 'made of HTTP tokens', protocol);
    }
    if (list.indexOf(protocol) !== i) throw bad('protocols', 'without duplicates', protocol);
  });
  return list.slice() as string[];
}

export function toHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) throw bad('headers', 'an object of strings', value);
  const headers: Record<string, string> = {};
  Object.keys(value).forEach((name) => {
    const text = (value as Record<string, unknown>)[name];
    if (typeof text !== 'string' || /[\r\n\0]/.test(text)) throw bad(`headers.${name}`, 'a string of one line', text);
    headers[name] = text;
  });
  return headers;
}

function bad(option: string, rule: string, value: unknown): HoldfastError {
  return new HoldfastError('INVALID_OPTION', `${option} must be ${rule}, got ${show(value)}`, { value });
}

function asProviderError(who: string, cause: unknown): unknown {
  if (isStopReconnecting(cause)) return cause;
  return new HoldfastError('PROVIDER_FAILED', `${who} failed: ${show(cause)}`, { cause });
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
