// How does a client come about in Node?

import {
  createClient,
  HoldfastError,
  type Binary,
  type Client,
  type ClientOptions,
  type Data,
  type Provider,
} from '@holdfast/core';
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
  const nodeOptions = { unref, tls, agent, maxPayload, perMessageDeflate };
  if (options.adapter) refuse(nodeOptions);
  return createClient<In, Out>(url, { ...clientOptions, adapter: options.adapter ?? nodeAdapter(nodeOptions) });
}

/** What an adapter of the caller's would never hear of. */
function refuse(nodeOptions: NodeOptions): void {
  for (const [name, value] of Object.entries(nodeOptions)) {
    if (value === undefined) continue;
    throw new HoldfastError('INVALID_OPTION', `${name} is for our own adapter, and another was given`, { value });
  }
}
