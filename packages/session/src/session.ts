// How is a session asked for?

import type { SessionOption } from '@holdfast/core';
import { createLayer } from './layer.ts';
import { readOptions, type SessionOptions } from './options.ts';

/**
 * For the option `session` of a client: messages arrive in order, none is missing and none comes twice, both ways, across
 * sockets and restarts of the server; or `lost` says which.
 * @throws `INVALID_OPTION` naming the option and the value
 */
export function session(options: SessionOptions = {}): SessionOption {
  const settings = readOptions(options);
  return { mode: settings.mode, attach: (host) => createLayer(settings, host) };
}
