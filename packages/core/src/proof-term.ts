// How long is a proof waited for?
//
// The same fairness as the heartbeat's: a verdict first gives pending input one turn, and a deadline that fires very late
// gets one further term. But here no sign of life helps, only the proof.

/** What is waited for since `since`, and until when. Another `since` is another question, with a term of its own. */
export interface ProofTerm {
  readonly since: number;
  readonly until: number;
  /** The deadline was very late once: this one is final, however late. */
  readonly isSecond: boolean;
  /** Pending input has had its turn. */
  readonly hadTurn: boolean;
}

/** A deadline this late was not merely busy: the loop was blocked, the tab was throttled, the device slept. */
const LATE = 1_000;
const LONGEST_SECOND = 5_000;

export function firstTerm(since: number, timeout: number): ProofTerm {
  return { since, until: since + timeout, isSecond: false, hadTurn: false };
}

/** The term has run out. What follows; `undefined`: nothing, the proof is overdue. */
export function nextTerm(term: ProofTerm, now: number, timeout: number): ProofTerm | undefined {
  if (!term.isSecond && now - term.until > Math.max(LATE, timeout)) {
    return { ...term, until: now + Math.min(LONGEST_SECOND, timeout), isSecond: true, hadTurn: false };
  }
  return term.hadTurn ? undefined : { ...term, until: now, hadTurn: true };
}
