// A share of the lives of `pnpm simulate:session`, for one process: bundled, so that a fault can be planted, and told back.
import { liveRandomly } from '../packages/session/test/support/session-life.ts';

/** Every `step`-th seed from `first` on, up to `end`. */
export interface Share {
  readonly first: number;
  readonly step: number;
  readonly end: number;
  /** Whether to write down everything. */
  readonly log: boolean;
  /** Whether the first broken promise is enough. */
  readonly stopsAtFailure: boolean;
}

export interface Report {
  readonly lives: number;
  readonly messages: number;
  /** Handlers that ran again, and messages that were told as in doubt: what is allowed, and how often it happens. */
  readonly handledAgain: number;
  readonly inDoubtTold: number;
  readonly failures: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}

async function live({ first, step, end, log, stopsAtFailure }: Share): Promise<Report> {
  const report = { lives: 0, messages: 0, handledAgain: 0, inDoubtTold: 0 };
  const failures: Report['failures'][number][] = [];
  for (let seed = first; seed < end; seed += step) {
    const { violations, messages, handledAgain, inDoubtTold } = await lived(seed, log);
    report.lives++;
    process.send!('alive');
    report.messages += messages;
    report.handledAgain += handledAgain;
    report.inDoubtTold += inDoubtTold;
    if (violations.length > 0) failures.push({ seed, violations });
    if (violations.length > 0 && stopsAtFailure) break;
  }
  return { ...report, failures };
}

/** A life in which something throws where nobody catches it has broken a promise too. */
async function lived(seed: number, log: boolean): ReturnType<typeof liveRandomly> {
  const thrown: string[] = [];
  const listen = (cause: unknown): void =>
    void thrown.push(cause instanceof Error ? String(cause.stack) : String(cause));
  process.on('unhandledRejection', listen);
  try {
    const outcome = await liveRandomly(seed, log ? (line) => console.log(line) : undefined);
    return { ...outcome, violations: [...outcome.violations, ...thrown.map((words) => `nobody catches: ${words}`)] };
  } finally {
    process.off('unhandledRejection', listen);
  }
}

const share = JSON.parse(process.argv[2]!) as Share;
if (!share.log) Error.stackTraceLimit = 1; // nobody reads them, and each takes its time
process.send!(await live(share), () => process.exit(0));
