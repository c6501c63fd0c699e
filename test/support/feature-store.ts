import { gzipSync } from 'node:zlib';
import type { Frame } from '#core/contracts/frame.ts';
import { lakeKeys, type RawObjectRecord } from '#core/contracts/lake.ts';
import type { RecordClass } from '#core/contracts/ledger.ts';
import { digestBytes } from '#core/lineage/digest.ts';
import type { ObjectStore } from '../../lambdas/shared/object-store.ts';
import { listOf } from './fakes.ts';
import { memoryRegistryWithLedger } from './memory-judging.ts';

/** A bucket in memory that keeps every version, as the lake's does; it counts what was put. */
export const versionedStore = () => {
  const versions = new Map<string, Uint8Array[]>();
  const puts: string[] = [];
  const absent = (key: string, versionId?: string | null): Error =>
    new Error(`s3://lake/${key} does not exist${versionId ? ` at version ${versionId}` : ''}`);
  const store: ObjectStore & { readonly puts: string[]; forget(key: string): void } = {
    bucket: 'lake',
    puts,
    forget: (key) => void versions.delete(key),
    async get(key, versionId) {
      const all = versions.get(key);
      const bytes = versionId ? all?.[Number(versionId)] : all?.at(-1);
      if (bytes === undefined) throw absent(key, versionId);
      return bytes;
    },
    find: async (key) => versions.get(key)?.at(-1) ?? null,
    async put(key, bytes) {
      puts.push(key);
      versions.set(key, [...(versions.get(key) ?? []), bytes]);
      const versionId = String((versions.get(key)?.length ?? 1) - 1);
      return { bucket: 'lake', key, versionId, digest: digestBytes(bytes), bytes: bytes.byteLength };
    },
    list: listOf(() => versions.keys(), 3),
  };
  return store;
};

/** A registry in memory that keeps every version of a record. */
export const versionedRegistry = () => {
  const { registry, put, versions } = memoryRegistryWithLedger();
  return {
    ...registry,
    versions: async (recordClass: RecordClass, id: string) => versions(recordClass, id),
    write(recordClass: RecordClass, id: string, body: object, at = '2026-06-01T00:00:00.000Z'): void {
      put(recordClass, id, { ...body }, 'someone', at);
    },
  };
};

/** Uploads frames of one run and registers them, as register-upload does. @returns the event that announces it. */
export const upload = async (
  { lake, registry }: { lake: ObjectStore; registry: ReturnType<typeof versionedRegistry> },
  frames: readonly Frame[],
  o: { readonly at?: string; readonly registered?: boolean; readonly thing?: string } = {},
) => {
  const { site, asset, run, index: first } = frames[0] as Frame;
  const last = (frames.at(-1) as Frame).index;
  const key = lakeKeys.frames({ site, asset, run, first, last, ...(o.thing === undefined ? {} : { thing: o.thing }) });
  const ref = await lake.put(key, gzipSync(frames.map((f) => JSON.stringify(f)).join('\n')));
  const signals = [...new Set(frames.flatMap((f) => Object.keys(f.signals)))].sort();
  const body: RawObjectRecord = {
    schema: 'raw-object/1',
    ...ref,
    site,
    asset,
    run,
    firstIndex: first,
    lastIndex: last,
    frames: frames.length,
    quarantined: 0,
    signals,
  };
  const register = () => registry.write('raw-object', key, body, o.at);
  if (o.registered !== false) register();
  return { key, register, event: { detail: { site, asset, run, key, first, last, signals } } };
};
