import type { PlantModel } from '../contracts/plant-model.ts';
import { canonicalPlant } from './canonical.ts';
import { addresses } from './checks/addresses.ts';
import { assets } from './checks/assets.ts';
import type { Check, Draft, SignalUser } from './checks/draft.ts';
import { hierarchies } from './checks/hierarchies.ts';
import { owners } from './checks/owners.ts';
import { places } from './checks/places.ts';
import { signals } from './checks/signals.ts';
import { makeSuggest } from './checks/suggest.ts';
import { useCases as useCasesHaveSignals } from './checks/use-cases.ts';
import { readCsv } from './csv-files.ts';
import { called, explainIssues, keyOf } from './explain.ts';
import { type PlantFile, type Problem, sorted } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import { type Item, type RawEntry, SECTIONS, type Section } from './sections.ts';

const CHECKS: readonly Check[] = [owners, places, assets, hierarchies, signals, addresses, useCasesHaveSignals];

type Index = ReadonlyMap<Section, Map<string, RawEntry>>;
type Items = { readonly [S in Section]: Item<S>[] };

const emptyItems = (): Items => ({
  enterprise: [],
  places: [],
  connections: [],
  hierarchies: [],
  'hierarchy-nodes': [],
  models: [],
  'model-signals': [],
  assets: [],
  'asset-signals': [],
});

/** Parts by their owner, without the field that names it. */
const partsOf = <T extends object, K extends keyof T & string>(items: readonly T[], owner: K) => {
  const groups = new Map<unknown, Omit<T, K>[]>();
  for (const { [owner]: name, ...part } of items) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [part]);
    else group.push(part);
  }
  return (name: string): Omit<T, K>[] => groups.get(name) ?? [];
};

const assemble = (items: Items): PlantModel => {
  const nodes = partsOf(items['hierarchy-nodes'], 'hierarchy');
  const modelSignals = partsOf(items['model-signals'], 'model');
  const assetSignals = partsOf(items['asset-signals'], 'asset');
  return {
    schema: 'plant-model/1',
    enterprise: items.enterprise[0] ?? { id: '' },
    places: items.places,
    connections: items.connections,
    hierarchies: items.hierarchies.map((h) => ({ ...h, nodes: nodes(h.id) })),
    models: items.models.map((m) => ({ ...m, signals: modelSignals(m.id) })),
    assets: items.assets.map((a) => ({ ...a, signals: assetSignals(a.id) })),
  };
};

/** A field that says nothing is left out: so a plant is the same from every format. */
const withoutEmpty = <T extends object>(item: T): T =>
  Object.fromEntries(
    Object.entries(item).filter(
      ([, value]) =>
        value !== undefined &&
        !(typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0),
    ),
  ) as T;

/** Entries that keep their contract, the first of each name. */
const take = (entries: readonly RawEntry[], problems: Problem[]): { items: Items; index: Index } => {
  const items = emptyItems();
  const index = new Map<Section, Map<string, RawEntry>>();
  for (const entry of entries) {
    const { section } = entry;
    const key = section === 'enterprise' ? '' : keyOf(section, entry.value);
    const known = index.get(section) ?? new Map<string, RawEntry>();
    index.set(section, known);
    const first = key === undefined ? undefined : known.get(key);
    if (first !== undefined) {
      const { file, line } = first.where([]);
      const what = section === 'enterprise' ? 'the enterprise' : called(entry);
      problems.push({ ...entry.where([]), message: `${what} is there twice; the first is at ${file}:${line}` });
      continue;
    }
    if (key !== undefined) known.set(key, entry);
    const parsed = SECTIONS[section].safeParse(entry.value);
    if (parsed.success) (items[section] as object[]).push(withoutEmpty(parsed.data));
    else {
      const own = parsed.error.issues.filter((issue) => entry.within === undefined || issue.path[0] !== entry.within);
      problems.push(...explainIssues(entry, own));
    }
  }
  return { items, index };
};

const readFile = (file: PlantFile) => (file.path.endsWith('.csv') ? readCsv(file) : readYaml(file));

export interface ReadPlant {
  /** In canonical order; null when there are problems. */
  readonly plant: PlantModel | null;
  readonly problems: readonly Problem[];
}

/**
 * A plant from its files: YAML and JSON with sections, CSV by the name of a section. Every mistake is named in one run,
 * with its file and line; where one follows from another only the first is.
 * @param files at least one; their paths are what problems name.
 * @param useCases whose signals the plant must have, where it has assets of their class.
 */
export const readPlant = (files: readonly PlantFile[], useCases: readonly SignalUser[] = []): ReadPlant => {
  const problems: Problem[] = [];
  const entries: RawEntry[] = [];
  for (const file of files) {
    const read = readFile(file);
    entries.push(...read.entries);
    problems.push(...read.problems);
  }
  // What could not be read may be what others name: it is not missed.
  const whole = problems.length === 0;
  const { items, index } = take(entries, problems);
  const keys = new Map([...index].map(([section, known]) => [section, new Set(known.keys())]));
  const draft: Draft = {
    plant: assemble(items),
    useCases,
    whole,
    suggest: makeSuggest(),
    keys: (section) => keys.get(section) ?? new Set(),
    where: (section, key, path = []) => {
      const entry = index.get(section)?.get(key);
      if (entry === undefined) throw new Error(`plant model: ${section} "${key}" was checked and never read`);
      return entry.where(path);
    },
  };
  const [first] = files;
  if (first !== undefined && whole && !index.has('enterprise'))
    problems.push({
      file: first.path,
      line: 1,
      message: 'the enterprise is missing: write "enterprise:" with its "id"',
    });
  problems.push(...CHECKS.flatMap((check) => check(draft)));
  const plant = problems.length > 0 || first === undefined ? null : canonicalPlant(draft.plant);
  return { plant, problems: sorted(problems) };
};
