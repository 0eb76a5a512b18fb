// How does a client come about in uni-app or in a mini-program?

import { createClient, type Binary, type Client, type ClientOptions, type Data, type Provider } from '@holdfast/core';
import { uniappAdapter, type UniappOptions } from './adapter.ts';

/** Everything that a client can be told, and what only these hosts know. */
export interface ConnectOptions<In = Data, Out = string | Binary> extends ClientOptions<In, Out>, UniappOptions {}

/**
 * Makes a client on `uni.connectSocket`, or on the function that is given, and, unless `autoConnect` is false, dials.
 * @throws `INVALID_URL` or `INVALID_OPTION`, naming the option and the value; `HEADERS_UNSUPPORTED` on H5, where browsers
 * send none of the caller's
 */
export function connect<In = Data, Out = string | Binary>(
  url: Provider<string>,
  options: ConnectOptions<In, Out> = {},
): Client<In, Out> {
  const { connectSocket, ...clientOptions } = options;
  return createClient<In, Out>(url, { ...clientOptions, adapter: options.adapter ?? uniappAdapter({ connectSocket }) });
}
