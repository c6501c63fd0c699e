import type { Observation, ObservationMessage, ObservationPoint, ObservationSeries } from '../contracts/observation.ts';
import { bytesOf, inParts, MAX_MESSAGE_BYTES } from '../quality/messages.ts';

const pointOf = (o: Observation): ObservationPoint => ({
  t: new Date(o.sourceTime).toISOString(),
  v: o.value,
  q: o.quality,
  ...(o.reason === undefined ? {} : { why: o.reason }),
  ...(o.raw === undefined ? {} : { raw: o.raw }),
  ...(o.flags === undefined ? {} : { flags: [...o.flags] }),
});

const isSameSeries = (a: Observation, b: Observation): boolean =>
  a.asset === b.asset && a.signal === b.signal && a.unit === b.unit;

const seriesOf = (list: readonly Observation[]): ObservationSeries[] =>
  [...Map.groupBy(list, (o) => JSON.stringify([o.asset, o.signal, o.unit])).values()].map((same) => {
    const { asset, signal, unit } = same[0] as Observation;
    return { asset, signal, unit, points: same.map(pointOf) };
  });

/**
 * Messages of observations, each short enough for a device to send; of a series the points stay in the order in which
 * they came. A message counts as received when the last of its values was.
 * @param sequence gives the next number of the boot.
 */
export const observationMessages = (
  of: Pick<ObservationMessage, 'site' | 'device' | 'boot' | 'provenance'>,
  observations: readonly Observation[],
  sequence: () => number,
): readonly ObservationMessage[] => {
  const messageOf = (n: number, part: readonly Observation[]): ObservationMessage => ({
    schema: 'observations/1',
    ...of,
    sequence: n,
    receivedTime: new Date(part.reduce((last, o) => Math.max(last, o.receivedTime), 0)).toISOString(),
    series: seriesOf(part),
  });
  const room = MAX_MESSAGE_BYTES - bytesOf(messageOf(Number.MAX_SAFE_INTEGER, []));
  return inParts(observations, room, (o, before) =>
    bytesOf(before.some((b) => isSameSeries(b, o)) ? pointOf(o) : seriesOf([o])),
  ).map((part) => messageOf(sequence(), part));
};
