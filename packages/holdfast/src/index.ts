// Which runtime is this, where the bundler or the loader has not said so?
//
// This is what every runtime but Node loads; Node loads node.ts. Both have these types and no others, so that a module
// that is shared between a server and a page means the same in both.

import { createClient, type Binary, type Client, type ClientOptions, type Data, type Provider } from '@holdfast/core';
import { browserAdapter } from '@holdfast/browser';
import { uniappAdapter } from '@holdfast/uniapp';

/** Replaced in the builds of uni-app, and only where the text is `uni.connectSocket`; so it is asked here, in these words. */
declare const uni: { readonly connectSocket: unknown };

/** Everything that a client can be told, in every runtime. What only one of them knows is told to its own package. */
export interface ConnectOptions<In = Data, Out = string | Binary> extends ClientOptions<In, Out> {
  /**
   * Whether waiting alone may let the process end, where there is one (Node); nothing elsewhere.
   * @default false
   */
  readonly unref?: boolean | undefined;
}

/**
 * Makes a client on what the runtime has – `ws` in Node, `uni.connectSocket` in uni-app, else the platform's `WebSocket` –
 * and, unless `autoConnect` is false, dials.
 * @throws `INVALID_URL`, `INVALID_OPTION` or `HEADERS_UNSUPPORTED`, naming the option and the value
 */
export function connect<In = Data, Out = string | Binary>(
  url: Provider<string>,
  options: ConnectOptions<In, Out> = {},
): Client<In, Out> {
  const { unref: _onlyForProcesses, ...clientOptions } = options;
  // first, since on H5 there is a WebSocket too, but what hides and shows the app is known to uni-app
  const hasUniapp = typeof uni !== 'undefined' && typeof uni.connectSocket === 'function';
  const adapter = options.adapter ?? (hasUniapp ? uniappAdapter() : browserAdapter());
  return createClient<In, Out>(url, { ...clientOptions, adapter });
}

export * from '@holdfast/core';
