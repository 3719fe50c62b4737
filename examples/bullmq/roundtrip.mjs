// Adds jobs to BullMQ, lets a worker process them, and checks what Redis kept of each.
//
//   sturdis up --ephemeral -- node examples/bullmq/roundtrip.mjs

import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';

const JOBS = 10;
const SECONDS = 15;

const url = process.env.REDIS_URL;
if (!url) {
  console.error('REDIS_URL is not set; `sturdis up --ephemeral -- node roundtrip.mjs` sets it');
  process.exit(2);
}

const connection = {
  url,
  maxRetriesPerRequest: null, // wait for Redis instead of giving up
  // a server that turned read-only is left: reconnect, and send the command again
  reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
};

let trouble = '';
const remember = (error) => {
  trouble = ` (${error.message || error.code})`;
};

const fail = (why) => {
  console.error(`roundtrip failed: ${why}`);
  process.exit(1);
};

const deadline = setTimeout(() => fail(`not done within ${SECONDS} s${trouble}`), SECONDS * 1000);

const name = `roundtrip-${randomUUID()}`;
const queue = new Queue(name, { connection });
const worker = new Worker(name, async (job) => job.data.number ** 2, { connection });
queue.on('error', remember);
worker.on('error', remember);
worker.on('failed', (job, error) => fail(`job ${job?.id}: ${error.message}`));

const allProcessed = new Promise((resolve) => {
  let processed = 0;
  worker.on('completed', () => {
    processed += 1;
    if (processed === JOBS) resolve();
  });
});

const numbers = Array.from({ length: JOBS }, (_, number) => number);
await queue.addBulk(numbers.map((number) => ({ name: 'square', data: { number } })));
await allProcessed;

const completed = await queue.getCompleted();
const results = new Map(completed.map((job) => [job.data.number, job.returnvalue]));
const wrong = numbers.filter((number) => results.get(number) !== number ** 2);

await worker.close();
await queue.obliterate({ force: true });
await queue.close();
clearTimeout(deadline);

if (wrong.length > 0 || completed.length !== JOBS) {
  fail(`${completed.length} of ${JOBS} jobs completed; wrong results for: ${wrong}`);
}
const { protocol, host } = new URL(url); // without the password
console.log(`${JOBS} jobs added, processed and completed on ${protocol}//${host}`);
