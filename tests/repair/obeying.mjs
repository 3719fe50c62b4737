// The Node BullMQ obeys orders, one after the other: `node obeying.mjs MODULES SOCKET`, the orders
// as one JSON array on standard input; obeying.py is the same in Python.

import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const [, , folder, path] = process.argv;
const modules = createRequire(join(resolve(folder), 'package.json'));
const { FlowProducer, Queue, Worker } = modules('bullmq');
const { Redis } = modules('ioredis');

const HOUR = 3_600_000;
const TOKEN = 'worker:0';
const OPTIONS = {
  plain: {},
  delayed: { delay: HOUR },
  prioritised: { priority: 3 },
  removed: { removeOnComplete: true },
};

const connection = { path, maxRetriesPerRequest: null };
const cache = new Redis({ ...connection, db: 1 });
const flows = new FlowProducer({ connection });
const queues = new Map();
const once = (name) => {
  if (!queues.has(name)) {
    const worker = new Worker(name, null, { connection, autorun: false });
    queues.set(name, { queue: new Queue(name, { connection }), worker, active: [] });
  }
  return queues.get(name);
};

const verbs = {
  cache: (key, value) => cache.set(key, value),
  add: (name, uuid, words, kind) => {
    const options = kind === 'named' ? { jobId: `order-${uuid.slice(0, 8)}` } : OPTIONS[kind];
    return once(name).queue.add(kind, { uuid, text: words }, { attempts: 1, ...options });
  },
  flow: (queueName, uuid, words, ...children) => {
    const node = { name: 'flow', queueName, opts: { attempts: 1 } };
    const below = children.map((child) => ({ ...node, data: { uuid: child, text: words } }));
    return flows.add({ ...node, data: { uuid, text: words }, children: below });
  },
  take: async (name) => {
    const job = await once(name).worker.getNextJob(TOKEN, { block: false });
    if (job) once(name).active.push(job);
  },
  complete: async (name) => {
    // as its workers do: the next job is taken in the same transaction
    const { worker, active } = once(name);
    const found = await active.shift()?.moveToCompleted({ sent: true }, TOKEN, true);
    if (found?.[0]) active.push(await worker.nextJobFromJobData(found[0], found[1], TOKEN));
  },
  fail: (name) => once(name).active.shift()?.moveToFailed(new Error('no such address'), TOKEN),
  pause: (name) => once(name).queue.pause(),
  resume: (name) => once(name).queue.resume(),
};

for (const [verb, ...rest] of JSON.parse(await text(process.stdin))) await verbs[verb](...rest);
for (const { queue, worker } of queues.values()) {
  await worker.close();
  await queue.close();
}
await flows.close();
await cache.quit();
