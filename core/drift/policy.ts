import type { DriftPolicy } from '../contracts/drift.ts';

/** A drift policy with every number given. */
export type DriftRules = Required<Omit<DriftPolicy, 'cost' | 'alertsPerMonth' | 'onEvent' | 'season'>> & {
  readonly season: NonNullable<DriftPolicy['season']> | null;
  readonly cost: NonNullable<DriftPolicy['cost']> | null;
  readonly alertsPerMonth: number | null;
  readonly onEvent: Required<NonNullable<DriftPolicy['onEvent']>>;
};

const DEFAULTS: DriftRules = {
  mode: 'act',
  warmUpRows: 0,
  arl0: 10_000,
  ageingLimit: 1,
  changeoverShare: 0.5,
  changeoverDays: 3,
  // A repair makes a machine as it was: what differs afterwards is looked at, not learned.
  onEvent: { changeover: 're-baseline', 'tool-change': 're-baseline', repair: 'mute' },
  muteDays: 1,
  learnDays: 30,
  season: null,
  alertsPerMonth: null,
  cost: null,
};

/** What a use case says of drift, completed by the defaults. */
export const driftRules = (policy: DriftPolicy | undefined): DriftRules => {
  const given = Object.fromEntries(Object.entries(policy ?? {}).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...given, onEvent: { ...DEFAULTS.onEvent, ...policy?.onEvent } };
};
