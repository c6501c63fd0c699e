import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertPortFree, type Service, ServiceError, spawnService } from '../shared/service.ts';
import { DEVICE_API_PREFIX } from './device-api.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** What the Greengrass control plane's stand-in needs to start. */
export interface StartGreengrassOptions {
  /** State is kept in `<stateDir>/greengrass`, the log in `<stateDir>/logs/greengrass.log`. */
  readonly stateDir: string;
  readonly port: number;
  /** The local AWS: artifacts are read from its S3, group membership from its AWS IoT. */
  readonly awsUrl: string;
  /** A Python whose environment has botocore, for the API model; default: the repository's `.venv`. */
  readonly python?: string;
  readonly account?: string;
  readonly region?: string;
  readonly log?: (line: string) => void;
}

/**
 * Starts the Greengrass V2 control plane's stand-in on 127.0.0.1; it ends with this process.
 * @throws ServiceError when the port is taken, Python is missing, or it does not answer within 60 s.
 */
export const startGreengrass = async (options: StartGreengrassOptions): Promise<Service> => {
  const python = options.python ?? join(HERE, '../../.venv/bin/python');
  if (!existsSync(python)) {
    throw new ServiceError(
      `The Greengrass stand-in reads its API model from the Python environment of ${python}, and there is none. Run \`npm start\` once, which makes it.`,
    );
  }
  await assertPortFree('The Greengrass control plane', options.port);
  const url = `http://127.0.0.1:${options.port}`;
  const args = [
    ['--port', String(options.port)],
    ['--state', resolve(options.stateDir)],
    ['--aws', options.awsUrl],
    // The environment's folder, not the interpreter that its link leads to.
    ['--python-home', dirname(dirname(resolve(python)))],
    ['--account', options.account ?? '000000000000'],
    ['--region', options.region ?? 'us-east-1'],
  ].flat();
  const service = await spawnService({
    name: 'greengrass',
    command: process.execPath,
    args: [join(HERE, 'control-plane/main.ts'), ...args],
    url,
    stateDir: resolve(options.stateDir),
    healthy: async (signal) => (await fetch(`${url}${DEVICE_API_PREFIX}/health`, { signal })).ok,
  });
  options.log?.(`Greengrass control plane at ${url}`);
  return service;
};
