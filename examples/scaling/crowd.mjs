// Clients with sessions, numbered messages both ways: what was lost, what came twice, and when did they come back?

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { connect } from '@holdfast/node';
import { session } from '@holdfast/session';

/**
 * @param {string} name of the crowd; no other may have it
 * @param {object} options of `connect`, the session aside
 */
export async function createCrowd(name, url, count, options) {
  const members = Array.from({ length: count }, (_, i) => createMember(`${name}-${i}`, url, options));
  await Promise.all(members.map(({ client }) => client.opened()));

  return {
    members,
    /** Each sends one, and hears an answer from whichever server handles it. */
    sendAll: () => members.forEach((member) => member.send()),
    /** Resolves when every answer is there, or after `patience` milliseconds; then says goodbye. */
    async end(patience) {
      const deadline = performance.now() + patience;
      const isWaiting = ({ sent, answers }) => answers.length < sent;
      while (members.some(isWaiting) && performance.now() < deadline) await setTimeout(20);
      await Promise.all(members.map(({ client }) => client.close()));
    },
  };
}

function createMember(name, url, options) {
  const client = connect(url, { ...options, session: session({ auth: name }) });
  const member = {
    name,
    client,
    sent: 0,
    refused: 0,
    answers: [],
    /** The codes of its closes, and when it was back with its session. */
    closes: [],
    resumes: [],
    losses: [],
    send() {
      if (!client.send(`${name} ${++member.sent}`)) member.refused++;
    },
    /** Sends `burst` numbers, is silent until the link is cut, and is back. */
    async waitForCut(burst) {
      const cut = once(client, 'close');
      for (let i = 0; i < burst; i++) member.send();
      await cut;
      await client.opened();
    },
  };
  client.on('message', (answer) => member.answers.push(String(answer)));
  client.on('session', ({ resumed }) => resumed && member.resumes.push(Date.now()));
  client.on('close', ({ code, asked }) => asked || member.closes.push(code));
  client.on('lost', ({ reason }) => member.losses.push(reason));
  return member;
}

/**
 * Everything that was sent, held against what the servers handled and what the clients heard.
 * @param {string[]} handled
 */
export function reckon(members, handled) {
  const total = {
    sent: 0,
    refused: 0,
    lost: 0,
    duplicated: 0,
    disordered: 0,
    sentAway: 0,
    cuts: 0,
    resumes: 0,
    losses: 0,
  };
  for (const { name, sent, refused, answers, resumes, losses, closes } of members) {
    const sentAway = closes.filter((code) => code === 1012).length;
    total.sent += sent;
    total.refused += refused;
    total.sentAway += sentAway;
    total.cuts += closes.length - sentAway;
    total.resumes += resumes.length;
    total.losses += losses.length;
    for (const arrived of [handled.filter((line) => line.startsWith(`${name} `)), answers]) {
      const numbers = arrived.map((line) => Number(line.split(' ')[1]));
      const firsts = [...new Set(numbers)];
      total.lost += sent - firsts.length;
      total.duplicated += numbers.length - firsts.length;
      total.disordered += firsts.filter((number, i) => i > 0 && number < firsts[i - 1]).length;
    }
  }
  return total;
}
