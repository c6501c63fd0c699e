import type { Observation } from '../contracts/observation.ts';
import type { Reading, ReadingPoint } from '../contracts/reading.ts';
import type { SignalDefinition } from '../contracts/use-case.ts';
import { decodeSamples } from './waveform.ts';

/** One point of a reading as the intake takes it. */
export interface ReadPoint {
  readonly observation: Observation;
  readonly samples?: readonly number[];
}

/**
 * The points of a reading, in its order.
 * @param of `asset` where the reading does not name one; `receivedTime` in milliseconds since 1970.
 */
export const pointsOf = (
  reading: Reading,
  signals: readonly SignalDefinition[],
  of: { readonly asset: string; readonly receivedTime: number },
): readonly ReadPoint[] =>
  reading.points.map((p: ReadingPoint, i) => {
    const samples = p.samples === undefined ? undefined : decodeSamples(p.samples);
    const isBroken = p.samples !== undefined && samples === undefined;
    const observation: Observation = {
      asset: reading.asset ?? of.asset,
      signal: p.signal,
      // What is declared nowhere is text or a pure number.
      unit: p.unit ?? signals.find((s) => s.name === p.signal)?.unit ?? '1',
      value: p.v ?? null,
      quality: isBroken ? 'BAD' : p.q,
      ...(isBroken ? { reason: 'the samples are no float32' } : p.why === undefined ? {} : { reason: p.why }),
      ...(p.raw === undefined ? {} : { raw: p.raw }),
      ...(p.flags === undefined ? {} : { flags: p.flags }),
      sourceTime: Date.parse(p.t),
      receivedTime: of.receivedTime,
      // Lines first, then the points of a line.
      sequence: reading.n * 2048 + i,
    };
    return samples === undefined ? { observation } : { observation, samples: [...samples] };
  });
