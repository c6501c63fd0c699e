export type JsonObject = Record<string, unknown>;

const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Merges as Greengrass does: maps key by key, everything else (lists too) replaced whole, null is a value. */
export const merge = (base: unknown, update: unknown): unknown => {
  if (!isMap(base) || !isMap(update)) return structuredClone(update);
  const out: JsonObject = structuredClone(base);
  for (const [key, value] of Object.entries(update))
    out[key] = key in out ? merge(out[key], value) : structuredClone(value);
  return out;
};

const parsePointer = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Value at a JSON pointer; undefined when there is none. */
export const atPointer = (value: unknown, pointer: string): unknown => {
  let at = value;
  for (const key of parsePointer(pointer)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as JsonObject)[key];
  }
  return at;
};

const without = (configuration: JsonObject, pointer: string): JsonObject => {
  const path = parsePointer(pointer);
  const last = path.pop();
  if (last === undefined) return {};
  const out = structuredClone(configuration);
  let at: unknown = out;
  for (const key of path) {
    if (!isMap(at)) return out;
    at = at[key];
  }
  if (isMap(at)) delete at[last];
  return out;
};

/**
 * A component's configuration after a deployment: what it has now, the reset keys taken out, the recipe's defaults
 * wherever nothing is set, then the merge. So an old value wins over a new default until it is reset.
 */
export const resolveConfiguration = (
  current: JsonObject | undefined,
  defaults: JsonObject,
  updates: readonly { readonly reset: readonly string[]; readonly merge?: unknown }[],
): JsonObject =>
  updates.reduce<JsonObject>(
    (configuration, update) => {
      const kept = update.reset.reduce(without, configuration);
      const based = merge(defaults, kept);
      return (update.merge === undefined ? based : merge(based, update.merge)) as JsonObject;
    },
    merge(defaults, current ?? {}) as JsonObject,
  );

/** Key paths whose value differs, deepest common map first; lists count as one value. */
export const changedPaths = (before: unknown, after: unknown, path: readonly string[] = []): string[][] => {
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changedPaths(before[key], after[key], [...path, key]));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [[...path]];
};

/** Merges a value into one place of a configuration, making the maps on the way. */
export const mergeAt = (configuration: JsonObject, keyPath: readonly string[], value: unknown): JsonObject =>
  merge(
    configuration,
    keyPath.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value),
  ) as JsonObject;
