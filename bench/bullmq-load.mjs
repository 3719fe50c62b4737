// Adds jobs to a queue of its own and processes them; prints the jobs per second.
// node bullmq-load.mjs FOLDER-WITH-NODE_MODULES PORT JOBS
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';

const [folder, port, jobs] = process.argv.slice(2);
const { Queue, Worker } = createRequire(`${folder}/package.json`)('bullmq');
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const name = `bench-${randomUUID()}`;
const queue = new Queue(name, { connection });
await queue.waitUntilReady();

let done = 0;
const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
const worker = new Worker(name, async () => { if (++done === Number(jobs)) resolve(); }, {
  connection, concurrency: 50, autorun: false, removeOnComplete: { count: 0 },
});
await worker.waitUntilReady();

const started = performance.now();
worker.run();
const batch = 100;
for (let from = 0; from < jobs; from += batch) {
  await queue.addBulk(Array.from({ length: batch }, (_, i) => ({ name: 'j', data: { n: from + i } })));
}
await promise;
console.log((1000 * jobs) / (performance.now() - started));
await worker.close();
await queue.obliterate({ force: true });
await queue.close();

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => { made.resolve = resolve; });
  return made;
}
