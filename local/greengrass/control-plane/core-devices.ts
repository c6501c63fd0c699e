import type { DeviceStatusReport } from '../device-api.ts';
import type { Context, Operations } from './context.ts';
import { newestFirst, page } from './paging.ts';

import type { Rollout } from './rollout.ts';
import { notFound } from './service-error.ts';
import { type DeviceRow, tagsOf } from './store.ts';

/** The core device and tag operations, and what a device tells about itself. */
export const coreDeviceOperations = (ctx: Context, rollout: Rollout) => {
  const { store } = ctx;
  const greengrass = `arn:aws:greengrass:${ctx.region}:${ctx.account}`;
  const rowOf = (thing: string): DeviceRow => {
    const row = store.device(thing);
    if (row === undefined) throw notFound('coreDevice', thing);
    return row;
  };
  const taggable = (arn: string): string => {
    const [, kind, id = ''] = /:(components|deployments|coreDevices):(.+)$/.exec(arn) ?? [];
    const [name = '', version = ''] = id.split(':versions:');
    const exists =
      arn.startsWith(`${greengrass}:`) &&
      ((kind === 'components' && store.component(name, version) !== undefined) ||
        (kind === 'deployments' && store.deployment(id) !== undefined) ||
        (kind === 'coreDevices' && store.device(id) !== undefined));
    if (!exists) throw notFound('resource', arn);
    return arn;
  };

  const operations: Operations = {
    ListCoreDevices: async (input) => {
      const group = (input['thingGroupArn'] as string | undefined)?.split(':thinggroup/')[1];
      const members = group === undefined ? undefined : new Set(await ctx.things.thingsInGroup(group));
      const rows = store
        .devices()
        .filter(
          (d) =>
            (members === undefined || members.has(d.thing)) &&
            (input['status'] === undefined || input['status'] === d.report.status) &&
            (input['runtime'] === undefined || input['runtime'] === d.report.runtime),
        );
      const scope = `coreDevices/${group}/${input['status']}/${input['runtime']}`;
      const { items, nextToken } = page(rows, (d) => d.thing, scope, input);
      return {
        coreDevices: items.map((d) => ({
          coreDeviceThingName: d.thing,
          status: d.report.status,
          lastStatusUpdateTimestamp: d.reportedAt / 1000,
          platform: d.report.platform,
          architecture: d.report.architecture,
          runtime: d.report.runtime,
        })),
        nextToken,
      };
    },

    GetCoreDevice: async (input) => {
      const d = rowOf(input['coreDeviceThingName'] as string);
      return {
        coreDeviceThingName: d.thing,
        coreVersion: d.report.coreVersion,
        platform: d.report.platform,
        architecture: d.report.architecture,
        runtime: d.report.runtime,
        status: d.report.status,
        lastStatusUpdateTimestamp: d.reportedAt / 1000,
        tags: tagsOf(store, `${greengrass}:coreDevices:${d.thing}`),
      };
    },

    DeleteCoreDevice: async (input) => {
      store.deleteDevice(rowOf(input['coreDeviceThingName'] as string).thing);
      return {};
    },

    ListInstalledComponents: async (input) => {
      const d = rowOf(input['coreDeviceThingName'] as string);
      const filter = (input['topologyFilter'] as string | undefined) ?? 'ROOT';
      const done = store
        .executionsOf(d.thing)
        .filter((e) => e.status === 'SUCCEEDED')
        .sort((a, b) => b.modifiedAt - a.modifiedAt)
        .map((e) => store.deployment(e.deploymentId));
      const rows = d.report.components.filter((c) => filter === 'ALL' || c.isRoot);
      const { items, nextToken } = page(rows, (c) => c.name, `installed/${d.thing}/${filter}`, input);
      return {
        installedComponents: items.map((c) => ({
          componentName: c.name,
          componentVersion: c.version,
          lifecycleState: c.state,
          ...(c.details === undefined || c.details === '' ? {} : { lifecycleStateDetails: c.details }),
          isRoot: c.isRoot,
          lastStatusChangeTimestamp: (d.changedAt[c.name] ?? d.reportedAt) / 1000,
          lastReportedTimestamp: d.reportedAt / 1000,
          lastInstallationSource: done.find((x) => x !== undefined && c.name in x.components)?.id,
          lifecycleStatusCodes: [],
        })),
        nextToken,
      };
    },

    ListEffectiveDeployments: async (input) => {
      const d = rowOf(input['coreDeviceThingName'] as string);
      const rows = (await rollout.refresh(d.thing))
        .map((execution) => ({ execution, deployment: store.deployment(execution.deploymentId) }))
        .filter((r) => r.deployment !== undefined);
      const key = (r: (typeof rows)[number]) =>
        `${newestFirst(r.deployment?.createdAt ?? 0)}/${newestFirst(r.deployment?.revision ?? 0)}/${r.execution.deploymentId}`;
      const { items, nextToken } = page(rows, key, `effective/${d.thing}`, input);
      return {
        effectiveDeployments: items.map(({ execution, deployment }) => ({
          deploymentId: execution.deploymentId,
          deploymentName: deployment?.name ?? '',
          iotJobId: execution.deploymentId,
          iotJobArn: `arn:aws:iot:${ctx.region}:${ctx.account}:job/${execution.deploymentId}`,
          targetArn: deployment?.targetArn,
          coreDeviceExecutionStatus: execution.status,
          reason: execution.reason,
          creationTimestamp: execution.createdAt / 1000,
          modifiedTimestamp: execution.modifiedAt / 1000,
          ...(execution.errorStack === undefined && execution.errorTypes === undefined
            ? {}
            : { statusDetails: { errorStack: execution.errorStack ?? [], errorTypes: execution.errorTypes ?? [] } }),
        })),
        nextToken,
      };
    },

    TagResource: async (input) => {
      const arn = taggable(input['resourceArn'] as string);
      for (const [k, v] of Object.entries(input['tags'] as Record<string, string>)) store.putTag(arn, k, v);
      return {};
    },
    UntagResource: async (input) => {
      const arn = taggable(input['resourceArn'] as string);
      for (const key of input['tagKeys'] as readonly string[]) store.deleteTag(arn, key);
      return {};
    },
    ListTagsForResource: async (input) => ({ tags: tagsOf(store, taggable(input['resourceArn'] as string)) }),
  };

  /** Takes a fleet status message; the first one makes a thing a core device. */
  const reportStatus = async (thing: string, report: DeviceStatusReport): Promise<void> => {
    const before = store.device(thing);
    if (before === undefined && !(await ctx.things.thingExists(thing))) throw notFound('thing', thing);
    const at = ctx.now();
    const changedAt = Object.fromEntries(
      report.components.map((c) => {
        const same = before?.report.components.some(
          (b) => b.name === c.name && b.version === c.version && b.state === c.state,
        );
        return [c.name, (same ? before?.changedAt[c.name] : undefined) ?? at];
      }),
    );
    store.putDevice({ thing, reportedAt: at, report, changedAt });
  };
  return { operations, reportStatus };
};
