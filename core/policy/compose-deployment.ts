/** One component of a Greengrass deployment, as GetDeployment and CreateDeployment know it. */
export interface PlacedComponent {
  readonly componentVersion: string;
  readonly configurationUpdate?: { readonly merge?: string; readonly reset?: readonly string[] };
}
export type Composition = Readonly<Record<string, PlacedComponent>>;

export interface Placement {
  readonly name: string;
  readonly version: string;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** The champion that is to run beside a package, and how the two are compared. */
export interface ShadowPlacement {
  readonly champion: string;
  /** Label units. */
  readonly tolerance: number;
  /** Frames in one observation. */
  readonly batch: number;
  /** How long after the adoption. */
  readonly seconds: number;
}

const RUNTIME = 'millwright.runtime';

const configurationOf = (name: string, placed: PlacedComponent | undefined): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(placed?.configurationUpdate?.merge ?? '{}') as Record<string, unknown>;
  } catch {
    throw new Error(`component ${name}: the configuration of its current deployment is not JSON; deploy it anew first`);
  }
};

/** Package that an earlier release took back; empty = none. */
const withdrawnIn = (current: Composition): string => {
  const { withdrawn } = configurationOf(RUNTIME, current[RUNTIME]);
  return typeof withdrawn === 'string' ? withdrawn : '';
};

/** Greengrass wants strings for numbers. */
const shadowOf = (shadow: ShadowPlacement) => ({
  packageDigest: shadow.champion,
  tolerance: String(shadow.tolerance),
  batch: String(shadow.batch),
  seconds: String(shadow.seconds),
});

/** Configuration outlives a deployment: what an earlier release compared with is said to be over. */
const noShadow = (current: Composition): object =>
  current[RUNTIME]?.configurationUpdate?.merge?.includes('"shadow"') ? { shadow: { packageDigest: '' } } : {};

/** A composition with more configuration merged into one of its components. */
export const configure = (
  current: Composition,
  name: string,
  configuration: Readonly<Record<string, unknown>>,
): Composition => {
  const placed = current[name];
  if (placed === undefined)
    throw new Error(
      `the ring's deployment has no ${name} (it has ${Object.keys(current).join(', ') || 'nothing'}); commission the ring first`,
    );
  return {
    ...current,
    [name]: {
      ...placed,
      configurationUpdate: {
        ...placed.configurationUpdate,
        merge: JSON.stringify({ ...configurationOf(name, placed), ...configuration }),
      },
    },
  };
};

/**
 * The next composition of a ring: what is there, with one weights component placed. Greengrass replaces the whole list
 * of a target, so everything else is kept as it is: code, weights of other lines, their configuration.
 * @param revertTo package digest the runtime may go back to; empty for a release that goes forward.
 * @param shadow the champion that runs beside; null = none.
 * @throws {Error} when the ring has no runtime yet: weights alone decide nothing.
 */
export const composeDeployment = (
  current: Composition,
  place: Placement,
  revertTo: string,
  shadow: ShadowPlacement | null = null,
): Composition => {
  // A device that was offline while a release was taken back hears of it with the next one.
  const withdrawn = withdrawnIn(current);
  const withRuntime = configure(current, RUNTIME, {
    revertTo,
    withdrawn: withdrawn === place.configuration['packageDigest'] ? '' : withdrawn,
    ...(shadow === null ? noShadow(current) : { shadow: shadowOf(shadow) }),
  });
  return {
    ...withRuntime,
    [place.name]: {
      componentVersion: place.version,
      configurationUpdate: { merge: JSON.stringify(place.configuration) },
    },
  };
};

/**
 * A composition from before a release, as the way back from it: the runtime may go back to the package that was there,
 * and serves the one of the release no longer, also where there was none before. Nothing runs beside it any more.
 * @param before composition of the ring before the release.
 * @param name weights component of the release.
 * @param packageDigest package of the release.
 * @param isCompared whether the release had the champion run beside it.
 */
export const composeRevert = (
  before: Composition,
  name: string,
  packageDigest: string,
  isCompared = false,
): Composition => {
  const back = placedPackage(before, name);
  return configure(before, RUNTIME, {
    revertTo: back ?? '',
    withdrawn: back === packageDigest ? withdrawnIn(before) : packageDigest,
    ...(isCompared ? { shadow: { packageDigest: '' } } : noShadow(before)),
  });
};

/** The package digest a weights component of a composition carries; null when it is not there. */
export const placedPackage = (composition: Composition, name: string): string | null => {
  const merge = composition[name]?.configurationUpdate?.merge;
  if (merge === undefined) return null;
  const digest = (JSON.parse(merge) as { packageDigest?: unknown }).packageDigest;
  return typeof digest === 'string' ? digest : null;
};
