// How does a performance look: in a terminal, in a log, and to a machine?

import { styleText } from 'node:util';
import Table from 'cli-table3';
import createSpinner from 'yocto-spinner';

/** `hasColors` looks at NO_COLOR and FORCE_COLOR too. */
const isColoured = process.stdout.isTTY && process.stdout.hasColors();
const style = (format, text) => (isColoured ? styleText(format, text) : text);

/** Lines between rows nowhere, and outside a terminal no frame either. */
const EDGES = ['top', 'bottom', 'left', 'right', 'mid', 'left-mid', 'mid-mid', 'right-mid'];
const EDGES_AND_CORNERS = [
  ...EDGES,
  ...['top', 'bottom'].flatMap((edge) => [`${edge}-mid`, `${edge}-left`, `${edge}-right`]),
];
const without = (parts) => Object.fromEntries(parts.map((part) => [part, '']));
const LOOK = {
  style: { head: [], border: [], 'padding-left': 1, 'padding-right': 1 },
  chars: process.stdout.isTTY ? {} : { ...without(EDGES_AND_CORNERS), middle: '|' },
};

/** What people see: each act when it is over, in the order of the programme, then the table. */
export function createPrinter() {
  const spinner = process.stdout.isTTY ? createSpinner({ stream: process.stdout }) : undefined;

  return {
    begins(count) {
      console.log(
        `${style('bold', `Holdfast, ${count} ${count === 1 ? 'act' : 'acts'}`)}: real sockets, servers in other processes\n`,
      );
      spinner?.start();
    },
    playing(titles) {
      if (spinner) spinner.text = titles.join(', ');
    },
    actEnded({ number, title, seconds, held, shown, rows, error }) {
      spinner?.stop();
      console.log(`${style('bold', `${number}  ${title}`)}  ${verdict(held)} ${style('dim', `${seconds} s`)}`);
      for (const each of shown) console.log(indent(each.type === 'line' ? each.text : drawTable(each)));
      for (const row of rows) if (!row.held) console.log(indent(style('red', `broken: ${row.promise}: ${row.found}`)));
      if (error) console.log(indent(style('red', error)));
      console.log();
      spinner?.start();
    },
    ended({ acts, held, seconds }) {
      spinner?.stop();
      const table = new Table({ ...LOOK, head: ['', 'act', 'promises', 'verdict', 'what was measured'] });
      for (const act of acts) {
        const kept = act.rows.filter((row) => row.held).length;
        table.push([act.number, act.title, `${kept}/${act.rows.length}`, verdict(act.held), act.summary]);
      }
      console.log(table.toString());
      const count = acts.filter((act) => act.held).length;
      console.log(`\n${style(held ? 'green' : 'red', `${count} of ${acts.length} acts held`)} in ${seconds} s`);
    },
  };
}

/** What machines read: one JSON document, at the end. */
export function createJsonPrinter() {
  return {
    begins() {},
    playing() {},
    actEnded() {},
    ended({ acts, ...rest }) {
      const told = acts.map((act) => ({ ...act, shown: undefined })); // that is for people
      console.log(JSON.stringify({ ...rest, acts: told }, undefined, 2));
    },
  };
}

const verdict = (held) => (held ? style('green', 'held') : style('red', 'BROKEN'));

function drawTable({ head, rows }) {
  const table = new Table({ ...LOOK, head });
  table.push(...rows);
  return table.toString();
}

const indent = (text) => text.replaceAll(/^/gm, '   ');
