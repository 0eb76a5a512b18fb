// How does a client come about in Node?

import { createClient, type Binary, type Client, type ClientOptions, type Data, type Provider } from '@holdfast/core';
import { nodeAdapter } from './adapter.ts';
import type { NodeOptions } from './options.ts';

/** Everything that a client can be told, and what only Node knows. */
export interface ConnectOptions<In = Data, Out = string | Binary> extends ClientOptions<In, Out>, NodeOptions {}

/**
 * Makes a client on `ws` and, unless `autoConnect` is false, dials.
 * @throws `INVALID_URL` or `INVALID_OPTION`, naming the option and the value
 */
export function connect<In = Data, Out = string | Binary>(
  url: Provider<string>,
  options: ConnectOptions<In, Out> = {},
): Client<In, Out> {
  const { unref, tls, agent, maxPayload, perMessageDeflate, ...clientOptions } = options;
  const adapter = options.adapter ?? nodeAdapter({ unref, tls, agent, maxPayload, perMessageDeflate });
  return createClient<In, Out>(url, { ...clientOptions, adapter });
}
