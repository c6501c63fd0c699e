import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UplinkConfig } from '#core/contracts/device.ts';
import { ASSUMPTIONS, decisionsPerObject, driversOf, type Fleet, monthlyCost, PRICES } from './cost.ts';
import { windowsOfPlant } from './plant-use.ts';
import type { Report } from './report.ts';

/** The part of `story.json` that is measured: how long what took, in seconds. */
const StoryTimings = z.object({ timings: z.record(z.string(), z.number()) });

const TIMINGS = [
  ['storySeconds', 'story, after the first pass', 300],
  ['outcomeToRetrainSeconds', 'last needed outcome to retrain started', 10],
  ['badWaveToRevertedSeconds', 'bad wave to last device reverted', 30],
] as const;

/** What the story took, as the plant noted it. @throws {Error} when it noted nothing, or one of the times is missing. */
export const storyFigures = (stateDir: string, report: Report): void => {
  const file = join(stateDir, 'story.json');
  if (!existsSync(file)) throw new Error(`there is no ${file}: the plant told no story`);
  const { timings } = StoryTimings.parse(JSON.parse(readFileSync(file, 'utf8')));
  for (const [key, name, goal] of TIMINGS) {
    const value = timings[key];
    if (value === undefined) throw new Error(`${file} has no ${key}: that part of the story was not reached`);
    report.figure({ name, value, unit: 's', goal });
  }
};

/** A line that can wait for its records so long shares objects, and pays for fewer. */
const PATIENT_UPLOAD_SECONDS = 300;

const usd = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

/** What 1,000 decisions use, and what fleets would cost in a month, from the counts of a running plant. */
export const costFigures = async (
  o: { readonly root: string; readonly stateDir: string; readonly env: NodeJS.ProcessEnv; readonly every: number },
  report: Report,
): Promise<void> => {
  const { deciding, silent, standing } = await windowsOfPlant(o.root, o.stateDir, o.env);
  const drivers = driversOf(deciding, silent);
  const { uploadEvery, uploadSeconds } = UplinkConfig.parse({ stage: 'local', site: 'plant-a', lakeBucket: 'lake' });
  const per1000 = (1000 * deciding.objects) / deciding.decisions;
  const { perObject, perDeviceSecond } = drivers;
  report.note(
    `${deciding.decisions} decisions in ${deciding.objects} objects, ${deciding.devices} devices, ${deciding.seconds.toFixed(0)} s; then silence`,
  );
  const figure = (name: string, value: number, unit: string): void => report.figure({ name, value, unit, goal: null });
  figure('Lambda invocations for 1,000 decisions', perObject.lambdaRequests * per1000, '');
  figure('API requests for 1,000 decisions', perObject.requests * per1000, '');
  figure('  of them S3', (perObject.s3Reads + perObject.s3Writes) * per1000, '');
  figure('  DynamoDB units for them', (perObject.dynamoReadUnits + perObject.dynamoWriteUnits) * per1000, '');
  figure('bytes of requests for 1,000 decisions', (perObject.requestBytes * per1000) / 1024, 'KiB');
  figure('bytes kept in S3 for 1,000 decisions', (perObject.storedBytes * per1000) / 1024, 'KiB');
  figure('Lambda invocations of a silent device, an hour', perDeviceSecond.lambdaRequests * 3600, '');
  figure('API requests of a silent device, an hour', perDeviceSecond.requests * 3600, '');
  const fleet: Omit<Fleet, 'devices'> = { secondsPerDecision: o.every, uploadEvery, uploadSeconds, standing };
  const presence = (devices: number): number =>
    monthlyCost(drivers, { ...fleet, devices, secondsPerDecision: Number.POSITIVE_INFINITY }).usd;
  for (const devices of [100, 1000, 10_000]) {
    const cost = monthlyCost(drivers, { ...fleet, devices });
    figure(`${PRICES.region}, ${devices.toLocaleString('en-US')} devices`, cost.usd, 'USD a month');
    const parts = Object.entries(cost.byService).sort(([, a], [, b]) => b - a);
    report.note(parts.map(([service, value]) => `${service} ${usd(value)}`).join(', '));
    const patient = monthlyCost(drivers, { ...fleet, devices, uploadSeconds: PATIENT_UPLOAD_SECONDS });
    report.note(
      `with uploadSeconds ${PATIENT_UPLOAD_SECONDS} it would be ${usd(patient.usd)}, of which ${usd(presence(devices))} for devices that decide nothing`,
    );
    report.note(`and each month ${usd(cost.growth)} more for what stays in S3`);
  }
  const { written } = PRICES;
  for (const line of [
    `a decision every ${o.every} s on each device, ${decisionsPerObject(fleet)} in an object (an object each ${uploadSeconds} s or ${uploadEvery} decisions)`,
    `list prices written down ${written}, not fetched: check them (bench/cost.ts names the pages); no free tiers`,
    `standing: ${standing.kmsKeys} keys, ${standing.alarms} alarms, ${standing.dashboards} dashboards, ${standing.queues} polled queues`,
    `a message to a queue counts ${ASSUMPTIONS.sqsRequestsPerMessage} requests; ${ASSUMPTIONS.logBytesPerInvocation} B of logs an invocation; ${ASSUMPTIONS.tracedShare * 100} % traced`,
    'durations of functions are those of this machine, at the memory of the template',
    'not in it: retrains, releases, the access plane, KMS requests that services make for their own encryption, networks',
  ])
    report.note(line);
};
