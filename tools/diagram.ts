// `pnpm diagram`: draws the life of a connection into ARCHITECTURE.md, by asking the machine itself.
// `pnpm diagram --check` only compares, and exits with 1 when the picture is not the machine's.
//
// The states are found by walking: from `idle`, every input is tried at several instants, under policies that differ
// where it matters. What leads from one state to another becomes an arrow.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deadlineOf, transition } from '../packages/core/src/machine.ts';
import type { Input, Instant, Policy, State } from '../packages/core/src/states.ts';

const FILE = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url));
const MARKS = ['<!-- drawn by `pnpm diagram` -->', '<!-- end of the drawing -->'] as const;

const policies: readonly Policy[] = [true, false].map((hasHandshake) => ({
  connectTimeout: 100,
  closeTimeout: 100,
  stableAfter: 50,
  hasHandshake,
  heartbeat: { interval: 100, timeout: 50, expectReply: true, frames: false, proves: false },
  retry: { initialDelay: 10, maxDelay: 100, factor: 2, jitter: 'none', maxAttempts: 1, canHeal: false },
}));

function inputsFor(state: State): readonly Input[] {
  const generation = state.name === 'idle' ? 0 : state.generation;
  const lost = { code: 1006, reason: '', wasClean: false };
  return [
    { type: 'connect' },
    { type: 'reconnect' },
    { type: 'close', code: 1000, reason: '', why: 'caller' },
    { type: 'close', code: 1000, reason: '', why: 'aborted' },
    { type: 'deadline' },
    { type: 'hint', hint: 'suspend' },
    { type: 'hint', hint: 'resume' },
    { type: 'prepared', generation },
    { type: 'socketOpened', generation },
    { type: 'handshaken', generation, mustReply: false },
    { type: 'failed', generation, cause: undefined },
    { type: 'stopped', generation, cause: undefined },
    { type: 'drained', generation },
    { type: 'socketClosed', generation, close: lost },
    { type: 'socketClosed', generation, close: { ...lost, code: 4400 } },
  ];
}

/** What an arrow says. */
function labelOf(input: Input): string {
  switch (input.type) {
    case 'close':
      return input.why === 'caller' ? 'close()' : 'abort';
    case 'connect':
    case 'reconnect':
      return `${input.type}()`;
    case 'hint':
      return input.hint;
    case 'socketClosed':
      return input.close.code === 4400 ? 'refused' : 'lost';
    case 'socketOpened':
      return 'socket opened';
    case 'handshaken':
      return 'handshake done';
    default:
      return input.type;
  }
}

/** The phases of `connecting` and `closing` are worth seeing; other data is not. */
const placeOf = (state: State): string => ('phase' in state ? `${state.name}_${state.phase}` : state.name);

/** Two states that differ only in numbers look alike here, but for those that open other ways. */
function kindOf(state: State): string {
  const doubt = state.name === 'open' ? state.beat.doubt?.name : '';
  const attempt = 'attempt' in state ? Math.min(state.attempt, 2) : '';
  return [placeOf(state), doubt, attempt].join();
}

function walk(): ReadonlyMap<string, ReadonlySet<string>> {
  const arrows = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const open: { state: State; now: number }[] = [{ state: { name: 'idle' }, now: 0 }];
  for (let next; (next = open.pop());) {
    const { state, now } = next;
    for (const policy of policies) {
      for (const input of inputsFor(state)) {
        for (const suspended of [false, true]) {
          const due = deadlineOf(state, suspended);
          const at: Instant = {
            now: input.type === 'deadline' ? (due ?? now) : now,
            random: 0.5,
            received: 0,
            suspended,
          };
          const [after] = transition(state, input, at, policy);
          if (placeOf(after) !== placeOf(state)) {
            const arrow = `${placeOf(state)} --> ${placeOf(after)}`;
            arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(labelOf(input)));
          }
          if (seen.has(kindOf(after))) continue;
          seen.add(kindOf(after));
          open.push({ state: after, now: at.now });
        }
      }
    }
  }
  return arrows;
}

function draw(): string {
  const arrows = [...walk()].map(([arrow, labels]) => `  ${arrow}: ${[...labels].sort().join(', ')}`).sort();
  return ['```mermaid', 'stateDiagram-v2', '  direction LR', '  [*] --> idle', ...arrows, '```'].join('\n');
}

const text = readFileSync(FILE, 'utf8');
const [before, rest] = text.split(MARKS[0]);
const after = rest?.split(MARKS[1])[1];
if (before === undefined || after === undefined) throw new Error(`ARCHITECTURE.md must hold ${MARKS.join(' and ')}`);
const next = `${before}${MARKS[0]}\n\n${draw()}\n\n${MARKS[1]}${after}`;
if (!process.argv.includes('--check')) writeFileSync(FILE, next);
else if (next !== text) {
  console.error('the diagram in ARCHITECTURE.md is not what the machine does: run `pnpm diagram`');
  process.exitCode = 1;
}
