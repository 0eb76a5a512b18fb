// What can be asked of Node beside what every runtime takes, and what is refused at the door?

import type { Agent } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import { constants } from 'node:buffer';
import { inspect } from 'node:util';
import { HoldfastError } from '@holdfast/core';

/** The options of `tls.connect` that are about trust and identity. What says where to dial is the URL's alone. */
const TLS_KEYS = [
  'ca',
  'cert',
  'key',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'servername',
  'checkServerIdentity',
  'secureContext',
  'ciphers',
  'minVersion',
  'maxVersion',
] as const;

/** Options of `tls.connect`, as Node documents them; used for `wss:` URLs. */
export type TlsOptions = Pick<ConnectionOptions, (typeof TLS_KEYS)[number]>;

export interface NodeOptions {
  /**
   * Whether the timers of the heartbeat and the backoff let the process end when nothing else keeps it running. An open
   * socket keeps it running either way.
   * @default false
   */
  readonly unref?: boolean | undefined;
  /**
   * Certificates, keys and what is checked of the server's, for `wss:` URLs.
   * @default Node's own: the server must show a certificate that Node's list of authorities vouches for
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Makes the connections, for instance through a proxy: an `http.Agent` for `ws:` URLs, an `https.Agent` for `wss:`.
   * @default none: one fresh connection for each socket
   */
  readonly agent?: Agent | undefined;
  /**
   * The largest message that is accepted, in bytes. A larger one ends the socket (RFC 6455 §7.4.1, code 1009 to the
   * server) before it is read. A message is held in memory whole, so this bounds what a server gone wrong can take;
   * 32 MiB carries twice what the suite proves, and is a third of what `ws` would let in.
   * @default 33_554_432
   */
  readonly maxPayload?: number | undefined;
  /**
   * Offers the server to compress messages (RFC 7692). Off, since it costs memory for each socket and a trip to the
   * thread pool for each message, and because what is compressed beside a secret can betray it by its length.
   * @default false
   */
  readonly perMessageDeflate?: boolean | undefined;
}

/** {@link NodeOptions} with nothing left open. */
export interface Settings {
  readonly unref: boolean;
  readonly tls: TlsOptions;
  readonly agent: Agent | undefined;
  readonly maxPayload: number;
  readonly perMessageDeflate: boolean;
}

export const DEFAULTS: Settings = Object.freeze({
  unref: false,
  tls: Object.freeze({}),
  agent: undefined,
  maxPayload: 32 * 1024 * 1024,
  perMessageDeflate: false,
});

/** @throws `INVALID_OPTION`, naming the option and the value */
export function settingsOf(options: NodeOptions): Settings {
  checkKeys('', options, Object.keys(DEFAULTS));
  const { unref, tls, agent, maxPayload, perMessageDeflate } = options;
  checkBoolean('unref', unref);
  checkBoolean('perMessageDeflate', perMessageDeflate);
  // a longer text could be received, but not made into a string
  const limit = constants.MAX_STRING_LENGTH;
  if (maxPayload !== undefined && !(Number.isInteger(maxPayload) && maxPayload > 0 && maxPayload <= limit)) {
    throw invalid('maxPayload', `a whole number of bytes from 1 to ${limit}`, maxPayload);
  }
  if (agent !== undefined && typeof (agent as { addRequest?: unknown } | null)?.addRequest !== 'function') {
    throw invalid('agent', 'an http.Agent or an https.Agent', agent);
  }
  return {
    unref: unref ?? DEFAULTS.unref,
    tls: tls === undefined ? DEFAULTS.tls : tlsSettingsOf(tls),
    agent,
    maxPayload: maxPayload ?? DEFAULTS.maxPayload,
    perMessageDeflate: perMessageDeflate ?? DEFAULTS.perMessageDeflate,
  };
}

/** A copy without gaps: an explicit `undefined` would undo a default of Node's. */
function tlsSettingsOf(tls: TlsOptions): TlsOptions {
  checkKeys('tls', tls, TLS_KEYS);
  checkBoolean('tls.rejectUnauthorized', tls.rejectUnauthorized);
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

/** A misspelt option would be ignored in silence, and one about TLS must not be. */
function checkKeys(name: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalid(name || 'options', 'an object', options);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const option = name === '' ? key : `${name}.${key}`;
    throw new HoldfastError('INVALID_OPTION', `${option} is not one of ${known.join(', ')}`, {
      value: key,
    });
  }
}

function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(option, 'a boolean', value);
}

function invalid(option: string, rule: string, value: unknown): HoldfastError {
  const shown = inspect(value, { depth: 0, maxStringLength: 60 });
  return new HoldfastError('INVALID_OPTION', `${option} must be ${rule}, got ${shown}`, { value });
}
