// What became of each session, and of those who have one: I4, I6 to I9, I11 to I15, L2, L3.

import type { Books, Excuses, Findings } from './checker.ts';
import type { HistoryEvent } from './history.ts';

interface ClientBook {
  hasSession: boolean;
  sid: string | undefined;
  /** Somebody else has, or had, the same token. */
  isShared: boolean;
  isUnauthorized: boolean;
  isCorrupted: boolean;
  isClosing: boolean;
  /** When it last knew that its session lives. */
  sessionAt: number;
  /** Of the newest session. */
  closes: number;
  blamedCloses: number;
  isOwedRoom: boolean;
  attempt: number;
  asked: { readonly sid: string; readonly received: number; readonly acked: number; readonly sent: number } | undefined;
  dialsWhenQuiet: number;
}

interface SessionBook {
  touchedAt: number;
  isEnding: boolean;
  /** What was ever stored for it, which is more than what was not acknowledged. */
  stored: number;
  bytes: number;
  wasTurnedAway: boolean;
  readonly sizes: Map<number, number>;
  readonly toldBy: Set<string>;
  position: (HistoryEvent & { readonly type: 'position' }) | undefined;
}

const STALE = 4801;
const SUPERSEDED = 4802;
/** Codes by which a server says that a message is at fault, and how many of them, or of any, it takes. */
const BLAMES = [1002, 1003, 1007, 1009, 1011];
const BLAMED = 3;
const BARREN = 20;
/** Dials that somebody may make in a row when nothing goes wrong any more, and nothing gets through. */
const ENOUGH = 12;
/** A tombstone says why within so many times the `ttl`. */
const TOMBSTONE_TTLS = 10;

export function createSessionBooks(excuses: Excuses, { broken }: Findings): Books {
  const clients = new Map<string, ClientBook>();
  const sessions = new Map<string, SessionBook>();
  let isQuiet = false;
  let isCrowded = false;

  function clientOf(name: string): ClientBook {
    let client = clients.get(name);
    if (!client) {
      client = {
        hasSession: false,
        sid: undefined,
        isShared: false,
        isUnauthorized: false,
        isCorrupted: false,
        isClosing: false,
        sessionAt: -Infinity,
        closes: 0,
        blamedCloses: 0,
        isOwedRoom: false,
        attempt: 0,
        asked: undefined,
        dialsWhenQuiet: 0,
      };
      clients.set(name, client);
    }
    return client;
  }

  function sessionOf(sid: string): SessionBook {
    let session = sessions.get(sid);
    if (!session) {
      session = {
        touchedAt: -Infinity,
        isEnding: false,
        stored: 0,
        bytes: 0,
        wasTurnedAway: false,
        sizes: new Map(),
        toldBy: new Set(),
        position: undefined,
      };
      sessions.set(sid, session);
    }
    return session;
  }

  /** Is the reason for which a session is lost a true one? */
  function isTrue(reason: string, client: ClientBook, at: number): boolean {
    const session = client.sid === undefined ? undefined : sessionOf(client.sid);
    const hasRolledBack = excuses.rolledBackAt > -Infinity;
    const { ttl } = excuses.settings;
    // from outside nobody sees more than when the client was told that its session lives
    const touchedAt = session && session.touchedAt > -Infinity ? session.touchedAt : client.sessionAt;
    switch (reason) {
      case 'expired':
        return at - touchedAt >= ttl || hasRolledBack;
      case 'unknown':
        return at - touchedAt >= TOMBSTONE_TTLS * ttl || hasRolledBack;
      case 'regressed':
        return hasRolledBack || client.isShared;
      case 'overflow':
        return session === undefined || wasFull(session);
      case 'unauthorized':
        return client.isUnauthorized;
      case 'ended':
        return client.isClosing || client.isUnauthorized || client.isShared || (session?.isEnding ?? true);
      case 'taken': // a store that has forgotten a lease takes its holder for an old one
        return client.isShared || hasRolledBack;
      case 'protocol':
        return client.isCorrupted;
      case 'poison':
        return client.blamedCloses >= BLAMED || client.closes >= BARREN;
      case 'downgrade':
        return excuses.hasPlainServers;
      default:
        return false;
    }
  }

  /** From outside nobody sees what was acknowledged; but what never held so many was never full. */
  function wasFull(session: SessionBook): boolean {
    const { maxMessages, maxBytes } = excuses.settings;
    return session.wasTurnedAway || session.stored + 1 > maxMessages || session.bytes > maxBytes;
  }

  function lost(client: ClientBook, name: string, reason: string, at: number): void {
    if (!client.hasSession) broken('I14', `${name} lost a session, ${reason}, that it did not have`);
    else if (!isTrue(reason, client, at)) broken('I6', `${name} lost ${client.sid ?? 'its session'}: ${reason}`);
    client.hasSession = false;
    client.sid = undefined;
    client.closes = client.blamedCloses = 0;
  }

  function position(event: HistoryEvent & { readonly type: 'position' }): void {
    const session = sessionOf(event.sid);
    const { position: before } = session;
    if (before && excuses.rolledBackAt < before.at) {
      for (const name of ['attempt', 'conn', 'committed', 'acknowledged', 'stored'] as const) {
        if (event[name] < before[name])
          broken('I9', `${event.sid}: ${name} went from ${before[name]} to ${event[name]}`);
      }
    }
    session.position = event;
  }

  function attempted(event: HistoryEvent & { readonly type: 'attempt' }): void {
    const client = clientOf(event.client);
    const { sid, attempt, received = 0, acked = 0, sent = 0 } = event;
    if (attempt <= client.attempt) broken('I9', `${event.client} made attempt ${attempt} after ${client.attempt}`);
    client.attempt = attempt;
    const before = client.asked;
    if (sid !== undefined && before?.sid === sid) {
      if (received < before.received) broken('I9', `${event.client} received ${before.received}, and then ${received}`);
      if (acked < before.acked) broken('I9', `${event.client} knew of ${before.acked}, and then of ${acked}`);
      if (sent < before.sent) broken('I9', `${event.client} sent ${before.sent}, and then ${sent}`);
    }
    if (before?.sid === sid && before && received + acked > before.received + before.acked) client.dialsWhenQuiet = 0;
    client.asked = sid === undefined ? undefined : { sid, received, acked, sent };
    if (sid !== undefined) client.sid = sid;
    if (isQuiet && !isCrowded && ++client.dialsWhenQuiet === ENOUGH) broken('L2', `${event.client} dials and dials`);
  }

  return {
    take(event) {
      switch (event.type) {
        case 'refused':
          clientOf(event.client).isOwedRoom = true;
          return;
        case 'writable':
          clientOf(event.client).isOwedRoom = false;
          return;
        case 'session': {
          const client = clientOf(event.client);
          if (event.resumed && !client.hasSession) broken('I14', `${event.client} resumed a session that it had lost`);
          if (!event.resumed && client.hasSession && !client.isClosing) {
            broken('I14', `${event.client} has a new session, and the old one was not told as lost`);
          }
          if (!event.resumed) client.sid = undefined;
          client.isClosing = false;
          client.hasSession = true;
          client.sessionAt = event.at;
          return;
        }
        case 'lost':
          return lost(clientOf(event.client), event.client, event.reason, event.at);
        case 'closed': {
          const client = clientOf(event.client);
          client.closes++;
          if (BLAMES.includes(event.code)) client.blamedCloses++;
          if ((event.code === STALE || event.code === SUPERSEDED) && !isTrue('taken', client, event.at)) {
            broken('I15', `${event.client} is alone and was told ${event.code}`);
          }
          return;
        }
        case 'delivered': {
          const client = clientOf(event.client);
          if (!client.hasSession) broken('I14', `${event.client} got a message of ${event.sid} without a session`);
          client.sid = event.sid;
          return;
        }
        case 'attempt':
          return attempted(event);
        case 'stands': {
          const client = clientOf(event.client);
          client.sid = event.sid;
          if (client.isOwedRoom) broken('L3', `${event.client} was refused, and everything has arrived since`);
          return;
        }
        case 'copied': {
          const from = clientOf(event.from);
          from.isShared = true;
          clients.set(event.client, { ...from, isOwedRoom: false, isClosing: false });
          return;
        }
        case 'gone':
          clients.delete(event.client);
          return;
        case 'reloaded':
          clientOf(event.client).isOwedRoom = false; // nobody is there who was refused
          return;
        case 'closing': {
          const client = clientOf(event.client);
          client.isClosing = true;
          client.isOwedRoom = false;
          return;
        }
        case 'sending':
          sessionOf(event.sid).sizes.set(event.message, event.bytes);
          return;
        case 'appended': {
          const session = sessionOf(event.sid);
          session.stored++;
          session.bytes += session.sizes.get(event.message) ?? 0;
          return;
        }
        case 'turned-away':
          sessionOf(event.sid).wasTurnedAway = true;
          return;
        case 'ending':
          sessionOf(event.sid).isEnding = true;
          return;
        case 'ended': {
          const session = sessionOf(event.sid);
          // a store that went back may bring a session to life again
          if (session.toldBy.has(event.node) && excuses.rolledBackAt === -Infinity) {
            broken('I14', `${event.node} told twice that ${event.sid} has ended`);
          }
          session.toldBy.add(event.node);
          return;
        }
        case 'touched':
          sessionOf(event.sid).touchedAt = event.at;
          return;
        case 'position':
          return position(event);
        case 'stale':
          if (event.changed) {
            broken(event.what === 'write' ? 'I7' : 'I8', `${event.sid} was changed by an old ${event.what}`);
          }
          return;
        case 'level':
          if (event.level > event.bound) broken('I4', `${event.whose} keeps ${event.level}, and may ${event.bound}`);
          return;
        case 'breach':
          return broken(event.rule, event.words);
        case 'unauthorized':
          clientOf(event.client).isUnauthorized = true;
          return;
        case 'corrupted':
          clientOf(event.client).isCorrupted = true;
          return;
        case 'crowded':
          isCrowded = true;
          return;
        case 'quiet':
          isQuiet = true;
          return;
        case 'settled':
          for (const [name, { isOwedRoom }] of clients) {
            if (isOwedRoom) broken('L3', `${name} was refused and never heard of room`);
          }
          return;
        default: // is for other books
      }
    },
  };
}
