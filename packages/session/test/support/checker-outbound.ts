// What became of each message to a client: I2, and L1 of this direction.

import type { Books, Findings } from './checker.ts';

/** One message that was sent to a session. */
interface Sent {
  readonly node: string;
  /** Its place among everything that happened. */
  readonly place: number;
  /** Where its promise was kept; 0 until then. */
  appended: number;
  seq: number;
  isTurnedAway: boolean;
  /** The store forgot it, or may have. */
  isExcused: boolean;
}

/** What one client has had of one session. */
interface Had {
  readonly messages: Set<number>;
  lastSeq: number;
  readonly lastOfNode: Map<string, number>;
  /** The first of what was appended that is not known to have come. */
  front: number;
}

interface OutboundSession {
  readonly sent: Map<number, Sent>;
  /** In the order of their promises. */
  readonly appended: number[];
}

export function createOutboundBooks({ broken, count }: Findings): Books {
  const sessions = new Map<string, OutboundSession>();
  const clients = new Map<string, Map<string, Had>>();
  let place = 0;

  function sessionOf(sid: string): OutboundSession {
    let session = sessions.get(sid);
    if (!session) sessions.set(sid, (session = { sent: new Map(), appended: [] }));
    return session;
  }

  function hadOf(client: string, sid: string): Had {
    let sids = clients.get(client);
    if (!sids) clients.set(client, (sids = new Map()));
    let had = sids.get(sid);
    if (!had) sids.set(sid, (had = { messages: new Set(), lastSeq: 0, lastOfNode: new Map(), front: 0 }));
    return had;
  }

  function delivered(client: string, sid: string, message: number): void {
    const session = sessionOf(sid);
    const had = hadOf(client, sid);
    const sent = session.sent.get(message);
    if (!sent) return broken('I2', `${client} got message ${message}, which nobody sent to ${sid}`);
    if (sent.isTurnedAway) broken('I2', `${client} got message ${message}, which was turned away`);
    if (had.messages.has(message)) {
      count('duplicated');
      broken('I2', `${client} got message ${message} of ${sid} twice`);
      return;
    }
    had.messages.add(message);
    const lastOfNode = had.lastOfNode.get(sent.node) ?? 0;
    if (sent.place < lastOfNode) {
      count('outOfOrder');
      broken('I2', `${client} got message ${message} of ${sid} after a later one`);
    }
    had.lastOfNode.set(sent.node, Math.max(lastOfNode, sent.place));
    if (sent.seq > 0) {
      if (sent.seq !== had.lastSeq + 1) broken('I2', `${client} got ${sent.seq} of ${sid} after ${had.lastSeq}`);
      had.lastSeq = sent.seq;
    }
    lookForGap(client, sid, session, had, sent.place);
  }

  /** Everything whose promise was kept before a message was sent comes before that message. */
  function lookForGap(client: string, sid: string, session: OutboundSession, had: Had, before: number): void {
    for (; had.front < session.appended.length; had.front++) {
      const message = session.appended[had.front]!;
      const sent = session.sent.get(message)!;
      if (sent.appended >= before) return;
      if (sent.isExcused || had.messages.has(message)) continue;
      count('lost');
      broken('I2', `${client} did not get message ${message} of ${sid}, and got later ones`);
    }
  }

  return {
    take(event) {
      place++;
      switch (event.type) {
        case 'sending':
          count('messages');
          sessionOf(event.sid).sent.set(event.message, {
            node: event.node,
            place,
            appended: 0,
            seq: 0,
            isTurnedAway: false,
            isExcused: false,
          });
          return;
        case 'appended': {
          const { sent, appended } = sessionOf(event.sid);
          const message = sent.get(event.message);
          if (!message) return broken('I2', `message ${event.message} was stored and never sent`);
          message.seq = event.seq ?? 0;
          if (message.appended > 0) return;
          message.appended = place;
          appended.push(event.message);
          return;
        }
        case 'turned-away': {
          const message = sessionOf(event.sid).sent.get(event.message);
          if (message) message.isTurnedAway = true;
          if (message && message.appended > 0) broken('I2', `message ${event.message} was stored and turned away`);
          return;
        }
        case 'delivered':
          return delivered(event.client, event.sid, event.message);
        case 'rolled-back':
          for (const { sent } of sessions.values()) for (const message of sent.values()) message.isExcused = true;
          return;
        case 'copied':
          for (const [sid, had] of clients.get(event.from) ?? []) {
            const copy = { ...had, messages: new Set(had.messages), lastOfNode: new Map(had.lastOfNode) };
            clients.set(event.client, (clients.get(event.client) ?? new Map<string, Had>()).set(sid, copy));
          }
          return;
        case 'stands':
          {
            const session = sessionOf(event.sid);
            const had = hadOf(event.client, event.sid);
            for (const message of session.appended) {
              if (had.messages.has(message) || session.sent.get(message)!.isExcused) continue;
              count('lost');
              broken('L1', `${event.client} did not get message ${message} of ${event.sid}, which stands`);
            }
          }
          return;
        default: // is for other books
      }
    },
  };
}
