import type { WindowKind } from '#core/contracts/drift.ts';
import type { DriftFold } from '#core/contracts/drift-fold.ts';
import type { LineState } from '#core/contracts/judgement.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { Replayed } from '#core/drift/replay/replay-policy.ts';
import { type Band, type Curves, type Mark, type Plot, svgOf } from '../../svg/plot.ts';

const KINDS: Readonly<Record<WindowKind, string>> = {
  steady: '#b7dfc9',
  watch: '#f2c14e',
  serious: '#c0392b',
  ageing: '#d98e04',
  'new-context': '#8e7cc3',
  recurring: '#9fc5e8',
  'suspected-changeover': '#e06c9f',
  'warm-up': '#dddddd',
  muted: '#bbbbbb',
  'data-quality': '#555555',
};
const STATES: Readonly<Record<LineState, string>> = {
  HEALTHY: KINDS.steady,
  WATCH: KINDS.watch,
  CONFIRMED: KINDS.serious,
  RETRAIN_REQUESTED: '#0072b2',
  COOLDOWN: '#56b4e9',
  VERIFY: '#8fbcd4',
  DATA_QUALITY_HOLD: KINDS['data-quality'],
  NEW_CONTEXT: KINDS['new-context'],
  SUSPECTED_CHANGEOVER: KINDS['suspected-changeover'],
  RECURRING: KINDS.recurring,
  AGEING: KINDS.ageing,
};
const SHOWN = 4;

/** Features that stand out most over all folds. */
const worstNames = (
  folds: readonly DriftFold[],
  of: (f: DriftFold['evidence']['features'][number]) => number,
): string[] => {
  const most = new Map<string, number>();
  for (const f of folds.flatMap((fold) => fold.evidence.features))
    most.set(f.name, Math.max(most.get(f.name) ?? 0, of(f)));
  return [...most]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, SHOWN)
    .map(([name]) => name);
};

const DAY_MS = 86_400_000;

/** Places of windows on the axis: their times, or, where these do not go on, one place for each in the order of judgement. */
const axisOf = (evidence: readonly DriftFold['evidence'][]) => {
  const goesOn = evidence.every((e, i) => i === 0 || e.to >= (evidence[i - 1]?.to ?? ''));
  if (goesOn)
    return {
      from: (i: number) => evidence[i]?.from ?? '',
      to: (i: number) => evidence[i]?.to ?? '',
      event: (e: PlantEvent) => (e.validTime >= (evidence[0]?.from ?? '') ? e.validTime : null),
    };
  const placeOf = (i: number): string => new Date(i * DAY_MS).toISOString();
  return {
    from: placeOf,
    to: (i: number) => placeOf(i + 1),
    event: ({ eventId }: PlantEvent) => {
      const first = evidence.findIndex(({ events }) => events.some((e) => e.eventId === eventId));
      return first < 0 ? null : placeOf(first);
    },
    label: (at: string) =>
      evidence[Math.min(evidence.length - 1, Math.max(0, Math.ceil(Date.parse(at) / DAY_MS) - 1))]?.to ?? '',
  };
};

/** What was seen of a device: index of the features that moved most, slow charts, evidence over windows, and what it was. */
export const driftSvg = (folds: readonly DriftFold[], says: string): string => {
  const evidence = folds.map((f) => f.evidence);
  const axis = axisOf(evidence);
  const last = evidence.at(-1);
  const policy = folds.at(-1)?.policy;
  const curve = (
    name: string,
    y: (f: DriftFold['evidence']['features'][number]) => number | null,
    band = false,
  ): Curves['curves'][number] => ({
    name,
    points: evidence.flatMap((e, i) => {
      const f = e.features.find((x) => x.name === name);
      const value = f === undefined ? null : y(f);
      if (f === undefined || value === null) return [];
      return [{ at: axis.to(i), y: value, ...(band ? { lower: f.lower, upper: f.upper } : {}) }];
    }),
  });
  const share = (f: DriftFold['evidence']['features'][number]): number | null =>
    f.cusum === null || f.cusumLimit === null ? null : f.cusum / f.cusumLimit;
  const charted = worstNames(folds, (f) => share(f) ?? 0);
  const contexts = new Set(evidence.map((e) => e.context));
  const changes = new Map(folds.flatMap((f) => f.events.map((e) => [e.eventId, e] as const)));
  const parts: (Curves | Band)[] = [
    {
      title: 'Index of stability (PSI) of the population, with its interval',
      curves: worstNames(folds, (f) => f.psi).map((name) => curve(name, (f) => f.psi, true)),
      limits: [
        { name: 'watch', y: policy?.psiWatch ?? 0 },
        { name: 'serious', y: policy?.psiSerious ?? 0 },
      ],
      log: true,
    },
    ...(evidence.some((e) => e.features.some((f) => share(f) !== null))
      ? [
          {
            title: 'Slow change: CUSUM of window means, as a share of its limit',
            curves: charted.map((name) => curve(name, share)),
            limits: [{ name: 'limit', y: 1 }],
          },
        ]
      : []),
    {
      title: 'Evidence over windows: e-value',
      curves: [{ name: 'e-value', points: evidence.map((e, i) => ({ at: axis.to(i), y: e.eValue })) }],
      limits: [{ name: 'threshold', y: last?.threshold ?? 1 }],
      log: true,
    },
    {
      title: `What each window was${axis.label === undefined ? '' : ', in the order they were judged: their times do not go on'}`,
      stretches: evidence.map((e, i) => ({
        ...{ from: axis.from(i), to: axis.to(i) },
        ...{ colour: KINDS[e.kind], name: e.kind as string },
      })),
    },
    ...(contexts.size > 1
      ? [
          {
            title: 'Context',
            stretches: evidence.map((e, i) => ({
              from: axis.from(i),
              to: axis.to(i),
              name: e.context,
              colour: `hsl(${(360 * [...contexts].indexOf(e.context)) / contexts.size} 45% 65%)`,
            })),
          },
        ]
      : []),
  ];
  const plot: Plot = {
    title: `${last?.device ?? ''}, ${last?.modelLine ?? ''}`,
    says,
    parts,
    events: [...changes.values()]
      .filter((e) => ['changeover', 'tool-change', 'repair'].includes(e.kind))
      .flatMap((e) => {
        const at = axis.event(e);
        return at === null ? [] : [{ at, name: `${e.kind} ${e.asset}` }];
      }),
    label: axis.label,
  };
  return svgOf(plot);
};

export interface ReplayedRow {
  readonly name: string;
  readonly alarms: readonly { readonly at: string; readonly says: string }[];
  /** Null for a detector, which has no states. */
  readonly replayed: Replayed | null;
}

/** What several policies would have done, under each other on one axis of time. */
export const replaySvg = (
  rows: readonly ReplayedRow[],
  changes: readonly { readonly at: string; readonly name: string }[],
  span: { readonly from: string; readonly to: string },
  title: string,
): string =>
  svgOf({
    title,
    says: '▲ calls people, ▼ asks for a retrain; dashed: what is known to have changed; colours: states of the line',
    events: changes,
    parts: rows.map(({ name, alarms, replayed }): Band => {
      const states = replayed?.states ?? [];
      const retrains = (replayed?.retrains ?? []).map(
        (r): Mark => ({ at: r.at, name: r.reason, colour: STATES.RETRAIN_REQUESTED, points: 'down' }),
      );
      const calls = alarms.map((a): Mark => ({ at: a.at, name: a.says, colour: '#cc0000', points: 'up' }));
      return {
        title: name,
        stretches:
          states.length === 0
            ? [{ ...span, colour: '#eeeeee', name: 'losses alone' }]
            : [
                { from: span.from, to: states[0]?.at ?? span.to, colour: STATES.HEALTHY, name: 'HEALTHY' },
                ...states.map((s, i) => ({
                  from: s.at,
                  to: states[i + 1]?.at ?? span.to,
                  colour: STATES[s.state],
                  name: s.state,
                })),
              ],
        marks: [...calls, ...retrains],
      };
    }),
  });
