import type { DecisionRecord } from '#core/contracts/decision.ts';
import { normalOf } from '#core/drift/sketch/cells.ts';
import type { FoundPackage } from '../find.ts';

interface FeatureView {
  readonly name: string;
  readonly value: number;
  readonly trainingMean: number | null;
  /** Distance from the training mean in training standard deviations. */
  readonly distance: number | null;
  readonly range: readonly [number, number] | null;
  readonly outside: boolean;
}

/** What the model saw, furthest from the training normal first. */
export const featureViews = (record: Pick<DecisionRecord, 'features'>, found: FoundPackage): readonly FeatureView[] =>
  (record.features ?? [])
    .map((value, i) => {
      const name = found.manifest.featureSet.features[i]?.name ?? `feature ${i}`;
      const normal = normalOf(found.baseline, name);
      const range = found.manifest.inputEnvelope[i] ?? null;
      return {
        name,
        value,
        trainingMean: normal?.center ?? null,
        distance: normal === null || normal.scale === 0 ? null : (value - normal.center) / normal.scale,
        range,
        outside: range !== null && (value < range[0] || value > range[1]),
      };
    })
    .sort((a, b) => Number(b.outside) - Number(a.outside) || Math.abs(b.distance ?? 0) - Math.abs(a.distance ?? 0));
