import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL_COUNTERS_FILE, LOCAL_FAULTS_FILE, LocalCounters, LocalFaults } from '#core/contracts/local-plant.ts';

const readAs = <T>(file: string, schema: { parse(value: unknown): T }): T | null => {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there, or not (yet) whole: who asks is told that there is none.
    return null;
  }
};

/** The faults of a plant that hold at a moment; those whose time is over are left out. */
export const faultsIn = (stateDir: string, now: string): LocalFaults | null => {
  const faults = readAs(join(stateDir, LOCAL_FAULTS_FILE), LocalFaults);
  if (faults === null) return null;
  const holds = ({ until }: { until: string | null }): boolean => until === null || Date.parse(until) > Date.parse(now);
  const messages = faults.messages !== null && holds(faults.messages) ? faults.messages : null;
  const throttles = faults.throttles.filter(holds);
  return messages === null && throttles.length === 0 ? null : { ...faults, messages, throttles };
};

/** Puts faults in force, or with null takes back all; the local AWS sees it with the next message or request. */
export const putFaults = (stateDir: string, faults: LocalFaults | null): void => {
  const file = join(stateDir, LOCAL_FAULTS_FILE);
  if (faults === null) {
    rmSync(file, { force: true });
    return;
  }
  writeFileSync(`${file}.new`, `${JSON.stringify(LocalFaults.parse(faults), null, 2)}\n`);
  renameSync(`${file}.new`, file);
};

/** What the local AWS counted; null before its first second. */
export const countersIn = (stateDir: string): LocalCounters | null =>
  readAs(join(stateDir, LOCAL_COUNTERS_FILE), LocalCounters);
