// Load by the Node BullMQ, as a process of its own: `node load.mjs FOLDER`, where FOLDER has
// bullmq in its node_modules (`npm install bullmq`). Input, output and log are those of
// load_python.py; core/drill/load.py says what a plan means, core/drill/events.py what is written.

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const modules = createRequire(join(resolve(process.argv[2] ?? '.'), 'package.json'));
const { FlowProducer, Queue, Worker } = modules('bullmq');

const RETRY_AFTER = 50;
const PRIORITIES = 10;
const CHILDREN = 2;
const CLOSE_MILLISECONDS = 10_000;

const now = () => Date.now();
const tell = (what) => process.stdout.write(`${what}\n`);
const fail = (error) => {
  process.stderr.write(`${error.stack}\n${error.message}\n`); // the last line is shown
  process.exit(1);
};

/** Appends events to a file of its own; a promise is kept when they are on disk. */
class LedgerLog {
  static async create(folder, writer) {
    await mkdir(folder, { recursive: true });
    const log = new LedgerLog();
    log.file = await open(join(folder, `${writer}.events.jsonl`), 'ax', 0o600);
    const entry = await open(folder);
    await entry.sync();
    await entry.close();
    log.lines = [];
    return log;
  }

  append(...happened) {
    this.lines ??= [];
    this.lines.push(...happened.map((event) => `${JSON.stringify(event)}\n`));
    this.next ??= this.#write(this.writing);
    return this.next;
  }

  /** Write what has gathered while the write before was under way, with one fsync. */
  async #write(before) {
    await before;
    const lines = this.lines;
    this.writing = this.next;
    this.lines = [];
    this.next = undefined;
    await this.file.appendFile(lines.join(''));
    await this.file.sync();
  }

  async close() {
    await (this.next ?? this.writing);
    await this.file.close();
  }
}

const order = (plan, number) => {
  const dice = createHash('sha256').update(`${plan.seed}:${plan.writer}:${number}`).digest();
  const kind = plan.mix[dice.readUInt32BE(0) % plan.mix.length];
  const queue = plan.queues[dice.readUInt32BE(4) % plan.queues.length];
  const roll = dice.readUInt32BE(8);
  const wanted = { kind, queue, delay: 0, priority: 0, failures: 0 };
  if (kind === 'delayed') wanted.delay = 1 + (roll % plan.longest_delay);
  if (kind === 'prioritised') wanted.priority = 1 + (roll % PRIORITIES);
  if (kind === 'retried') wanted.failures = 1 + (roll % plan.most_failures);
  return wanted;
};

const fileAt = (path) => (path ? readFileSync(path) : undefined);

const connectionTo = ({ host, port, db, username, password, path, tls }) => ({
  ...(path ? { path } : { host, port }),
  ...(tls && {
    tls: { ca: fileAt(tls.ca), cert: fileAt(tls.cert), key: fileAt(tls.key ?? tls.cert) },
  }),
  db,
  username: username ?? undefined,
  password: password ?? undefined,
  maxRetriesPerRequest: null, // wait for Redis instead of giving up
  // a node without power closes no connection; an idle worker blocks for up to 10 s
  socketTimeout: 15_000,
  // a server that turned read-only is left: reconnect, and send the command again
  reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
});

const quiet = (subject) => subject.on('error', (error) => process.stderr.write(`${error.message}\n`));

class Producer {
  constructor(plan, log) {
    this.plan = plan;
    this.log = log;
    const options = { connection: connectionTo(plan.address), prefix: plan.prefix };
    this.queues = new Map(plan.queues.map((name) => [name, quiet(new Queue(name, options))]));
    this.flows = quiet(new FlowProducer(options));
    this.filling = plan.filling ? { filling: 'x'.repeat(plan.filling) } : {};
    this.adds = new Map();
    this.stopping = new AbortController();
    this.stopped = new Promise((kept) => this.stopping.signal.addEventListener('abort', kept));
  }

  async run() {
    const { rate, adds_at_once: places } = this.plan;
    const begun = performance.now();
    const stopped = this.stopping.signal;
    for (let number = 0; !stopped.aborted; number += 1) {
      const wait = begun + (number / rate) * 1000 - performance.now();
      if (wait > 1) await pause(wait, undefined, { signal: stopped }).catch(() => {});
      while (this.adds.size >= places && !stopped.aborted) {
        await Promise.race([...this.adds.keys(), this.stopped]);
      }
      if (!stopped.aborted) this.#begin(order(this.plan, number));
    }
  }

  /** Stop adding, wait for all answers, and write of adds without one that they are in doubt. */
  async settle(running) {
    this.stopping.abort();
    await running;
    const late = pause(this.plan.settle, 'late', { ref: false });
    await Promise.race([Promise.all(this.adds.keys()), late]);
    for (const intents of this.adds.values()) this.#doubt(intents, 'never settled');
    const clients = [...this.queues.values(), this.flows];
    await Promise.race([Promise.all(clients.map((client) => client.close())), late]);
  }

  #begin(wanted) {
    const at = now();
    const event = { event: 'intent', queue: wanted.queue };
    const first = { ...event, at, uuid: randomUUID(), kind: wanted.kind, delay: wanted.delay };
    const child = () => ({ ...event, at, uuid: randomUUID(), kind: 'child', parent: first.uuid });
    const children = wanted.kind === 'flow' ? Array.from({ length: CHILDREN }, child) : [];
    const intents = [first, ...children];
    const add = this.#add(wanted, intents).catch(fail);
    this.adds.set(add, intents);
    add.then(() => this.adds.delete(add));
  }

  async #add(wanted, intents) {
    await this.log.append(...intents);
    let ids;
    try {
      ids = await this.#send(wanted, intents);
    } catch (error) {
      const reason = error.message || error.name;
      if (!this.plan.definite.includes(reason.split(' ')[0])) return this.#doubt(intents, reason);
      return this.#answer('rejected', intents, () => ({ reason }));
    }
    return this.#answer('acknowledged', intents, (place) => ({ job_id: ids[place] }));
  }

  async #send(wanted, [first, ...children]) {
    if (wanted.kind === 'flow') {
      const node = ({ kind, queue, uuid }) => ({
        name: kind,
        queueName: queue,
        data: { uuid, failures: 0, ...this.filling },
      });
      const tree = await this.flows.add({ ...node(first), children: children.map(node) });
      return [tree.job.id, ...tree.children.map((child) => child.job.id)];
    }
    const options = {};
    if (wanted.delay) options.delay = wanted.delay;
    if (wanted.priority) options.priority = wanted.priority;
    if (wanted.failures) {
      options.attempts = wanted.failures + 1;
      options.backoff = { type: 'fixed', delay: RETRY_AFTER };
    }
    const data = { uuid: first.uuid, failures: wanted.failures, ...this.filling };
    const job = await this.queues.get(wanted.queue).add(wanted.kind, data, options);
    return [job.id];
  }

  #doubt(intents, reason) {
    return this.#answer('in doubt', intents, () => ({ reason }));
  }

  /** Not awaited: an answer that is not on disk when the process dies leaves the add in doubt. */
  #answer(event, intents, rest) {
    const at = now();
    const told = intents.map(({ uuid }, place) => ({ event, at, uuid, ...rest(place) }));
    this.log.append(...told).catch(fail);
  }
}

const startWorkers = (plan, log) => {
  const options = {
    connection: connectionTo(plan.address),
    prefix: plan.prefix,
    concurrency: plan.jobs_at_once,
    lockDuration: plan.lock_duration,
    stalledInterval: plan.stalled_interval,
    maxStalledCount: plan.most_stalls,
  };
  const processor = async (job) => {
    const { uuid, failures } = job.data;
    const who = { uuid, job_id: job.id, worker: plan.writer, starts: job.attemptsStarted };
    const attempts = job.attemptsMade;
    log.append({ event: 'started', at: now(), ...who, attempts }).catch(fail);
    await pause(plan.work);
    if (attempts < failures) {
      await log.append({ event: 'failed on purpose', at: now(), ...who }).catch(fail);
      throw new Error('failed on purpose');
    }
    await log.append({ event: 'done', at: now(), ...who }).catch(fail);
    return 'done';
  };
  return plan.queues.flatMap((name) =>
    Array.from({ length: plan.workers }, () => quiet(new Worker(name, processor, options))),
  );
};

const main = async () => {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const plan = JSON.parse((await lines.next()).value);
  const log = await LedgerLog.create(plan.folder, plan.writer);
  const workers = startWorkers(plan, log);
  const producer = new Producer(plan, log);
  const running = plan.rate > 0 ? producer.run().catch(fail) : undefined;
  tell('ready');
  let told = await lines.next();
  await producer.settle(running);
  tell('added');
  while (!told.done && told.value !== 'end') told = await lines.next();
  const closed = Promise.all(workers.map((worker) => worker.close()));
  await Promise.race([closed, pause(CLOSE_MILLISECONDS, undefined, { ref: false })]);
  await log.close();
  process.exit(0); // a client that still waits for its server would keep the process
};

await main().catch(fail);
