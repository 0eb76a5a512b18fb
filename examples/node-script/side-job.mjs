// How does a connection that only accompanies a job not keep the job's process running? By `unref`.

import { connect } from '@holdfast/node';

// Nobody listens here. Without `unref` the client would dial again and again, and the process would never end.
const client = connect(process.env.PROGRESS_URL ?? 'ws://127.0.0.1:9', { unref: true });

for (let step = 1; step <= 3; step++) {
  await work();
  client.send(`step ${step} of 3`); // queued, in case somebody listens one day
}
console.log(`side job: done, while the client is ${client.status}; nothing waits for it`);

/** Stands for what the job really does. */
function work() {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
