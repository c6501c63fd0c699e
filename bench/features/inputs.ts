import type { FeatureDefinition, FeatureSet } from '#core/contracts/feature-set.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { FEATURES } from '#core/features/engine/registry.ts';

export const START = Date.UTC(2026, 0, 1);
export const RUN = { site: 'plant-a', asset: 'm1', run: 'life-1' };

/** A frame of the one run of the bench, `everyMs` after the one before. */
export const frameAt = (index: number, everyMs: number, signals: Frame['signals']): Frame => {
  const time = new Date(START + index * everyMs).toISOString();
  return {
    schema: 'frame/1',
    ...RUN,
    index,
    context: 'production',
    sourceTime: time,
    receivedTime: time,
    signals,
  };
};

/** A feature of one signal, in the version that this code computes. */
export const define = (
  feature: string,
  signal: string,
  window: number,
  params: FeatureDefinition['params'] = {},
  name = feature,
): FeatureDefinition => ({
  name: `${signal}_${name}`.replaceAll(/[^a-z0-9]/g, '_'),
  feature,
  signal,
  window,
  params,
  version: FEATURES[feature]?.version ?? 1,
});

export const setOf = (features: readonly FeatureDefinition[]): FeatureSet => ({
  schema: 'feature-set/1',
  id: 'bench',
  owner: 'bench',
  description: 'what is measured',
  features: [...features],
});

/** Numbers from −1 to below 1 that look like chance and are the same in every run. */
export const makeNoise = (): (() => number) => {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
};
