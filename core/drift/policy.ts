import type { DriftPolicy } from '../contracts/drift.ts';

/** A drift policy with every number given. */
export type DriftRules = Required<Omit<DriftPolicy, 'cost' | 'alertsPerMonth' | 'onEvent'>> & {
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
  onEvent: { changeover: 're-baseline', 'tool-change': 're-baseline', repair: 're-baseline' },
  muteDays: 1,
  season: null,
  alertsPerMonth: null,
  cost: null,
};

/** What a use case says of drift, completed by the defaults. */
export const driftRules = (policy: DriftPolicy | undefined): DriftRules => {
  const given = Object.fromEntries(Object.entries(policy ?? {}).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...given, onEvent: { ...DEFAULTS.onEvent, ...policy?.onEvent } };
};
