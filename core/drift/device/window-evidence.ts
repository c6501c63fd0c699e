import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, FeatureFinding, WindowEvidence } from '../../contracts/drift.ts';
import type { PlantEvent } from '../../contracts/plant-event.ts';
import type { Digest } from '../../contracts/primitives.ts';
import { digestOf } from '../../lineage/digest.ts';
import { unpack } from '../baselines/counts.ts';
import { slopeOf, timeToLimit } from '../detectors/ageing-slope.ts';
import type { Effect } from '../effects/effects.ts';
import type { DriftRules } from '../policy.ts';
import { momentsOf } from '../sketch/feature-sketch.ts';
import { WindowEValue } from '../tolerance/window-e-value.ts';
import type { ChartLimits } from './chart-limits.ts';
import { ageingOf, isStillAgeing } from './charts.ts';
import type { DeviceState } from './device-state.ts';
import { effectsOfFeature, isCalibrated, judgeFeatures } from './judge-features.ts';
import type { Judged, JudgedBy } from './judged.ts';
import { centerOf } from './reference.ts';
import { isJudgedWarmingUp } from './warm-up.ts';

/** Most features that evidence describes: those that moved most. */
const DESCRIBED = 20;
/** Digits that figures of evidence have. */
const DIGITS = 6;
const figure = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(DIGITS)) : Math.sign(x) * 1e12);
const boundsOf = ({ lower, upper }: Effect): [number, number] => [figure(lower), figure(upper)];

interface Told {
  readonly before: DeviceState;
  readonly state: DeviceState;
  readonly judged: Judged;
  readonly of: JudgedBy;
  readonly rules: DriftRules;
  readonly events: readonly PlantEvent[];
  readonly limit: ChartLimits | null;
  readonly windows: WindowEvidence['windows'];
  readonly baselineDigest: Digest;
  readonly policyDigest: Digest;
  readonly first: DriftWindow;
  /** Of the rules. */
  readonly version: number;
}

/** Kinds that are no word about drift: a device of such a kind has no vote. */
const SILENT: readonly WindowEvidence['kind'][] = ['new-context', 'recurring', 'warm-up', 'muted'];

const findingsOf = ({ state, judged, of, rules, limit }: Told, eValues: WindowEValue | null): FeatureFinding[] => {
  const { baseline, policy } = of;
  const { ageingLimit, arl0 } = rules;
  const { reference } = judged;
  if (reference === null) return [];
  const alpha = policy.alpha / baseline.features.length;
  const overall = baseline.features.map((_, i) => limit?.features[i]?.mean ?? null);
  const { means: centers } = centerOf(state, { ...judged, reference }, overall);
  // What goes far over windows is told too, although each of them alone is as it should be.
  const chartOf = (name: string): number => {
    const chart = state.charts[name];
    return chart === undefined || limit === null ? 0 : Math.max(chart.up, chart.down) / limit.limit;
  };
  // Both are logarithms of what speaks against the feature.
  const onTheWay = ({ name }: { readonly name: string }): number =>
    Math.max(chartOf(name), Math.log(Math.max(1, eValues?.of(name) ?? 0)) / Math.log(arl0));
  const byMoved = judged.features.slice(0, DESCRIBED / 2);
  const byWay = [...judged.features]
    .filter((f) => !byMoved.includes(f))
    .sort((a, b) => onTheWay(b) - onTheWay(a) || a.index - b.index)
    .slice(0, DESCRIBED - byMoved.length);
  return judged.features
    .filter((f) => byMoved.includes(f) || byWay.includes(f))
    .map((f) => {
      const sketch = judged.sketches.get(f.name) as NonNullable<ReturnType<typeof judged.sketches.get>>;
      const { js, wasserstein, ks } = effectsOfFeature(reference.baseline, reference.counts, sketch, f.index, alpha);
      const isNumber = baseline.features[f.index]?.cells.kind === 'numeric';
      const mean = isNumber ? (momentsOf(sketch)?.mean ?? null) : null;
      const center = centers[f.index] ?? 0;
      const chart = state.charts[f.name];
      const slope = chart === undefined || limit === null ? null : ageingOf(chart, limit.limit);
      const days = slope === null ? null : timeToLimit(slope, ageingLimit);
      return {
        name: f.name,
        psi: figure(f.psi),
        lower: figure(f.lower),
        upper: figure(f.upper),
        p: figure(f.p),
        js: figure(js.value),
        wasserstein: wasserstein === null ? null : figure(wasserstein.value),
        ks: ks === null ? null : figure(ks.value),
        bounds: {
          js: boundsOf(js),
          wasserstein: wasserstein === null ? null : boundsOf(wasserstein),
          ks: ks === null ? null : boundsOf(ks),
        },
        z: mean === null ? null : figure(mean - center),
        cusum: chart === undefined ? null : figure(Math.max(chart.up, chart.down)),
        cusumLimit: chart === undefined || limit === null ? null : figure(limit.limit),
        ...(slope === null ? {} : { perDay: figure(slope.perUnit) }),
        ...(days === null ? {} : { daysToLimit: figure(days) }),
        eValue: figure(eValues?.of(f.name) ?? 0),
      };
    });
};

/** Of the feature that is said to age; how long it may is not known of a line that went flat. */
const ageingIn = (
  { hold, charts }: DeviceState,
  { ageingLimit }: DriftRules,
  limit: ChartLimits | null,
): WindowEvidence['ageing'] => {
  if (hold?.ages == null || limit === null) return null;
  const { feature } = hold.ages;
  const chart = charts[feature];
  const slope = chart?.line == null ? null : slopeOf(chart.line);
  const days =
    chart === undefined || slope === null || !isStillAgeing(chart, limit.limit)
      ? null
      : timeToLimit(slope, ageingLimit);
  return { feature, perDay: figure(slope?.perUnit ?? 0), daysToLimit: days === null ? null : figure(days) };
};

const mixOf = (state: DeviceState, baseline: BaselineSpec): WindowEvidence['mix'] => {
  const windows = Object.values(state.mix).reduce((a, b) => a + b, 0);
  const rows = baseline.contexts.reduce((sum, c) => sum + c.rows, 0);
  if (rows === 0) return [];
  const names = [...new Set([...baseline.contexts.map((c) => c.context), ...Object.keys(state.mix)])].sort();
  return names.map((context) => ({
    context,
    share: figure((state.mix[context] ?? 0) / windows),
    reference: figure((baseline.contexts.find((c) => c.context === context)?.rows ?? 0) / rows),
  }));
};

/** Whether nothing surely moved since the last windows, whatever those were. */
const isKnown = ({ before, judged, of }: Told): boolean => {
  if (before.rolling === null || before.rolling.context !== judged.key) return false;
  const since = judgeFeatures(
    judged.reference?.baseline ?? of.baseline,
    unpack(before.rolling.packed),
    judged.sketches,
    of.policy,
  );
  return since.every((f) => f.lower <= of.policy.psiWatch);
};

const most = (features: readonly FeatureFinding[], by: (f: FeatureFinding) => number): string =>
  features.reduce<FeatureFinding | null>((a, b) => (a === null || by(b) > by(a) ? b : a), null)?.name ?? 'unknown';

/** Why a device is looked at whose newest window alone is within what is tolerated. */
const whyWatched = ({ state }: Told, features: readonly FeatureFinding[]): string => {
  if (state.hold?.slow === 0)
    return `a mean is off for long although each window alone is within what is tolerated: ${most(features, (f) => f.cusum ?? 0)}`;
  return state.hold?.together === 0
    ? `this window alone is within what is tolerated, all together are not: ${most(features, (f) => f.eValue ?? 0)}`
    : 'within what is tolerated again, but not for long enough';
};

/** What a window was held against, in words; a cell that training had too little of is named. */
const referenceText = ({ reference, place }: Judged): string => {
  if (reference === null) return 'nothing';
  const cell = place?.cell ?? null;
  if (place === null || (cell !== null && reference.baseline === place.view))
    return `the ${reference.against} reference${cell === null ? '' : ` of ${cell}`}`;
  return `the ${reference.against} reference, for ${cell === null ? 'it is longer than a day' : `training had too little of ${cell}`}`;
};

const saysOf = (told: Told, features: readonly FeatureFinding[], ageing: WindowEvidence['ageing']): string[] => {
  const { state, judged, of, events } = told;
  const { kind } = state;
  const worst = features[0];
  const moved = judged.features.filter((f) => f.lower > of.policy.psiWatch);
  const measured =
    worst === undefined ? 'nothing was counted' : `${worst.name} has index ${worst.psi}, at least ${worst.lower}`;
  const others = moved.length > 1 ? ` and ${moved.length - 1} other${moved.length > 2 ? 's' : ''} moved too` : '';
  const against = referenceText(judged);
  const text: Readonly<Record<typeof kind, () => string>> = {
    steady: () => `as ${against}: ${measured}`,
    watch: () => (judged.state === 'steady' ? whyWatched(told, features) : `not as ${against}: ${measured}${others}`),
    serious: () =>
      judged.state === 'serious'
        ? `far from ${against}: ${measured}${others}`
        : `was far from ${against}, and is not surely back: ${measured}${others}`,
    ageing: () =>
      ageing?.daysToLimit == null
        ? `${ageing?.feature} aged, and may go on: how fast is not sure`
        : `${ageing.feature} ages by ${ageing.perDay} standard deviations a day; ${Math.round(ageing.daysToLimit)} days to its limit`,
    'new-context': () =>
      `context ${judged.window.context} was not in training: it is no drift, and the model does not know it`,
    recurring: () => `as a regime that was accepted before, not as ${against}`,
    'suspected-changeover': () =>
      `${moved.length} of ${judged.features.length} features stepped at once since ${state.suspected?.since}: was there a changeover that nobody reported? It waits until ${state.suspected?.until}`,
    'warm-up': () =>
      `left out: the machine warms up or its windows are learned after ${events.at(-1)?.eventId ?? state.accepting?.eventId ?? 'a change of context'}`,
    muted: () => `muted until ${state.mutedUntil} by declared rule`,
    'data-quality': () => `says nothing about drift: ${judged.faults.join('; ')}`,
  };
  const isDrift = kind === 'watch' || kind === 'serious';
  return [
    text[kind](),
    ...events.map((e) => `${e.kind} ${e.eventId} of ${e.asset} at ${e.validTime} was taken into account`),
    ...(isJudgedWarmingUp(told.before, judged.window) && state.kind !== 'warm-up'
      ? [
          `its stretches in context ${judged.window.context} are shorter than the warm-up, so the rows after a change are judged too`,
        ]
      : []),
    ...(isDrift && isKnown(told) ? ['as it has been of late: nothing more changed'] : []),
  ];
};

/** The record of a judged window; its hash covers all of it. */
export const evidenceOf = (told: Told): WindowEvidence => {
  const { state, judged, of, rules, events, limit, windows, baselineDigest, policyDigest, first, version } = told;
  const { baseline } = of;
  const { window } = judged;
  const eValues = state.eValues === null ? null : WindowEValue.restore(state.eValues);
  const features = findingsOf(told, eValues);
  const ageing = ageingIn(state, rules, limit);
  const document: Omit<WindowEvidence, 'hash'> = {
    schema: 'drift-evidence/1',
    foldVersion: version,
    sequence: state.sequence + 1,
    previous: state.head,
    modelLine: window.modelLine,
    packageDigest: window.packageDigest,
    site: first.site,
    device: first.device,
    baselineDigest,
    policyDigest,
    windows: [...windows],
    events: events.map((e) => ({ eventId: e.eventId, digest: digestOf(e) })),
    held: [...of.held],
    from: window.from,
    to: window.to,
    rows: window.rows,
    assets: [...window.assets],
    context: window.context,
    ...(judged.place?.cell == null ? {} : { cell: judged.place.cell }),
    against: judged.reference?.against ?? 'nothing',
    kind: state.kind,
    state: SILENT.includes(state.kind) ? 'steady' : judged.state,
    features,
    farOffWindows: state.farOffWindows,
    eValue: figure(eValues?.value ?? 0),
    threshold: rules.arl0,
    reached: !SILENT.includes(state.kind) && (state.hold?.reached ?? false),
    arl0:
      limit === null
        ? null
        : {
            value: figure(limit.arl0.value),
            interval: [figure(limit.arl0.interval[0]), figure(limit.arl0.interval[1])],
          },
    calibrated: isCalibrated(judged.reference?.baseline ?? baseline),
    slow: !SILENT.includes(state.kind) && (state.hold?.slow ?? null) !== null,
    since: state.since,
    ageing,
    mix: mixOf(state, baseline),
    says: saysOf(told, features, ageing),
  };
  return { ...document, hash: digestOf(document) };
};
