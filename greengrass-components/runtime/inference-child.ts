import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ChildAnswer, ChildRequest } from './model-runner.ts';

// One model in one process: native code that dies takes nothing else with it, and a garbage collection of the runtime
// does not delay an answer.
let session: InferenceSession | null = null;

const load = async (path: string): Promise<void> => {
  session = await InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // A spinning pool takes the cores that the runtime and the line need.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
};

const run = async (x: readonly number[]): Promise<number> => {
  if (session === null) throw new Error('no model is loaded');
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  if (input === undefined || output === undefined) throw new Error('the model has no input or no output');
  const result = await session.run({ [input]: new Tensor('float32', Float32Array.from(x), [1, x.length]) });
  return Number(result[output]?.data[0]);
};

const bench = async (rows: readonly (readonly number[])[], count: number): Promise<ChildAnswer['bench']> => {
  for (let i = 0; i < Math.min(20, count); i++) await run(rows[i % rows.length] as number[]);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await run(rows[i % rows.length] as number[]);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))] as number;
  return { p50Ms: at(0.5), p99Ms: at(0.99), residentMiB: process.memoryUsage.rss() / 2 ** 20, runs: count };
};

const handle = async (request: ChildRequest): Promise<Omit<ChildAnswer, 'id'>> => {
  if (request.op === 'load') {
    await load(request.path);
    return {};
  }
  if (request.op === 'bench') return { bench: await bench(request.rows, request.count) };
  return { value: await run(request.x) };
};

// Answers leave in the order of the requests: one model, one thread.
let last: Promise<unknown> = Promise.resolve();
process.on('message', (request: ChildRequest) => {
  last = last
    .then(() => handle(request))
    .then(
      (answer) => process.send?.({ id: request.id, ...answer }),
      (error: Error) => process.send?.({ id: request.id, error: error.message }),
    );
});
// The runtime is gone: so is the reason to live.
process.on('disconnect', () => process.exit(0));
