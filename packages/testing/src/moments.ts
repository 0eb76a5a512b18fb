// How does a test wait for what happens elsewhere, without sleeping and without asking again and again?

export interface Moments {
  /** Something may have come true: every condition that is waited for is looked at again. */
  changed(): void;
  /** Resolves with the first answer of `look` that is not `undefined`, at once if it has one already. */
  until<T>(look: () => T | undefined): Promise<T>;
  /** Nothing will happen any more: whoever waits, now or later, is told by this error. */
  end(error: Error): void;
}

interface Waiter {
  /** Whether it has been answered. */
  look(): boolean;
  reject(error: Error): void;
}

export function createMoments(): Moments {
  let waiters: Waiter[] = [];
  let ended: Error | undefined;

  return {
    changed() {
      waiters = waiters.filter((waiter) => !waiter.look());
    },
    until<T>(look: () => T | undefined) {
      return new Promise<T>((resolve, reject) => {
        const answered = (): boolean => {
          const answer = look();
          if (answer !== undefined) resolve(answer);
          return answer !== undefined;
        };
        if (answered()) return;
        if (ended) reject(ended);
        else waiters.push({ look: answered, reject });
      });
    },
    end(error) {
      ended = error;
      for (const waiter of waiters) waiter.reject(error);
      waiters = [];
    },
  };
}
