// How does a client come about in a browser?

import { createClient, type Binary, type Client, type ClientOptions, type Data, type Provider } from '@holdfast/core';
import { browserAdapter, type BrowserOptions } from './adapter.ts';

/** Everything that a client can be told, and what only browsers know. */
export interface ConnectOptions<In = Data, Out = string | Binary> extends ClientOptions<In, Out>, BrowserOptions {}

/**
 * Makes a client on the platform's `WebSocket` and, unless `autoConnect` is false, dials. URLs may be relative to the
 * page.
 * @throws `INVALID_URL` or `INVALID_OPTION`, naming the option and the value; `HEADERS_UNSUPPORTED`, since browsers send
 * none of the caller's
 */
export function connect<In = Data, Out = string | Binary>(
  url: Provider<string>,
  options: ConnectOptions<In, Out> = {},
): Client<In, Out> {
  const { WebSocket, ...clientOptions } = options;
  return createClient<In, Out>(url, { ...clientOptions, adapter: options.adapter ?? browserAdapter({ WebSocket }) });
}
