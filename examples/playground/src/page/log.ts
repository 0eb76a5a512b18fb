// What is written down, for the eye and for a screen reader?

import { element } from './timeline.ts';
import type { Line } from './record.ts';

/** More than this nobody scrolls through. */
const LONGEST = 200;

export function createLog(list: HTMLElement): (line: Line) => void {
  return ({ kind, text }) => {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
    const line = element('p', kind);
    line.append(
      element('time', '', clock(new Date())),
      ' ',
      element('span', '', kind === 'you' ? `You: ${text}` : text),
    );
    list.append(line);
    if (list.childElementCount > LONGEST) list.firstElementChild!.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight; // whoever has scrolled up is reading
  };
}

function clock(date: Date): string {
  return date.toTimeString().slice(0, 8);
}
