import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';

/**
 * Reads `config/<stage>.json`.
 * @throws {ContractError} naming the file and each field that is wrong, or that there is no such file.
 */
export const loadConfig = (root: string, stage: string): DeploymentConfig => {
  const file = `config/${stage}.json`;
  const path = join(root, file);
  if (!existsSync(path))
    throw new ContractError(file, [
      `there is no such file; copy config/example-four-accounts.json to ${file} and fill in your accounts, or name another stage with -c stage=<name>`,
    ]);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ContractError(file, [`is not JSON: ${(error as Error).message}`]);
  }
  const config = parseAs(DeploymentConfig, json, file);
  if (config.stage !== stage)
    throw new ContractError(file, [`stage: expected "${stage}", as the file is named, got "${config.stage}"`]);
  return config;
};
