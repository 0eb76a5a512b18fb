// What do the buttons do?

import type { Client } from '@holdfast/browser';
import type { Action, Link, StageState } from '../stage/stage.ts';
import type { Record } from './record.ts';

/** Milliseconds between two messages. */
const SENDING = 500;

/** Which button is down on which link. */
const PRESSED: Readonly<{ [Name in 'silence' | 'delay' | 'refuse']: Link }> = {
  silence: 'silent',
  delay: 'slow',
  refuse: 'refusing',
};

export function createControls(client: Client, record: Record, first: StageState): void {
  let stage = first;
  let isHidden = false;
  let sending: ReturnType<typeof setInterval> | undefined;
  let messages = 0;

  const linkButtons = all('[data-link]');
  const keepSending = one('#keep-sending');
  const hideButton = one('#hide');
  const closeButton = one('#close');

  async function perform(action: Action, what: string): Promise<void> {
    record.mark(what);
    const response = await fetch(`/control/${action}`, { method: 'POST' }).catch(() => undefined);
    if (!response?.ok) return record.mark(`${what} failed`);
    show((await response.json()) as StageState);
  }

  function show(state: StageState): void {
    stage = state;
    for (const button of linkButtons)
      press(button, PRESSED[button.dataset['link'] as keyof typeof PRESSED] === stage.link);
  }

  /**
   * Tells the page what a browser tells one that goes into the back/forward cache, or comes out of it: a script cannot
   * hide its page in earnest. From here on it is all the client's doing.
   */
  function hide(hidden: boolean): void {
    isHidden = hidden;
    press(hideButton, hidden);
    record.mark(hidden ? 'Hide' : 'Show');
    dispatchEvent(new PageTransitionEvent(hidden ? 'pagehide' : 'pageshow', { persisted: true }));
  }

  function keepOnSending(isOn: boolean): void {
    clearInterval(sending);
    press(keepSending, isOn);
    if (!isOn) return;
    sending = setInterval(() => {
      if (client.status === 'closed' || client.status === 'closing') return;
      record.sent();
      client.send(`message ${++messages}`);
    }, SENDING);
  }

  for (const button of all('[data-action]')) {
    button.addEventListener('click', () => void perform(button.dataset['action'] as Action, nameOf(button)));
  }
  for (const button of linkButtons) {
    button.addEventListener('click', () => {
      if (isPressed(button)) void perform('clear', `${nameOf(button)} no more`);
      else void perform(button.dataset['link'] as Action, nameOf(button));
    });
  }
  hideButton.addEventListener('click', () => hide(!isHidden));
  keepSending.addEventListener('click', () => keepOnSending(!isPressed(keepSending)));
  one('#dial').addEventListener('click', () => {
    record.mark('Dial now');
    client.reconnect();
  });
  closeButton.addEventListener('click', () => {
    const isOver = client.status === 'closed';
    record.mark(isOver ? 'Connect' : 'Close');
    if (isOver) client.connect();
    else void client.close();
  });
  client.on('status', (status) => {
    closeButton.querySelector('span')!.textContent = status === 'closed' ? 'Connect' : 'Close';
  });
  one('#mend').addEventListener('click', () => {
    void perform('mend', 'Mend everything').then(() => {
      if (isHidden) hide(false);
      if (client.status === 'closed') client.connect();
    });
  });

  show(first);
  keepOnSending(true);
}

function press(button: HTMLElement, isDown: boolean): void {
  button.setAttribute('aria-pressed', String(isDown));
}

const isPressed = (button: HTMLElement): boolean => button.getAttribute('aria-pressed') === 'true';

/** Without the small print. */
const nameOf = (button: HTMLElement): string => button.querySelector('span')!.textContent!;

const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
const one = (selector: string): HTMLElement => document.querySelector<HTMLElement>(selector)!;
