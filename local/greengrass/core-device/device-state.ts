import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DeploymentStatusReport } from '../device-api.ts';
import { Recipe } from './recipe.ts';

/** One component version on the device. */
export const Installed = z.object({
  name: z.string(),
  version: z.string(),
  isRoot: z.boolean(),
  recipe: Recipe,
  configuration: z.record(z.string(), z.unknown()),
  /** Epoch milliseconds of the last change of the configuration. */
  configuredAt: z.number(),
  /** Lite runs install once a version; set when it did. */
  installed: z.boolean(),
});
export type Installed = z.infer<typeof Installed>;

const DeviceStateFile = z.object({
  /** In dependency order. */
  components: z.array(Installed),
  /** Where a failed deployment goes back to; kept until the deployment has an end, through restarts too. */
  underway: z.object({ deploymentId: z.string(), before: z.array(Installed) }).nullable(),
  /** End of the last deployment, kept until the control plane has it. */
  finished: z.object({ deploymentId: z.string(), report: DeploymentStatusReport }).nullable(),
});
export type DeviceState = z.infer<typeof DeviceStateFile>;

const fileOf = (root: string): string => join(root, 'config', 'state.json');

/** @throws {Error} when the file is there but cannot be read as a state; naming it and the way out. */
export const loadState = (root: string): DeviceState => {
  const file = fileOf(root);
  if (!existsSync(file)) return { components: [], underway: null, finished: null };
  try {
    return DeviceStateFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`the device's state ${file} cannot be read; delete the device's folder to begin anew`, { cause });
  }
};

/** Whole or not at all, also through a power cut. */
export const saveState = (root: string, state: DeviceState): void => {
  const file = fileOf(root);
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  const fd = openSync(part, 'w');
  writeSync(fd, JSON.stringify(state));
  fsyncSync(fd);
  closeSync(fd);
  renameSync(part, file);
};
