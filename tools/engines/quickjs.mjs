// How does QuickJS run a script? `node quickjs.mjs <folder with node_modules> <script>`
//
// It has no timers, no console, nothing: only `print`, which it is given here. Promises have their turn when the host
// says so.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, script] = process.argv.slice(2);
const { getQuickJS } = createRequire(join(folder, 'package.json'))('quickjs-emscripten');
const context = (await getQuickJS()).newContext();

const print = context.newFunction('print', (line) => console.log(context.getString(line)));
context.setProp(context.global, 'print', print);
print.dispose();

context.unwrapResult(context.evalCode(readFileSync(script, 'utf8'), 'bundle.js')).dispose();
context.unwrapResult(context.runtime.executePendingJobs());
context.dispose();
