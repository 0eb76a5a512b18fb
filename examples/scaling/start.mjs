// `pnpm start`: two servers on one Redis, behind nginx and behind haproxy. A rolling deploy, then proxies that cut; is anything lost?

import { setTimeout } from 'node:timers/promises';
import { createCrowd, reckon } from './crowd.mjs';
import { createFleet } from './machinery.mjs';

/** Seconds of silence after which both proxies cut a link. */
const IDLE = 3;
/** Clients behind each proxy that talk all the time, and that only listen. */
const TALKING = 15;
const SILENT = 5;
/** Milliseconds between two numbers of a client that talks. */
const EVERY = 100;
/** Milliseconds over which a server that leaves sends its clients to the other. */
const DRAIN_OVER = 1_500;
const BIN = 250;
const CUTS = 2;
const PATIENCE = 10_000;

/** For links that stay: well below IDLE. The default, 30 s, is below the usual 60 s of nginx. */
const heartbeat = { interval: 800, timeout: 2_000 };
/** The first wait is a random part of this; the default is 2.5 s. */
const reconnect = { initialDelay: 250, stableAfter: 1_000 };

const verdicts = [];
const fleet = await createFleet({ idle: IDLE, drainOver: DRAIN_OVER }).catch((cause) => {
  console.error(cause.message);
  process.exit(1);
});
console.log(`two servers on one Redis, behind nginx and haproxy; both cut a link that is silent for ${IDLE} s\n`);
await rollingDeploy();
await slowHeartbeat();
await fleet.end();
const isWell = verdicts.every(Boolean);
console.log(isWell ? 'verdict: nothing lost, nothing twice, in order' : 'verdict: BROKEN');
process.exitCode = isWell ? 0 : 1;

/** Both servers are drained and started again, one after the other, while everybody talks. */
async function rollingDeploy() {
  console.log(`rolling deploy, ${TALKING} clients that talk and ${SILENT} that listen behind each proxy:`);
  const entries = Object.entries(fleet.proxies);
  const crowds = await Promise.all(
    entries.flatMap(([name, url]) => [
      createCrowd(`${name}-talks`, url, TALKING, { heartbeat, reconnect }),
      createCrowd(`${name}-listens`, url, SILENT, { heartbeat, reconnect }),
    ]),
  );
  const talking = crowds.filter((_, i) => i % 2 === 0);
  const traffic = setInterval(() => talking.forEach((crowd) => crowd.sendAll()), EVERY);

  await setTimeout(500);
  for (let server = 0; server < fleet.size; server++) {
    const at = Date.now();
    const [told] = await Promise.all([fleet.restart(server), setTimeout(DRAIN_OVER + 500)]);
    const members = crowds.flatMap((crowd) => crowd.members);
    const back = members.flatMap(({ resumes }) => resumes.filter((time) => time >= at).map((time) => time - at));
    const share = Math.max(...Object.values(countPerBin(back))) / told;
    console.log(`  server ${server + 1} drained over ${DRAIN_OVER} ms and started again: ${told} clients sent away,`);
    console.log(`    back with their sessions, per ${BIN} ms: ${bins(back)}`);
    verdicts.push(back.length === told && share <= 0.6);
  }
  clearInterval(traffic);
  await endAndTell(crowds, entries, ({ cuts }) => cuts === 0);
}

/** A heartbeat of 30 s: the proxies cut every link again and again, and every time the session goes on. */
async function slowHeartbeat() {
  console.log(
    `\na heartbeat that is too slow for the proxies, ${SILENT} clients behind each, until each was cut ${CUTS} times:`,
  );
  const entries = Object.entries(fleet.proxies);
  const crowds = await Promise.all(
    entries.map(([name, url]) => createCrowd(`${name}-slow`, url, SILENT, { reconnect })),
  );
  await Promise.all(
    crowds.flatMap((crowd) =>
      crowd.members.map(async (member) => {
        for (let cut = 0; cut < CUTS; cut++) await member.waitForCut(20);
        for (let i = 0; i < 20; i++) member.send();
      }),
    ),
  );
  await endAndTell(crowds, entries, ({ cuts }) => cuts >= entries.length);
}

/** @param isExpected of the figures of one proxy */
async function endAndTell(crowds, entries, isExpected) {
  await Promise.all(crowds.map((crowd) => crowd.end(PATIENCE)));
  const handled = fleet.handled();
  const perProxy = crowds.length / entries.length;
  entries.forEach(([name], i) => {
    const members = crowds.slice(i * perProxy, (i + 1) * perProxy).flatMap((crowd) => crowd.members);
    const all = reckon(members, handled);
    console.log(
      `  ${name.padEnd(8)} ${all.sent} sent each way: ${all.lost} lost, ${all.duplicated} duplicated, ${all.disordered} out of order;`,
      `${all.sentAway} sent away, ${all.cuts} cut, ${all.resumes} resumed, ${all.losses} sessions lost`,
    );
    const { refused, lost, duplicated, disordered, losses, resumes, sentAway, cuts } = all;
    verdicts.push(
      refused + lost + duplicated + disordered + losses === 0 && resumes === sentAway + cuts && isExpected(all),
    );
  });
}

function countPerBin(times) {
  const counts = {};
  for (const time of times) counts[Math.floor(time / BIN)] = (counts[Math.floor(time / BIN)] ?? 0) + 1;
  return counts;
}

function bins(times) {
  const counts = countPerBin(times);
  const last = Math.max(...Object.keys(counts).map(Number));
  return Array.from({ length: last + 1 }, (_, i) => counts[i] ?? 0).join(' ');
}
