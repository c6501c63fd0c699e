import fc from 'fast-check';
import { type AssetSignal, PlantModel, type PlantSignal } from '#core/contracts/plant-model.ts';
import { canonicalPlant } from '#core/plant-model/canonical.ts';

const id = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const line = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$/u.test(text));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const range = fc
  .tuple(number, number)
  .filter(([a, b]) => a !== b)
  .map(([a, b]): [number, number] => (a < b ? [a, b] : [b, a]));
const positive = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;

const sampling = fc.oneof(
  fc.record({ mode: fc.constant('periodic' as const), intervalSeconds: positive }),
  fc
    .record({
      mode: fc.constant('exception' as const),
      intervalSeconds: optional(positive),
      deadband: optional(fc.record({ kind: fc.constant('absolute' as const), value: positive })),
      maxSilenceSeconds: positive,
    })
    .map(defined),
);
const quality = fc.record({ maxRate: optional(positive), stuckSeconds: optional(positive) }).map(defined);
const signal = (name: string): fc.Arbitrary<PlantSignal> =>
  fc
    .record({
      name: fc.constant(name),
      says: optional(line),
      dataType: fc.constantFrom('double' as const, 'integer' as const),
      unit: fc.constantFrom('bar', 'Cel', 'm/s2', '1'),
      engineeringRange: optional(range),
      sampling,
      quality: optional(quality.filter((q) => Object.keys(q).length > 0)),
      criticality: fc.constantFrom('high' as const, 'medium' as const, 'low' as const),
      owner: optional(line),
      version: fc.integer({ min: 1, max: 9 }),
    })
    .map((s) => defined(s) as PlantSignal);

const names = (prefix: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${prefix}${i}`);

/** Sound plants in canonical order, with all that the formats must carry: any text, any number. */
export const arbitraryPlant: fc.Arbitrary<PlantModel> = fc
  .record({ site: id, models: fc.integer({ min: 1, max: 3 }), assets: fc.integer({ min: 1, max: 6 }), enterprise: id })
  .chain(({ site, models, assets, enterprise }) =>
    fc.record({
      schema: fc.constant('plant-model/1' as const),
      enterprise: fc.record({ id: fc.constant(`${enterprise}-e`), name: optional(line) }).map(defined),
      places: fc
        .record({ name: optional(line), areas: fc.uniqueArray(id, { maxLength: 3 }) })
        .map(({ name, areas }) => [
          defined({ id: `${site}-s`, level: 'site' as const, name }),
          ...areas.map((area) => ({ id: `${area}-a`, level: 'area' as const, within: `${site}-s` })),
        ]),
      connections: fc
        .record({ endpoint: line, says: optional(line) })
        .map((c) => [defined({ id: 'c', protocol: 'opc-ua' as const, ...c })]),
      hierarchies: fc.tuple(optional(line), fc.subarray(names('asset-', assets))).map(([name, members]) => [
        defined({
          id: 'energy',
          name,
          nodes: [
            { id: 'top', assets: [] },
            { id: 'low', within: 'top', assets: members },
          ],
        }),
      ]),
      models: fc.tuple(
        ...names('model-', models).map((model) =>
          fc
            .record({
              id: fc.constant(model),
              name: optional(line),
              assetClass: id,
              owner: line,
              version: fc.integer({ min: 1, max: 9 }),
              signals: fc.integer({ min: 1, max: 4 }).chain((n) => fc.tuple(...names('signal ', n).map(signal))),
            })
            .map(defined),
        ),
      ),
      assets: fc.tuple(
        ...names('asset-', assets).map((asset, i) =>
          fc
            .record({
              id: fc.constant(asset),
              name: optional(line),
              model: fc.constant(`model-${i % models}`),
              at: fc.constant(`${site}-s`),
              serial: optional(line),
              commissioned: optional(fc.constantFrom('2024-02-29', '1999-12-31')),
              connection: optional(fc.constant('c')),
              signals: fc
                .array(fc.record({ says: line, version: fc.integer({ min: 1, max: 9 }) }), { maxLength: 1 })
                .map((own): AssetSignal[] => own.map((s) => ({ name: 'signal 0', ...s }))),
            })
            .map(defined),
        ),
      ),
    }),
  )
  .map((plant) => canonicalPlant(PlantModel.parse(plant)));
