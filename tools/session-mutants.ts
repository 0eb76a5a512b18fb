// Which faults must `pnpm simulate:session --mutants` notice?
//
// The first nine are what a simulation of the design showed to be needed, before there was any code; the others are what
// could go wrong in the code. Each compiles, and looks as if it might be right.
import type { PlantedFault } from './planted-fault.ts';

export interface SessionMutant {
  /** What goes wrong. */
  readonly name: string;
  readonly faults: readonly PlantedFault[];
}

const inFile =
  (file: string) =>
  (find: string, replace: string): PlantedFault => ({ file, find, replace });

const store = inFile('packages/server/src/sessions/memory-store.ts');
const inbound = inFile('packages/server/src/sessions/inbound.ts');
const outbound = inFile('packages/server/src/sessions/outbound.ts');
const tenure = inFile('packages/server/src/sessions/tenure.ts');
const beats = inFile('packages/server/src/sessions/beats.ts');
const takeover = inFile('packages/server/src/sessions/takeover.ts');
const layer = inFile('packages/session/src/layer.ts');
const delivery = inFile('packages/core/src/delivery.ts');
const queue = inFile('packages/core/src/send-queue.ts');

const mutant = (name: string, ...faults: readonly PlantedFault[]): SessionMutant => ({ name, faults });

const NO_CROSS_CHECKS = [
  store('const isConsistent = agree(session, claim);', 'const isConsistent = true || agree(session, claim);'),
  layer('if (frame.received < queue.proven ||', 'if (false && frame.received < queue.proven ||'),
];

export const SESSION_MUTANTS: readonly SessionMutant[] = [
  mutant('attempts have no number', store('if (!isNewer || !isSuccessor) return', 'if (!isSuccessor) return')),
  mutant(
    'no fencing, and no compare-and-set',
    store('return session.conn === conn ? session :', 'return conn > 0 ? session :'),
    store("if (from <= committed || to < from) return 'duplicate';", "if (to >= from) return 'ok';"),
  ),
  mutant(
    'acknowledged before it is committed',
    inbound(
      "    this.state = 'committing';\n",
      "    this.state = 'committing';\n    this.owner.committed(this.handled, 1, 0);\n",
    ),
  ),
  mutant(
    'forgotten when it is written',
    delivery(
      '      written = Math.max(written, handedOver);\n',
      '      written = Math.max(written, handedOver);\n      prove(handedOver);\n',
    ),
  ),
  mutant(
    'messages are only counted, and one path does not count',
    layer("if (frame.seq > received + 1) return breach('a gap');", ''),
    layer('if (frame.seq <= received) return acknowledge(); // it has not heard that we have it', ''),
    layer('received = frame.seq;', 'received++;'),
    tenure('this.transport.send(encodeVolatile(data));', "this.transport.send('d1.0:');"),
  ),
  mutant('a store that went back is not noticed', ...NO_CROSS_CHECKS),
  mutant(
    'a store that went back is noticed by its ranges only',
    store('tagOf(session, received) === tag &&', ''),
    store('after >= session.acknowledged && tagOf(session, after) !== tag', 'false'),
  ),
  mutant('a takeover does not wait', store('if (isBusy) {', 'if (false) {')),
  mutant(
    'committed before it is handled',
    inbound(
      "    this.state = 'handling';\n    this.handleRest();",
      "    this.state = 'handling';\n    void this.store.commit(this.lease, this.batch[0]!.seq, this.batch.at(-1)!.seq);\n    this.handleRest();",
    ),
  ),

  // the client
  mutant('a gap is taken', layer("if (frame.seq > received + 1) return breach('a gap');", '')),
  mutant(
    'a message is told twice',
    layer('if (frame.seq <= received) return acknowledge(); // it has not heard that we have it', ''),
  ),
  mutant(
    'an acknowledgement of what was never sent is believed',
    layer("if (seq > queue.written) return breach('ack out of place');", ''),
  ),
  mutant(
    'a loss is told twice',
    layer(
      "    host.tell('lost', Object.assign({ reason }, left));",
      "    host.tell('lost', Object.assign({ reason }, left));\n    host.tell('lost', Object.assign({ reason }, left));",
    ),
  ),
  mutant('an attempt is not written down', layer('if (keeper) keeper.saveNow(); // a number is never used twice', '')),
  mutant('somebody else is fought', layer("return lose('taken');", 'return;')),
  mutant('plain is entered without a word', layer("if (session) lose('downgrade');", '')),
  mutant(
    'silence is a greeting',
    layer(
      "(helloIsLate = () => resolve(''))",
      `(helloIsLate = () => resolve('H{"v":1,"ttl":60000,"max":1000,"hb":1000,"win":1000}'))`,
    ),
  ),
  mutant(
    'the position is not sent',
    layer('received,\n          tag,\n          acked,', 'received: 0,\n          tag: 0,\n          acked,'),
  ),
  mutant('a volatile message has a number', delivery('layer!.volatile(data)', 'layer!.frame(data, handedOver + 1)')),
  mutant('an expired message is not told', delivery("dropAll(takeExpired(now), 'expired');", 'takeExpired(now);')),
  mutant(
    'what is in doubt is carried over',
    delivery("message.state !== 'unsent')", "message.state !== 'unsent' && !keepUnsent)"),
  ),
  mutant('what is in doubt is forgotten', delivery('return { inDoubt, unsent };', 'return { inDoubt: NONE, unsent };')),
  mutant('nobody hears of room', delivery('    parts.writable();\n', '')),
  mutant(
    'the first is not sent again',
    queue('for (; cursor > front; cursor--)', 'for (; cursor > front + 1; cursor--)'),
  ),
  mutant(
    'what was handed over is not written down',
    delivery(
      '    if (layer) layer.heldChanged(); // whoever goes on from what is written down must know what was sent\n',
      '',
    ),
  ),

  mutant(
    'all holders have one name',
    layer('Math.floor(host.random() * (MAX_TAG + 1))', 'Math.floor(host.random() * 0)'),
  ),
  mutant(
    'only the newest holder is named',
    layer('holders.push(holder) > MAX_HOLDERS', '(holders = [holder]).length > MAX_HOLDERS'),
  ),

  // the server
  mutant("a holder's place is anybody's", store('if (!isNewer || !isSuccessor) return', 'if (!isNewer) return')),
  mutant('a token is not looked at', store('if (!hasToken || !isPrincipal)', 'if (!isPrincipal)')),
  mutant('a principal is not looked at', store('if (!hasToken || !isPrincipal)', 'if (!hasToken)')),
  mutant('tombstones are not read', store("graveOf(claim.sid) ?? 'unknown'", "'unknown'")),
  mutant('a lease is as good as the one before', store('session.conn++;', '')),
  mutant('the outbox has no bound', store('if (waiting(session) >= maxMessages || waitingBytes', 'if (waitingBytes')),
  mutant('a gap from the client is taken', inbound("if (seq !== this.received + 1) return 'gap';", '')),
  mutant(
    'a duplicate from the client is taken',
    inbound("if (seq <= this.received) return 'duplicate';", ''),
    inbound("if (seq !== this.received + 1) return 'gap';", ''),
  ),
  mutant(
    'a whole batch is committed, however far it got',
    inbound(
      'this.store.commit(this.lease, from, this.handled)',
      'this.store.commit(this.lease, from, this.batch.at(-1)!.seq)',
    ),
  ),
  mutant(
    'two handlers at a time',
    inbound('if (isPromised(result) || this.commitOfApplication) {', 'if (this.commitOfApplication) {'),
  ),
  mutant(
    'an acknowledgement of what was never sent reaches the store',
    outbound('if (seq > this.sent) return false;', ''),
  ),
  mutant(
    'one message is skipped when all is sent again',
    outbound('this.sent = from.seq;', 'this.sent = from.seq + 1;'),
  ),
  mutant('news that got lost are not made up for', beats('          tenure.check();\n', '')),

  mutant(
    'what is stored is forwarded, whatever went before it',
    outbound('const isNext = seq === this.sent + 1 && before === this.tag;', 'const isNext = seq === this.sent + 1;'),
    outbound('else if (seq <= this.sent && !isKnown) this.check();', ''),
  ),
  mutant(
    'a takeover waits for ever',
    takeover('const force = platform.now() >= deadline;', 'const force = platform.now() < 0;'),
  ),
];
