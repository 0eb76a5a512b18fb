// `pnpm mutants`: would the tests of core notice if the code were wrong?
//
// Plants one fault at a time and runs the tests; a test that fails, or a run that hangs, has noticed it. Faults that a
// compiler would find are none: each of these compiles, and looks as if it might be right. `pnpm mutants queue` plants only
// those with that word in their file or name, and `pnpm mutants --share 2/3` every third of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { checkThatItFits, type PlantedFault } from './planted-fault.ts';
import { shareOf } from './share.ts';

interface Mutant extends PlantedFault {
  /** What goes wrong. */
  readonly name: string;
}

const AT_ONCE = 2;
/** What takes so many times as long as a run without a fault hangs; no shorter than this, for machines are busy at times. */
const PATIENCE = 6;
const SHORTEST_LIMIT = 120_000;
const WORLDS = '150';

const inCore = (
  file: string,
  ...faults: readonly (readonly [name: string, find: string, replace: string])[]
): Mutant[] => faults.map(([name, find, replace]) => ({ file: `packages/core/src/${file}`, name, find, replace }));

const MUTANTS: readonly Mutant[] = [
  ...inCore(
    'machine.ts',
    [
      'late events of an old socket count',
      "(state.name === 'idle' || input.generation !== state.generation)",
      "state.name === 'idle'",
    ],
    ['a deadline is due at any time', 'at.now < (deadlineOf(state, at.suspended) ?? Infinity)', 'at.now < 0'],
    ['every connection was stable', 'at.now - state.openedAt >= policy.stableAfter', 'at.now >= state.openedAt'],
    [
      'a silent socket is not terminated',
      "of a ping`);\n      return lose(state, lost(cause), at, policy, TERMINATE, 'heartbeat');",
      "of a ping`);\n      return lose(state, lost(cause), at, policy, [], 'heartbeat');",
    ],
    [
      'a socket whose proof is overdue is not terminated',
      "return lose(state, lost(cause), at, policy, TERMINATE, 'heartbeat');\n    }\n    case 'broken'",
      "return lose(state, lost(cause), at, policy, [], 'heartbeat');\n    }\n    case 'broken'",
    ],
    ["good news shortens a server's wait", 'if (state.askedByServer || at.now', 'if (at.now'],
    ['good news shortens a wait any number of times', 'NEWS_SPACING = 1_000', 'NEWS_SPACING = 0'],
    ['any hint ends a suspension', "if (input.hint !== 'resume') return stay(state);", ''],
    ['an attempt may take for ever', 'const deadline = at.now + policy.connectTimeout;', 'const deadline = Infinity;'],
    [
      'close() may take for ever to hand over',
      'const { code, reason, why } = input;\n      const deadline = at.now + policy.closeTimeout;',
      'const { code, reason, why } = input;\n      const deadline = Infinity;',
    ],
    ['healing is forgotten', 'healed: !stable && state.memory.healed', 'healed: false'],
    ['a hidden loss costs an attempt', 'attempt: attemptsSoFar, notBefore', 'attempt: attemptsSoFar + 1, notBefore'],
    ['no open is a reconnect', 'memory: { ...memory, hasBeenOpen: true }', 'memory'],
    ['a suspended heartbeat has deadlines', 'return suspended ? undefined :', 'return'],
  ),
  ...inCore(
    'heartbeat.ts',
    ['traffic from before the ping is life', 'at.received > beat.doubt.received', 'at.received >= beat.doubt.received'],
    [
      'the verdict does not wait for pending input',
      "return turn(beat, doubt, 'pinged-turn', at);",
      "return [beat, 'dead'];",
    ],
    ['a late deadline is a verdict', 'at.now - due > Math.max(LATE, policy.timeout)', 'at.now < due'],
    [
      'a probe is asked again and again',
      "return turn(beat, doubt, 'probed-turn', at);",
      'return probe(beat, at, policy, lessons);',
    ],
    [
      'any ping puts off the next',
      'pingAt: next > at.now ? next : at.now + policy.interval',
      'pingAt: at.now + policy.interval',
    ],
    ['the youngest ping counts', '!beat.doubt && expectsReply(beat, policy', 'expectsReply(beat, policy'],
    [
      'silence counts before the first reply',
      "beat.mustReply || lessons.replies === 'known'",
      "lessons.replies !== 'disarmed'",
    ],
    ['it takes three strikes', 'const STRIKES = 2', 'const STRIKES = 3'],
    ['proofs cost a ping a second', 'PROOF_SPACING = 5_000', 'PROOF_SPACING = 0'],
    ['two deaths end the pings that alone prove', ' && !policy.proves ? Infinity', ' ? Infinity'],
    [
      'each of a bunch of hints probes',
      'const beat = heard(before, at);\n  const { doubt } = beat;\n  if (isSilent(beat) ||',
      'const beat = heard(before, at);\n  const { doubt } = beat;\n  if (!isSilent(beat)) return probe(beat, at, policy, lessons);\n  if (',
    ],
  ),
  ...inCore(
    'retry.ts',
    ["the heartbeat's verdict waits", 'if (loss.atOnce) return 0;', ''],
    [
      'the first wait is twice as long',
      'backoffDelay(policy, attempt - 1, random)',
      'backoffDelay(policy, attempt, random)',
    ],
    ['shouldReconnect cannot revive', 'refused && lastWord === undefined', 'refused'],
    ['one attempt too few', 'attempt > policy.maxAttempts', 'attempt >= policy.maxAttempts'],
  ),
  ...inCore('backoff.ts', ['there is no jitter', '? random * delay : delay', '? delay : delay']),
  ...inCore(
    'close-codes.ts',
    ['4429 is terminal', "case TOO_MANY_REQUESTS:\n      return 'retry';", "  return 'retry';"],
    ['a server may ask for a day', 'Math.min(MAX_RETRY_AFTER, slot + spread)', 'slot + spread'],
    ["a client's own slot is spread", "seconds.indexOf('.') < 0 ? random * 1000 : 0", 'random * 1000'],
  ),
  ...inCore(
    'connection.ts',
    ['inputs do not wait their turn', 'if (isStepping) return;', ''],
    ['messages of an old socket are told', 'if (generation !== live) return lateMessage(data, generation);', ''],
    ['messages are no sign of life', 'received++;\n        if (owed.length', 'if (owed.length'],
    [
      'the last ping is answered first',
      'replied(owed.shift()!, generation);\n        else if (inbox',
      'replied(owed.pop()!, generation);\n        else if (inbox',
    ],
    ['a ping that was to prove nothing is taken for one that does', 'each.mark > mark', 'each.mark >= mark'],
    ['while closing, no proof counts', 'if (!isDraining(generation)) return;', 'return;'],
    ['a pong answers one ping only', 'owed.splice(0, index + 1)[index]!', 'owed.splice(index, 1)[0]!'],
    ['what a handshake leaves is lost', 'const left = inbox ? inbox.rest() : [];', 'const left: Data[] = [];'],
    ['an old timer still fires', 'cancelWake?.();', ''],
    ['a handshake is not told that its socket died', 'if (inbox) inbox.fail(', 'if (!inbox) createInbox().fail('],
  ),
  ...inCore(
    'proof-requests.ts',
    ['while a step runs, proofs are asked for again and again', '!isAsking && isNeeded', 'isNeeded'],
    ['a proof is asked for without sparing the server', 'now() - lastPing >= WORTH.ms', 'lastPing < Infinity'],
    ['the first message waits ten seconds for its proof', 'now() + PROOF_DELAY', 'now() + 10 * PROOF_DELAY'],
    ['many messages are no reason to ask', 'bounds.maxMessages / SHARE', 'bounds.maxMessages'],
    ['many bytes are no reason to ask', 'bounds.maxBytes / SHARE', 'bounds.maxBytes'],
  ),
  ...inCore(
    'delivery.ts',
    [
      'a message overtakes the queue',
      'socket !== undefined && queue.waiting === 0 && !isPressed(socket)',
      'socket !== undefined && !isPressed(socket)',
    ],
    ["the queue keeps the caller's memory", 'data: copyOf(data)', 'data'],
    [
      'a reply proves what was sent after its ping',
      'function prove(mark: number): void {',
      'function prove(mark: number): void {\n    if (!speaks()) mark = handedOver;',
    ],
    ['a flush needs no proof', 'if (proven === handedOver) resolve();', 'if (proven <= handedOver) resolve();'],
    ['ifOpen survives its socket', 'message.onlyFor !== 0', 'message.onlyFor < 0'],
    ['a slice has no end', 'now - started >= SLICE', 'now < started'],
    [
      'messages expire only at the next open',
      'Math.min(nextSliceAt, requests.at, queue.nextExpiry,',
      'Math.min(nextSliceAt, requests.at,',
    ],
    ['the high-water mark is not looked at', '> policy.highWaterMark', '> Infinity'],
    // at least once
    ['what is not proven is not sent again', 'queue.rewind();\n        hasRejected', 'hasRejected'],
    ['what is sent again is counted twice', 'handedOver = proven;\n      } else', '} else'],
    ['who sends again does not ask at once', 'if (resends && !speaks()) ask();', ''],
    ['a flush is lost with its socket', 'flushes.carryOver();', ''],
    ['a flush waits for what was dropped', 'flushes.proven(proven); // what was dropped', '// what was dropped'],
    ['poison takes four sockets', 'const POISON = 3;', 'const POISON = 4;'],
    ['a suspect is tried in company', '|| (trialEnds !== 0 && isOnTrial())', ''],
    ['a trial has no end', '&& parts.now() < trialEnds', ''],
    ['our own reconnect() makes a suspect', 'wasAsked ||', ''],
    ["the host's suspension makes a suspect", "|| connection.state.name === 'suspended'", ''],
    [
      'a proof does not clear a suspect',
      'if (proven > provenAtOpen) suspect = NO_SUSPECT;\n    else suspect',
      'suspect',
    ],
    ['what may have arrived is told as what has not', "message.state === 'written' && reason !== 'poison'", 'false'],
    ['a late refusal is forgotten', 'held.refusal = { cause };', ''],
    ['a late refusal is told when it comes', 'held.refusal = { cause };', "drop(held, 'rejected', cause);"],
    [
      'a refused message is told before it has left',
      "queue.skip(); // before it is told, for a listener may send, and may close\n      drop(message, 'rejected', cause);",
      "drop(message, 'rejected', cause);\n      queue.skip();",
    ],
    ['close() does not wait for proofs', '(speaks() || hasEverProven)', 'speaks()'],
    ['close() waits for a peer that never proved', '(speaks() || hasEverProven)', 'true'],
    ['a socket that never proved is judged', 'holds && hasProvenHere && !speaks()', 'holds && !speaks()'],
    ['no socket is judged by its proofs', 'holds && hasProvenHere && !speaks()', 'false'],
    [
      'a suspended host is judged',
      'Math.max(connection.owedSince(proven), connection.awakeSince)',
      'connection.owedSince(proven)',
    ],
    ['what is volatile is held', 'if (options !== undefined && options.volatile)', 'if (options === null)'],
    ['room for what is volatile is not told', 'heldBack();\n      connection.rearm();', ''],
    ['what was dropped is waited for', 'proven++; // its fate is told', ''],
    ['a proof makes no room', 'roomMade();\n    if (connection.state', 'if (connection.state'],
  ),
  ...inCore(
    'proof-term.ts',
    ['the verdict does not wait for pending input', 'term.hadTurn ? undefined', 'term ? undefined'],
    ['a late deadline is a verdict', '!term.isSecond && now - term.until', 'now < 0 && now - term.until'],
    ['a late deadline gets another term each time', '!term.isSecond && now', 'now'],
  ),
  ...inCore('flushes.ts', ['who has asked asks no more', "(flush) => (flush.stage = 'queued')", '() => {}']),
  ...inCore(
    'send-queue.ts',
    ['room is not given back', 'taken.push(message);\n          bytes -= message.bytes;', 'taken.push(message);'],
    ['what was cut off is missed', 'cursor -= front;\n      front = 0;\n    }', 'front = 0;\n    }'],
    [
      'what a socket took waits behind',
      'nextExpiry = Math.min(nextExpiry, messages[cursor - 1]!.expiresAt);',
      'nextExpiry = Infinity;',
    ],
    [
      'what was proven is let go of one too few',
      'for (let left = count; left > 0; left--)',
      'for (let left = count; left > 1; left--)',
    ],
    ['a refusal outlives the next try', 'message.refusal = undefined;', ''],
  ),
  ...inCore('bytes.ts', ['characters are counted as bytes', "'string' ? utf8Length(data)", "'string' ? data.length"]),
  ...inCore(
    'client.ts',
    ['a status is told twice', 'if (status === toldStatus) return;', ''],
    ['a signal keeps its listener', "signal?.removeEventListener('abort', abort);", ''],
    ['readers do not end', 'reading.forEach((reader) => reader.end());', ''],
  ),
  ...inCore('listeners.ts', [
    'a throw is reported inside the call',
    'catch (cause) {\n          later(cause);',
    'catch (cause) {\n          thrown(cause);',
  ]),
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Of core, except for the W3C faces, in which no fault is planted. */
const TESTS = readdirSync(join(ROOT, 'packages/core/test'))
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('websocket'))
  .map((name) => `packages/core/test/${name}`);

/** What one run of the tests came to. */
type Outcome =
  | { readonly name: 'failed'; readonly test: string }
  | { readonly name: 'passed' }
  | { readonly name: 'hung' }
  | { readonly name: 'broken'; readonly words: string };

interface JsonReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

async function runTests(folder: string, id: number, fault?: PlantedFault, limit = SHORTEST_LIMIT): Promise<Outcome> {
  const [faultFile, report] = [join(folder, `${id}.fault.json`), join(folder, `${id}.report.json`)];
  const env: NodeJS.ProcessEnv = { ...process.env, HOLDFAST_WORLDS: WORLDS };
  if (fault) {
    writeFileSync(faultFile, JSON.stringify(fault));
    env['HOLDFAST_PLANTED_FAULT'] = faultFile;
  }
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = [
    '--bail=1',
    '--maxWorkers=1',
    '--project=node',
    '--typecheck.enabled=false',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const child = spawn(process.execPath, [vitest, 'run', ...TESTS, ...options], {
    cwd: ROOT,
    env,
    stdio: 'ignore',
    detached: true, // a group of its own, so that a worker in an endless loop goes with it
  });
  const hung = await new Promise<boolean>((resolve, reject) => {
    const alarm = setTimeout(() => {
      process.kill(-child.pid!, 'SIGKILL');
      resolve(true);
    }, limit);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(alarm);
      resolve(false);
    });
  });
  if (hung) return { name: 'hung' };
  let results: JsonReport['testResults'];
  try {
    results = (JSON.parse(readFileSync(report, 'utf8')) as JsonReport).testResults;
  } catch (cause) {
    return { name: 'broken', words: String(cause) };
  }
  const failed = results.flatMap(({ assertionResults }) => assertionResults).find(({ status }) => status === 'failed');
  if (failed) return { name: 'failed', test: failed.fullName };
  // a file that cannot be loaded has noticed nothing
  const unloadable = results.find(({ message }) => message !== '');
  return unloadable ? { name: 'broken', words: unloadable.message } : { name: 'passed' };
}

async function main(): Promise<void> {
  MUTANTS.forEach(checkThatItFits);
  const { values, positionals } = parseArgs({
    options: { share: { type: 'string', default: '0/1' } },
    allowPositionals: true,
  });
  const [word = ''] = positionals;
  const mutants = MUTANTS.filter(({ file, name }) => `${file} ${name}`.includes(word)).filter(shareOf(values.share));
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
  let noticed = 0;
  try {
    const begin = performance.now();
    const sound = await runTests(folder, mutants.length);
    const limit = Math.max(SHORTEST_LIMIT, PATIENCE * (performance.now() - begin));
    if (sound.name !== 'passed') throw new Error(`without a fault: ${JSON.stringify(sound)}`);
    const waiting = [...mutants.entries()];
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    async function work(): Promise<void> {
      for (let next; (next = waiting.shift());) {
        const [id, mutant] = next;
        const outcome = await runTests(folder, id, mutant, limit);
        if (outcome.name === 'failed' || outcome.name === 'hung') noticed++;
        console.log(`${mutant.file.replace(/.*\//, '')}: ${mutant.name}: ${inWords(outcome)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const rest = MUTANTS.length - mutants.length;
  console.log(`${noticed} of ${mutants.length} noticed${rest > 0 ? `; ${rest} others were not planted` : ''}`);
  process.exitCode = noticed === mutants.length && noticed > 0 ? 0 : 1;
}

function inWords(outcome: Outcome): string {
  switch (outcome.name) {
    case 'failed':
      return `noticed by '${outcome.test}'`;
    case 'hung':
      return 'noticed, as a run that does not end';
    case 'passed':
      return 'NOT NOTICED';
    case 'broken':
      return `BROKEN: ${outcome.words}`;
  }
}

await main();
