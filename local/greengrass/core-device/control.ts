import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** What a device answers on its control socket, one JSON line each way. */
export const ControlRequest = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('network'), on: z.boolean() }),
  z.strictObject({ op: z.literal('power-off') }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

export const DeviceOverview = z.strictObject({
  thingName: z.string(),
  nucleus: z.enum(['classic', 'lite']),
  pid: z.int(),
  guardPid: z.int(),
  network: z.boolean(),
  mqttConnected: z.boolean(),
  spooledBytes: z.int(),
  components: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      state: z.string(),
      detail: z.string(),
      pids: z.array(z.int()),
    }),
  ),
});
export type DeviceOverview = z.infer<typeof DeviceOverview>;

/** Serves the control socket. @returns the function that closes it. */
export const serveControl = async (
  socketPath: string,
  handle: (request: ControlRequest) => DeviceOverview,
): Promise<() => Promise<void>> => {
  rmSync(socketPath, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => {
      try {
        socket.write(`${JSON.stringify(handle(ControlRequest.parse(JSON.parse(line))))}\n`);
      } catch (error) {
        socket.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      rmSync(socketPath, { force: true });
    });
};

/** Asks a device. @throws {Error} when it does not answer or refuses. */
export const askDevice = (socketPath: string, request: ControlRequest): Promise<DeviceOverview> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const lines = createInterface({ input: socket });
    const fail = (detail: string): void => reject(new Error(`the device at ${socketPath} ${detail}`));
    socket.setTimeout(10_000, () => {
      fail('did not answer within 10 s');
      socket.destroy();
    });
    lines.on('error', () => {});
    socket.once('error', (error) => fail(`cannot be reached: ${error.message}`));
    socket.once('close', () => fail('closed the connection without an answer'));
    lines.once('line', (line) => {
      const answer: unknown = JSON.parse(line);
      const parsed = DeviceOverview.safeParse(answer);
      if (parsed.success) resolve(parsed.data);
      else fail(`refused ${JSON.stringify(request)}: ${(answer as { error?: string }).error ?? line}`);
      socket.destroy();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
