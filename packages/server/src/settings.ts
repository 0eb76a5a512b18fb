// Are the options sensible, and what do they come to once every gap is filled?

import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { aFunction, duration, positive, refuseUnknown, size, text } from './checks.ts';
import { invalidOption } from './errors.ts';
import {
  DEFAULTS,
  type Authorize,
  type BudgetOptions,
  type HeartbeatOptions,
  type OriginFunction,
  type PlaceOptions,
  type ProtocolFunction,
  type Rate,
  type ServerOptions,
} from './options.ts';
import { createAllowlist, readSameHosts, type OriginPolicy } from './origin.ts';
import type { SessionSettings } from './sessions/options.ts';
import { readSessionOptions } from './sessions/settings.ts';

/** The options, checked and complete. */
export interface Settings<Identity> {
  readonly place: Place;
  readonly path: string | undefined;
  readonly originPolicy: OriginPolicy;
  readonly originFunction: OriginFunction | undefined;
  readonly authorize: Authorize<Identity> | undefined;
  readonly admissionTimeout: number;
  readonly protocols: readonly string[] | ProtocolFunction;
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly retryAfter: number;
  readonly heartbeat: Required<Defined<HeartbeatOptions>> | false;
  readonly maxPayload: number;
  readonly maxBufferedBytes: number;
  readonly budget: Required<Defined<BudgetOptions>> | false;
  readonly closeTimeout: number;
  readonly sessions: SessionSettings<Identity> | undefined;
}

export type Place =
  | ({ readonly name: 'own'; readonly port: number } & Pick<PlaceOptions, 'host' | 'tls'>)
  | { readonly name: 'shared'; readonly server: NonNullable<PlaceOptions['server']> }
  | { readonly name: 'none' };

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** @throws INVALID_OPTION, naming the option and the value. Never writes into `options`. */
export function readOptions<Identity>(options: ServerOptions<Identity>): Settings<Identity> {
  refuseUnknown('', options, OPTION_NAMES);
  const origins = options.origins ?? DEFAULTS.origins;
  const credentials = options.credentials ?? DEFAULTS.credentials;
  if (credentials !== 'cookie' && credentials !== 'other') {
    throw invalidOption('credentials', "'cookie' or 'other'", credentials);
  }
  if (origins === '*' && credentials === 'cookie') {
    throw invalidOption('origins', "a list of your own with credentials: 'cookie'", origins);
  }
  const heartbeat = options.heartbeat !== false && readHeartbeat(options.heartbeat ?? {});
  const admissionTimeout = duration('admissionTimeout', options.admissionTimeout ?? DEFAULTS.admissionTimeout);
  const retryAfter = duration('retryAfter', options.retryAfter ?? DEFAULTS.retryAfter);
  const maxPayload = size('maxPayload', options.maxPayload ?? DEFAULTS.maxPayload);
  const maxBufferedBytes = positive('maxBufferedBytes', options.maxBufferedBytes ?? DEFAULTS.maxBufferedBytes);
  const { interval } = heartbeat || DEFAULTS.heartbeat;
  const surroundings = { heartbeat: interval, admissionTimeout, retryAfter, maxPayload, maxBufferedBytes };
  return {
    place: readPlace(options),
    path: readPath(options.path),
    originPolicy: readOriginPolicy(options, origins),
    originFunction: typeof origins === 'function' ? origins : undefined,
    authorize: aFunction('authorize', options.authorize),
    admissionTimeout,
    protocols: readProtocols(options.protocols ?? DEFAULTS.protocols),
    maxPeers: positive('maxPeers', options.maxPeers ?? DEFAULTS.maxPeers),
    maxPeersPerAddress: positive('maxPeersPerAddress', options.maxPeersPerAddress ?? DEFAULTS.maxPeersPerAddress),
    addressOf: aFunction('addressOf', options.addressOf) ?? addressOf,
    retryAfter,
    heartbeat,
    maxPayload,
    maxBufferedBytes,
    budget: options.budget !== false && readBudget(options.budget ?? {}),
    closeTimeout: duration('closeTimeout', options.closeTimeout ?? DEFAULTS.closeTimeout),
    sessions: options.sessions === undefined ? undefined : readSessionOptions(options.sessions, surroundings),
  };
}

function readPlace({ port, host, tls, server, noServer }: PlaceOptions): Place {
  const chosen = [port, server, noServer || undefined].filter((choice) => choice !== undefined);
  if (chosen.length !== 1) {
    throw invalidOption('port, server, noServer', 'exactly one of the three', { port, server, noServer });
  }
  if (port === undefined && (host !== undefined || tls !== undefined)) {
    throw invalidOption(host === undefined ? 'tls' : 'host', 'given only with port', host ?? tls);
  }
  if (server !== undefined) {
    if (typeof (server as { on?: unknown }).on === 'function') return { name: 'shared', server };
    throw invalidOption('server', 'an HTTP or HTTPS server', server);
  }
  if (port === undefined) return { name: 'none' };
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalidOption('port', 'a whole number from 0 to 65535', port);
  }
  return { name: 'own', port, host, tls };
}

function readPath(path: unknown): string | undefined {
  if (path === undefined || (typeof path === 'string' && /^\/[^?#\s]*$/.test(path))) return path;
  throw invalidOption('path', "a path that begins with '/', without a query", path);
}

function readOriginPolicy<Identity>(
  { absentOrigin, sameHost }: ServerOptions<Identity>,
  origins: NonNullable<ServerOptions['origins']>,
): OriginPolicy {
  const absent = absentOrigin ?? DEFAULTS.absentOrigin;
  if (!['auto', 'allow', 'deny'].includes(absent)) {
    throw invalidOption('absentOrigin', "'auto', 'allow' or 'deny'", absent);
  }
  if (sameHost !== undefined) {
    refuseUnknown('sameHost.', sameHost, ['hosts']);
    if (!Array.isArray(sameHost.hosts)) throw invalidOption('sameHost.hosts', 'a list', sameHost.hosts);
  }
  const sameHosts = readSameHosts(sameHost?.hosts ?? []);
  if (origins === '*') return { allowed: '*', absent, sameHosts };
  if (typeof origins === 'function') return { allowed: 'ask', absent, sameHosts };
  if (!Array.isArray(origins)) throw invalidOption('origins', "a list, a function or '*'", origins);
  return { allowed: createAllowlist(origins), absent, sameHosts };
}

function readProtocols(protocols: unknown): readonly string[] | ProtocolFunction {
  if (typeof protocols === 'function') return protocols as ProtocolFunction;
  // RFC 6455 §4.1: a subprotocol is a token of RFC 2616
  const isToken = (one: unknown) => typeof one === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(one);
  if (Array.isArray(protocols) && protocols.every(isToken)) return [...(protocols as string[])];
  throw invalidOption('protocols', 'a list of tokens, or a function', protocols);
}

function readHeartbeat(given: HeartbeatOptions): Required<Defined<HeartbeatOptions>> {
  refuseUnknown('heartbeat.', given, Object.keys(DEFAULTS.heartbeat));
  const interval = duration('heartbeat.interval', given.interval ?? DEFAULTS.heartbeat.interval);
  const timeout = duration('heartbeat.timeout', given.timeout ?? Math.min(interval, DEFAULTS.heartbeat.timeout));
  if (timeout > interval) throw invalidOption('heartbeat.timeout', 'at most the interval', timeout);
  return {
    message: text('heartbeat.message', given.message ?? DEFAULTS.heartbeat.message),
    reply: text('heartbeat.reply', given.reply ?? DEFAULTS.heartbeat.reply),
    interval,
    timeout,
  };
}

function readBudget(given: BudgetOptions): Required<Defined<BudgetOptions>> {
  refuseUnknown('budget.', given, Object.keys(DEFAULTS.budget));
  const rate = (name: 'messages' | 'bytes' | 'controlFrames'): Rate => {
    const value = given[name] ?? DEFAULTS.budget[name];
    refuseUnknown(`budget.${name}.`, value, ['perSecond', 'burst']);
    return {
      perSecond: positive(`budget.${name}.perSecond`, value.perSecond),
      burst: positive(`budget.${name}.burst`, value.burst),
    };
  };
  return {
    messages: rate('messages'),
    bytes: rate('bytes'),
    controlFrames: rate('controlFrames'),
    patience: duration('budget.patience', given.patience ?? DEFAULTS.budget.patience),
    retryAfter: duration('budget.retryAfter', given.retryAfter ?? DEFAULTS.budget.retryAfter),
  };
}

/** Who has one IPv6 address has 2^64 of them, so those of one /64 count as one; an IPv4 one in disguise is an IPv4 one. */
function addressOf(request: IncomingMessage): string {
  const text = request.socket?.remoteAddress ?? '';
  if (!ipaddr.isValid(text)) return text;
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

const OPTION_NAMES: readonly (keyof ServerOptions)[] = [
  'port',
  'host',
  'tls',
  'server',
  'noServer',
  'path',
  'origins',
  'absentOrigin',
  'sameHost',
  'credentials',
  'authorize',
  'admissionTimeout',
  'protocols',
  'maxPeers',
  'maxPeersPerAddress',
  'addressOf',
  'retryAfter',
  'heartbeat',
  'maxPayload',
  'maxBufferedBytes',
  'budget',
  'closeTimeout',
  'sessions',
];
