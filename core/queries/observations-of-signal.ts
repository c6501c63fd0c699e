import { columns, dayOf, defineQuery, from, literal, PARAMS } from './query.ts';

/** Where values of a signal are looked for: they lie by the day on which they landed. */
export const signalRange = (p: {
  readonly site: string;
  readonly asset: string;
  readonly signal: string;
  readonly from: string;
  readonly to: string;
  readonly lateness_days: string;
}): string => `"site" = ${literal(p.site)}
  AND "date" BETWEEN ${literal(dayOf(p.from))} AND ${literal(dayOf(p.to, Number(p.lateness_days)))}
  AND "asset" = ${literal(p.asset)}
  AND "signal" = ${literal(p.signal)}
  AND "source_time" >= ${literal(p.from)}
  AND "source_time" < ${literal(p.to)}`;

/** Values of one signal. */
export const observationsOfSignal = defineQuery({
  name: 'observations-of-signal',
  says: 'Values of a signal in a stretch of time, with quality and provenance.',
  params: {
    site: PARAMS.site,
    asset: PARAMS.asset,
    signal: PARAMS.signal,
    from: PARAMS.from,
    to: PARAMS.to,
    lateness_days: PARAMS.latenessDays,
  },
  sql: (p) => `
SELECT ${columns('observations', ['source_time', 'received_time', 'value', 'text', 'unit', 'quality', 'reason', 'flags', 'device', 'boot', 'sequence', 'position', 'connector', 'config_version'])}
FROM ${from('observations')}
WHERE ${signalRange(p)}
ORDER BY "source_time", "received_time", "device", "boot", "sequence", "position"`,
});
