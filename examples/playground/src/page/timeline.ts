// What does the band of states look like?
//
// Its parts are the items of a list, so what is seen and what is read aloud are one thing.

import type { Mark, Record, Span } from './record.ts';

export interface Timeline {
  /** Draws what lies between `from` and `to`, milliseconds of `performance.now()`. */
  draw(record: Record, from: number, to: number): void;
}

export function createTimeline(track: HTMLElement, marks: HTMLElement, axis: HTMLElement): Timeline {
  const spanItems = new Map<Span, HTMLElement>();
  const markItems = new Map<Mark, HTMLElement>();
  let seconds = 0;
  let lane = 0;

  return {
    draw(record, from, to) {
      const share = (at: number): number => (100 * (at - from)) / (to - from);
      const ends = new Map(record.spans.map((span, i) => [span, record.spans[i + 1]?.from ?? to]));

      keep(
        spanItems,
        track,
        [...ends].filter(([, end]) => end > from).map(([span]) => span),
        spanItem,
      );
      for (const [span, item] of spanItems) {
        const end = ends.get(span)!;
        const left = Math.max(share(span.from), 0);
        item.style.left = `${left}%`;
        item.style.width = `${share(end) - left}%`;
        const duration = `${((end - span.from) / 1_000).toFixed(1)} s`;
        if (item.lastChild!.textContent !== duration) item.lastChild!.textContent = duration;
      }

      keep(
        markItems,
        marks,
        record.marks.filter(({ at }) => at > from),
        (mark) => markItem(mark, lane++),
      );
      for (const [mark, item] of markItems) item.style.right = `${100 - share(mark.at)}%`;

      if (seconds === to - from) return;
      seconds = to - from;
      axis.replaceChildren(...ticks(seconds / 1_000));
    },
  };
}

/** As many items as there are things, the old ones kept. */
function keep<T>(items: Map<T, HTMLElement>, list: HTMLElement, things: readonly T[], make: (thing: T) => HTMLElement) {
  const wanted = new Set(things);
  for (const [thing, item] of items) {
    if (wanted.has(thing)) continue;
    items.delete(thing);
    item.remove();
  }
  for (const thing of things) {
    if (items.has(thing)) continue;
    const item = make(thing);
    items.set(thing, item);
    list.append(item);
  }
}

function spanItem({ status }: Span): HTMLElement {
  const item = element('li', 'span');
  item.dataset['status'] = status;
  item.append(element('b', '', status), ' ', element('i', '', ''));
  return item;
}

/** Neighbours have lanes of their own, so that neither hides the other's name. */
function markItem({ what }: Mark, lane: number): HTMLElement {
  return element('li', lane % 2 ? 'mark lower' : 'mark', what);
}

/** Four, at the thirds. */
function ticks(seconds: number): HTMLElement[] {
  return [`${seconds} s ago`, `${(seconds * 2) / 3}`, `${seconds / 3}`, 'now'].map((text, third) => {
    const tick = element('span', '', text);
    tick.style.left = `${(100 * third) / 3}%`;
    return tick;
  });
}

export function element(name: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
