import { parseArgs } from 'node:util';

/** One line of JSON on standard output: the nucleus keeps it as the component's log. */
export const log = (level: 'info' | 'warn' | 'error', message: string, detail: Record<string, unknown> = {}): void => {
  console.log(JSON.stringify({ at: new Date().toISOString(), level, message, ...detail }));
};

/** @throws {Error} when `--state-dir` was not given. */
export const stateDirOf = (argv: readonly string[]): string => {
  const { values } = parseArgs({ args: [...argv], options: { 'state-dir': { type: 'string' } }, strict: false });
  const dir = values['state-dir'];
  if (typeof dir !== 'string')
    throw new Error('expected --state-dir DIR, the folder that the components of the device share');
  return dir;
};

/**
 * Device id from the name of the AWS IoT thing, `<stage>-<site>-<device>`.
 * @throws {Error} when the thing is of another stage or site.
 */
export const deviceOf = (thingName: string | undefined, stage: string, site: string): string => {
  const prefix = `${stage}-${site}-`;
  if (thingName === undefined || !thingName.startsWith(prefix))
    throw new Error(
      `AWS_IOT_THING_NAME is ${thingName ?? 'not set'}; expected ${prefix}<device>: the configuration names another stage or site than the device was commissioned for`,
    );
  return thingName.slice(prefix.length);
};

/** Ends the process with a reason; the nucleus starts it again. */
export const fail = (message: string, error?: unknown): never => {
  log('error', message, error === undefined ? {} : { error: (error as Error).message });
  process.exit(1);
};

/** Ends in order on SIGTERM, the portable way a nucleus stops a component. */
export const onStop = (stop: () => void | Promise<void>): void => {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, async () => {
      if (stopping) return;
      stopping = true;
      await stop();
      process.exit(0);
    });
};
