/** What the control plane asks of the rest of AWS; the adapters speak to the local AWS. */
export interface Artifacts {
  /** SHA-256 of an object, base64, or null when there is no such object. */
  sha256(bucket: string, key: string): Promise<string | null>;
  /** A URL that gives the object to whoever holds it, for one hour. */
  presign(bucket: string, key: string): Promise<string>;
}

export interface Things {
  thingExists(thing: string): Promise<boolean>;
  groupExists(group: string): Promise<boolean>;
  thingsInGroup(group: string): Promise<readonly string[]>;
  groupsOfThing(thing: string): Promise<readonly string[]>;
}

export const artifactLocation = (uri: string): { readonly bucket: string; readonly key: string } | null => {
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri);
  return match === null ? null : { bucket: match[1]!, key: match[2]! };
};
