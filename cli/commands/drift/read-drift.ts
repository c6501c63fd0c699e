import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { DriftWindow } from '#core/contracts/drift.ts';
import { DriftFold } from '#core/contracts/drift-fold.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys, type DriftDevice, lakeKeys } from '#core/contracts/lake.ts';
import { foldChain, type WindowsByName, windowName } from '#core/drift/replay/fold-chain.ts';
import type { RecordedDevice } from '#core/drift/replay/replay-policy.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { compareText } from '#core/text/compare.ts';
import { CliError, EXIT } from '../../errors.ts';
import type { Bucket, World } from '../../world.ts';

type Shelf = Pick<Bucket, 'list' | 'find'>;

/** Where windows, evidence and baselines are read: a stage, or a folder with the same keys. */
export interface DriftSource {
  readonly lake: Shelf;
  readonly artifacts: Shelf;
}

export const sourceOf = ({ lake, artifacts }: World): DriftSource => ({ lake, artifacts });

const readJson = async (shelf: Shelf, key: string): Promise<unknown> => {
  const bytes = await shelf.find(key);
  if (bytes === null)
    throw new CliError(`${key} is not there`, 'its retention may be over; it cannot be looked at again', EXIT.notFound);
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
};

/** A device whose folds were read, and all that they rest on. */
export interface ReadDevice extends RecordedDevice {
  readonly of: DriftDevice;
}

/**
 * The folds of a device up to one of them, with their windows and their baseline; windows that are gone are left out.
 * @param head hash of the last fold; null: the newest.
 */
export const readDevice = async (source: DriftSource, of: DriftDevice, head: string | null): Promise<ReadDevice> => {
  const keys = await source.lake.list(lakeKeys.driftEvidences(of));
  const folds = await inParallel(keys, async (key) => parseAs(DriftFold, await readJson(source.lake, key), key));
  const chain = foldChain(folds, head);
  const named = new Map(chain.flatMap((f) => f.evidence.windows.map((w) => [windowName(w), w] as const)));
  const windows: WindowsByName = new Map(
    (
      await inParallel([...named], async ([name, w]) => {
        const key = lakeKeys.driftWindow({ ...of, ...w });
        const bytes = await source.lake.find(key);
        const json: unknown = bytes === null ? null : JSON.parse(Buffer.from(bytes).toString('utf8'));
        return json === null ? [] : [[name, parseAs(DriftWindow, json, key)] as const];
      })
    ).flat(),
  );
  const key = `${artifactKeys.package(of.modelLine, of.packageDigest)}baseline.json`;
  const baseline: BaselineSpec = readBaseline(await readJson(source.artifacts, key), key);
  return { of, chain, windows, baseline };
};

const EVIDENCE_KEY = /^drift\/evidence\/([^/]+\/[^/]+)\/([0-9a-f]{64})\/([^/]+)\/([^/]+)\/\d{10}-([0-9a-f]{16})\.json$/;

/** Whose evidence a key of the lake holds, and the first digits of its hash. */
export const evidenceKey = (key: string): { readonly of: DriftDevice; readonly hash: string } | null => {
  const [, modelLine, hex, site, device, hash] = EVIDENCE_KEY.exec(key) ?? [];
  return modelLine === undefined || hash === undefined
    ? null
    : { of: { modelLine, packageDigest: `sha256:${hex}`, site: site as string, device: device as string }, hash };
};

/** Devices that evidence is kept of, by name; `prefix` of the key is that of a model line, or of one of its packages. */
export const devicesWithEvidence = async (source: DriftSource, prefix: string): Promise<readonly DriftDevice[]> => {
  const found = (await source.lake.list(`drift/evidence/${prefix}`)).flatMap((key) => evidenceKey(key) ?? []);
  const named = new Map(found.map(({ of }) => [lakeKeys.driftEvidences(of), of]));
  return [...named].sort(([a], [b]) => compareText(a, b)).map(([, of]) => of);
};
