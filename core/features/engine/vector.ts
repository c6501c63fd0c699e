import type { FeatureDefinition, FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import type { Point } from './feature.ts';
import { FEATURES } from './registry.ts';
import type { DecodedFrame } from './window.ts';

export type FeatureVector =
  | { readonly ok: true; readonly x: readonly number[] }
  | { readonly ok: false; readonly missing: readonly string[] };

const computeOne = (
  definition: FeatureDefinition,
  window: readonly DecodedFrame[],
  signal: SignalDefinition,
): number | undefined => {
  const feature = FEATURES[definition.feature];
  if (feature === undefined)
    throw new Error(
      `feature set names "${definition.feature}", which core/features does not have (${Object.keys(FEATURES).join(', ')})`,
    );
  if (feature.kind !== signal.kind)
    throw new Error(
      `feature ${definition.name}: ${feature.name} works on a ${feature.kind}, but signal ${signal.name} is a ${signal.kind}`,
    );
  const newest = window.at(-1) as DecodedFrame;
  // By index, not by position: a frame that never arrived leaves a gap in time.
  const inside = window.filter((f) => newest.index - f.index < definition.window);
  if (feature.kind === 'scalar') {
    const points: Point[] = [];
    for (const f of inside) {
      const value = f.scalars.get(signal.name);
      if (value !== undefined) points.push({ age: newest.index - f.index, value });
    }
    return points.length === 0 ? undefined : feature.compute(points, definition.params);
  }
  const key = JSON.stringify([definition.feature, definition.signal, definition.params]);
  let sum = 0;
  let count = 0;
  for (const f of inside) {
    if (!f.memo.has(key)) {
      const samples = f.waveforms.get(signal.name);
      f.memo.set(
        key,
        samples === undefined
          ? undefined
          : feature.compute({
              samples,
              signal,
              params: definition.params,
              scalar: (name) => f.scalars.get(name),
              waveform: (name) => f.waveforms.get(name),
            }),
      );
    }
    const value = f.memo.get(key);
    if (value === undefined) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? undefined : sum / count;
};

/** Frames a window must hold for a feature set. */
export const windowLength = (set: FeatureSet): number => Math.max(...set.features.map((f) => f.window));

/**
 * The model's input, in feature-set order: the same code where features are materialised and on the device.
 * @param window frames of one run, newest last (see FrameWindow); at least one.
 * @returns the vector, or the names of the features that have no good value in their window.
 * @throws {Error} when the set names a feature or signal that does not exist, or they do not fit.
 */
export const featureVector = (
  set: FeatureSet,
  window: readonly DecodedFrame[],
  signals: readonly SignalDefinition[],
): FeatureVector => {
  const x: number[] = [];
  const missing: string[] = [];
  for (const definition of set.features) {
    const signal = signals.find((s) => s.name === definition.signal);
    if (signal === undefined)
      throw new Error(
        `feature ${definition.name} names signal "${definition.signal}", which the use case does not have`,
      );
    const value = computeOne(definition, window, signal);
    if (value === undefined || !Number.isFinite(value)) missing.push(definition.name);
    else x.push(value);
  }
  return missing.length === 0 ? { ok: true, x } : { ok: false, missing };
};
