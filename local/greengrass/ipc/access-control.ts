import { z } from 'zod';

/** `accessControl` of a component's configuration: IPC service → policy id → operations on resources. */
const AccessControl = z.record(
  z.string(),
  z.record(z.string(), z.looseObject({ operations: z.array(z.string()), resources: z.array(z.string()).default([]) })),
);

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A policy resource as Greengrass reads it: `*` any characters; on MQTT topics also `+` one level and a last `#` all below. */
export const resourceMatches = (pattern: string, resource: string, mqtt: boolean): boolean => {
  const source = pattern
    .split('*')
    .map((piece) =>
      mqtt
        ? escapeRegExp(piece)
            .replace(/\\\+/g, '(?:[^/]+|\\+)')
            .replace(/\\\/#$/, '(?:/.*)?')
            .replace(/^#$/, '.*')
        : escapeRegExp(piece),
    )
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(resource);
};

/** MQTT topic filter against a topic: `+` one level, `#` this level and all below. */
export const topicMatches = (filter: string, topic: string): boolean => {
  const want = filter.split('/');
  const have = topic.split('/');
  for (const [i, level] of want.entries()) {
    if (level === '#') return true;
    if (i >= have.length || (level !== '+' && level !== have[i])) return false;
  }
  return want.length === have.length;
};

/**
 * Whether a component may do `operation` (for example `aws.greengrass#PublishToTopic`) of `service` on `resource`.
 * A configuration whose accessControl is malformed grants nothing, as on the real nucleus.
 */
export const isAllowed = (configuration: unknown, service: string, operation: string, resource: string): boolean => {
  const parsed = AccessControl.safeParse((configuration as { accessControl?: unknown } | undefined)?.accessControl);
  if (!parsed.success) return false;
  const mqtt = service === 'aws.greengrass.ipc.mqttproxy';
  return Object.values(parsed.data[service] ?? {}).some(
    (policy) =>
      policy.operations.some((o) => o === '*' || o === operation) &&
      policy.resources.some((pattern) => resourceMatches(pattern, resource, mqtt)),
  );
};
