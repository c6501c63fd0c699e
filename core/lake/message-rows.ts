import type { FeatureDigest } from '../contracts/device.ts';
import type { LakeRow } from '../contracts/lake-tables.ts';
import type { ObservationMessage, ObservationPoint } from '../contracts/observation.ts';
import type { QualityFinding, QualityMessage } from '../contracts/quality.ts';
import { sketchesOf } from '../drift/sketch/digest-parts.ts';

/** A boolean is 0 or 1, as features take it; text has a column of its own. */
const numberOf = (v: ObservationPoint['v']): number | null =>
  typeof v === 'boolean' ? Number(v) : typeof v === 'number' ? v : null;

/** Rows of table `observations`, one a point; `position` counts the points of the message from 0. */
export const observationRows = (message: ObservationMessage): LakeRow<'observations'>[] => {
  let position = 0;
  return message.series.flatMap(({ asset, signal, unit, points }) =>
    points.map((p) => ({
      asset,
      signal,
      unit,
      value: numberOf(p.v),
      text: typeof p.v === 'string' ? p.v : null,
      quality: p.q,
      reason: p.why ?? p.raw ?? null,
      flags: p.flags === undefined || p.flags.length === 0 ? null : p.flags.join(','),
      source_time: p.t,
      received_time: message.receivedTime,
      device: message.device,
      boot: message.boot,
      sequence: message.sequence,
      position: position++,
      connector: message.provenance.connector,
      config_version: message.provenance.configVersion,
    })),
  );
};

/** Row of table `quality`. @param said when and by whom: a device, or the function that checked an upload. */
export const findingRow = (
  f: QualityFinding,
  said: { readonly at: string; readonly by: string },
): LakeRow<'quality'> => ({
  asset: f.asset,
  signal: f.signal,
  check: f.check,
  from_time: f.from,
  to_time: f.to,
  open: f.open,
  count: f.count,
  worst: f.worst,
  says: f.says,
  found_at: said.at,
  found_by: said.by,
});

/** Rows of table `quality`, one a finding; `found_at` and `found_by` are of the message. */
export const qualityRows = (message: QualityMessage): LakeRow<'quality'>[] =>
  message.findings.map((f) => findingRow(f, { at: message.at, by: message.device }));

/** Rows of table `telemetry`, one a feature. */
export const digestRows = (digest: FeatureDigest): LakeRow<'telemetry'>[] =>
  sketchesOf(digest).map(({ name, counts }) => ({
    device: digest.device,
    boot: digest.boot,
    model_line: digest.modelLine,
    package_digest: digest.packageDigest,
    window_start: digest.windowStart,
    window_end: digest.windowEnd,
    feature: name,
    counts,
  }));
