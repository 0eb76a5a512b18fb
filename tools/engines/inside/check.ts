// Is it as it should be, said in words that every engine writes alike?
//
// An assertion library would be more code than the SDK, and would have to run in the barest engine too. Values are
// compared as text.

/** @throws with both texts, if `actual` is not `expected` in every part */
export function equal(actual: unknown, expected: unknown): void {
  compare(textOf(actual), textOf(expected));
}

/** Looks at no more than `expected` names: keys of objects; arrays have to be of one length. @throws likewise */
export function matches(actual: unknown, expected: unknown): void {
  compare(textOf(likenessOf(actual, expected)), textOf(expected));
}

/** @throws if `text` does not hold `part` */
export function contains(text: unknown, part: string): void {
  if (String(text).indexOf(part) < 0) throw new Error(`"${part}" is not in ${textOf(text)}`);
}

/** What was thrown, as text. @throws if nothing was */
export function thrownBy(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return String(thrown);
  }
  throw new Error('nothing was thrown');
}

function compare(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${actual} instead of ${expected}`);
}

/** `actual` with the keys alone that `expected` has. */
function likenessOf(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected))
    return actual.map((each, i) => (i < expected.length ? likenessOf(each, expected[i]) : each));
  if (!isPlain(expected) || typeof actual !== 'object' || actual === null) return actual;
  const likeness: Record<string, unknown> = {};
  for (const key of Object.keys(expected)) {
    likeness[key] = likenessOf((actual as Record<string, unknown>)[key], expected[key]);
  }
  return likeness;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  if (value instanceof Uint8Array) return `<${Array.from(value).join(' ')}>`;
  if (!isPlain(value)) return String(value);
  const keys = Object.keys(value).sort();
  return `{ ${keys.map((key) => `${key}: ${textOf(value[key])}`).join(', ')} }`;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]' && !(value instanceof Uint8Array);
}
