// How does a test wait for what a callback is given?

/** What was pushed comes out in order, as promises. */
export interface Feed<T> {
  readonly push: (value: T) => void;
  /** Whoever waits is told, and everybody from here on. */
  readonly fail: (cause: unknown) => void;
  readonly next: () => Promise<T>;
}

export function feed<T>(): Feed<T> {
  const values: T[] = [];
  const waiting: { resolve(value: T): void; reject(cause: unknown): void }[] = [];
  let failure: { readonly cause: unknown } | undefined;
  return {
    push(value) {
      const first = waiting.shift();
      if (first) first.resolve(value);
      else values.push(value);
    },
    fail(cause) {
      failure = { cause };
      waiting.splice(0).forEach(({ reject }) => reject(cause));
    },
    next: () =>
      new Promise((resolve, reject) => {
        if (values.length > 0) resolve(values.shift()!);
        else if (failure) reject(failure.cause);
        else waiting.push({ resolve, reject });
      }),
  };
}
