import type { FeatureDefinition, FeatureSet } from '../contracts/feature-set.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';

export type FeatureChange =
  | { readonly kind: 'added' | 'removed'; readonly name: string; readonly definition: FeatureDefinition }
  | { readonly kind: 'moved'; readonly name: string; readonly from: number; readonly to: number }
  | {
      readonly kind: 'changed';
      readonly name: string;
      /** Field of the definition, or `params.<name>`. */
      readonly field: string;
      readonly from: string;
      readonly to: string;
    };

const FIELDS = ['feature', 'signal', 'window'] as const;
const text = (value: unknown): string => canonicalJson(value ?? null);

const changesOf = (a: FeatureDefinition, b: FeatureDefinition): readonly FeatureChange[] => {
  const changed = (field: string, from: unknown, to: unknown): readonly FeatureChange[] =>
    text(from) === text(to) ? [] : [{ kind: 'changed', name: a.name, field, from: text(from), to: text(to) }];
  return [
    ...FIELDS.flatMap((field) => changed(field, a[field], b[field])),
    ...changed('version', a.version ?? 1, b.version ?? 1),
    ...[...new Set([...Object.keys(a.params), ...Object.keys(b.params)])]
      .sort()
      .flatMap((name) => changed(`params.${name}`, a.params[name], b.params[name])),
  ];
};

/**
 * What changes from one feature set to another, feature by feature in the order of the second, then what is gone. A move
 * counts: a model reads its input by place.
 */
export const diffFeatureSets = (from: FeatureSet, to: FeatureSet): readonly FeatureChange[] => {
  const before = new Map(from.features.map((f, at) => [f.name, { f, at }]));
  const kept = new Set(to.features.map((f) => f.name));
  const rest = from.features.filter((f) => kept.has(f.name)).map((f) => f.name);
  const restTo = to.features.filter((f) => before.has(f.name)).map((f) => f.name);
  return [
    ...to.features.flatMap((definition, at): readonly FeatureChange[] => {
      const old = before.get(definition.name);
      if (old === undefined) return [{ kind: 'added', name: definition.name, definition }];
      const moved = rest.indexOf(definition.name) !== restTo.indexOf(definition.name);
      return [
        ...(moved ? [{ kind: 'moved' as const, name: definition.name, from: old.at, to: at }] : []),
        ...changesOf(old.f, definition),
      ];
    }),
    ...from.features
      .filter((f) => !kept.has(f.name))
      .map((definition): FeatureChange => ({ kind: 'removed', name: definition.name, definition })),
  ];
};
