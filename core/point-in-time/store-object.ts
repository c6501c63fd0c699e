import { storeKeys } from '../contracts/lake.ts';

/** An object of the offline store, by its key (`storeKeys.rows`). */
export interface StoreObject {
  readonly key: string;
  readonly site: string;
  /** UTC day of valid time of its rows. */
  readonly date: string;
  readonly asset: string;
  readonly run: string;
}

/** Days to both sides of a stretch in which a version may lie that moved a row out of it: objects lie by valid time. */
export const MOVED_DAYS = 1;

const KEY = /^site=([a-z0-9-]+)\/date=(\d{4}-\d\d-\d\d)\/([a-z0-9-]+)\.([a-z0-9-]+)\.\d+-\d+\.[0-9a-f]+\.parquet$/;

/** What a key says; null when it is none of the feature set. */
export const storeObjectOf = (featureSet: string, key: string): StoreObject | null => {
  const prefix = storeKeys.prefix(featureSet);
  const [, site, date, asset, run] = (key.startsWith(prefix) && KEY.exec(key.slice(prefix.length))) || [];
  if (site === undefined || date === undefined || asset === undefined || run === undefined) return null;
  return { key, site, date, asset, run };
};
