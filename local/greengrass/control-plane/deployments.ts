import semver from 'semver';
import type { Context, Operations } from './context.ts';
import { newestFirst, page } from './paging.ts';

import type { Rollout } from './rollout.ts';
import { conflict, invalid, notFound } from './service-error.ts';
import {
  type ComponentSpecification,
  type DeploymentPolicies,
  type DeploymentRow,
  type JobConfiguration,
  tagsOf,
} from './store.ts';

type PoliciesInput = {
  readonly failureHandlingPolicy?: DeploymentPolicies['failureHandlingPolicy'];
  readonly componentUpdatePolicy?: Partial<DeploymentPolicies['componentUpdatePolicy']>;
  readonly configurationValidationPolicy?: Partial<DeploymentPolicies['configurationValidationPolicy']>;
};

const withDefaults = (p: PoliciesInput = {}): DeploymentPolicies => ({
  failureHandlingPolicy: p.failureHandlingPolicy ?? 'ROLLBACK',
  componentUpdatePolicy: {
    timeoutInSeconds: p.componentUpdatePolicy?.timeoutInSeconds ?? 60,
    action: p.componentUpdatePolicy?.action ?? 'NOTIFY_COMPONENTS',
  },
  configurationValidationPolicy: { timeoutInSeconds: p.configurationValidationPolicy?.timeoutInSeconds ?? 30 },
});

const checkSpecification = (name: string, s: ComponentSpecification): void => {
  const at = `components.${name}`;
  if (semver.valid(s.componentVersion) === null) {
    throw invalid(`${at}.componentVersion must be one semantic version, got ${s.componentVersion}`, [at]);
  }
  const { merge, reset } = s.configurationUpdate ?? {};
  if (merge !== undefined) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(merge);
    } catch {
      parsed = undefined;
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw invalid(`${at}.configurationUpdate.merge must be a JSON object written as a string`, [at]);
    }
  }
  for (const pointer of reset ?? []) {
    if (pointer !== '' && !pointer.startsWith('/')) {
      throw invalid(`${at}.configurationUpdate.reset must hold JSON pointers, got ${pointer}`, [at]);
    }
  }
};

/** The deployment operations of the control plane. */
export const deploymentOperations = (ctx: Context, rollout: Rollout): Operations => {
  const { store } = ctx;
  const jobArn = (id: string) => `arn:aws:iot:${ctx.region}:${ctx.account}:job/${id}`;
  const arnOf = (id: string) => `arn:aws:greengrass:${ctx.region}:${ctx.account}:deployments:${id}`;
  const isLatest = (d: DeploymentRow) => d.revision === store.latestRevision(d.targetArn);
  const rowOf = (id: string): DeploymentRow => {
    const row = store.deployment(id);
    if (row === undefined) throw notFound('deployment', id);
    return row;
  };
  const header = (d: DeploymentRow) => ({
    targetArn: d.targetArn,
    revisionId: String(d.revision),
    deploymentId: d.id,
    ...(d.name === '' ? {} : { deploymentName: d.name }),
    creationTimestamp: d.createdAt / 1000,
    deploymentStatus: d.status,
    isLatestForTarget: isLatest(d),
  });

  const devicesOf = async (targetArn: string): Promise<readonly string[]> => {
    const match = /^arn:aws:iot:([^:]*):([0-9]+):(thing|thinggroup)\/(.+)$/.exec(targetArn);
    if (match === null || match[1] !== ctx.region || match[2] !== ctx.account) {
      throw notFound('target', `${targetArn} (this is account ${ctx.account} in ${ctx.region})`);
    }
    const name = match[4]!;
    const there = match[3] === 'thing' ? ctx.things.thingExists(name) : ctx.things.groupExists(name);
    if (!(await there)) throw notFound(match[3]!, targetArn);
    return match[3] === 'thing' ? [name] : ctx.things.thingsInGroup(name);
  };

  return {
    CreateDeployment: (input) =>
      ctx.idempotent('CreateDeployment', input, async () => {
        const targetArn = input['targetArn'] as string;
        if (input['parentTargetArn'] !== undefined) {
          throw invalid('The local plant makes no sub-deployments; leave parentTargetArn out', ['parentTargetArn']);
        }
        const components = (input['components'] ?? {}) as Readonly<Record<string, ComponentSpecification>>;
        for (const [name, specification] of Object.entries(components)) checkSpecification(name, specification);
        const devices = await devicesOf(targetArn);
        const id = ctx.newId();
        store.transaction(() => {
          const previous = store.deploymentsOf(targetArn)[0];
          if (previous?.status === 'ACTIVE') {
            store.putDeployment({ ...previous, status: 'INACTIVE' });
            rollout.cancelQueued(previous, `Replaced by deployment ${id}`);
          }
          const row: DeploymentRow = {
            id,
            targetArn,
            revision: store.latestRevision(targetArn) + 1,
            createdAt: ctx.now(),
            status: 'ACTIVE',
            name: (input['deploymentName'] as string | undefined) ?? '',
            components,
            policies: withDefaults(input['deploymentPolicies'] as PoliciesInput | undefined),
            job: (input['iotJobConfiguration'] ?? {}) as JobConfiguration,
          };
          store.putDeployment(row);
          for (const device of devices) rollout.queue(device, row);
          for (const [k, v] of Object.entries((input['tags'] ?? {}) as Record<string, string>)) {
            store.putTag(arnOf(id), k, v);
          }
        });
        ctx.events.emit('changed');
        return { deploymentId: id, iotJobId: id, iotJobArn: jobArn(id) };
      }),

    GetDeployment: async (input) => {
      const d = rowOf(input['deploymentId'] as string);
      return {
        ...header(d),
        iotJobId: d.id,
        iotJobArn: jobArn(d.id),
        components: d.components,
        deploymentPolicies: d.policies,
        iotJobConfiguration: d.job,
        tags: tagsOf(store, arnOf(d.id)),
      };
    },

    ListDeployments: async (input) => {
      const target = input['targetArn'] as string | undefined;
      const filter = (input['historyFilter'] as string | undefined) ?? 'LATEST_ONLY';
      const rows = (target === undefined ? store.deployments() : store.deploymentsOf(target)).filter(
        (d) => (filter === 'ALL' || isLatest(d)) && input['parentTargetArn'] === undefined,
      );
      const key = (d: DeploymentRow) => `${newestFirst(d.createdAt)}/${newestFirst(d.revision)}/${d.id}`;
      const { items, nextToken } = page(rows, key, `deployments/${target}/${filter}`, input);
      return { deployments: items.map(header), nextToken };
    },

    CancelDeployment: async (input) => {
      const d = rowOf(input['deploymentId'] as string);
      if (d.status !== 'ACTIVE' && d.status !== 'CANCELED') {
        throw conflict(
          `Deployment ${d.id} is ${d.status}; only an ACTIVE deployment can be cancelled`,
          'deployment',
          d.id,
        );
      }
      store.transaction(() => {
        store.putDeployment({ ...d, status: 'CANCELED' });
        rollout.cancelQueued(d, 'The deployment was cancelled');
      });
      ctx.events.emit('changed');
      return { message: `Deployment ${d.id} is cancelled for devices that have not yet received it` };
    },

    DeleteDeployment: async (input) => {
      const d = rowOf(input['deploymentId'] as string);
      if (d.status === 'ACTIVE') {
        throw conflict(`Deployment ${d.id} is ACTIVE; cancel it before deleting it`, 'deployment', d.id);
      }
      store.deleteDeployment(d.id);
      return {};
    },
  };
};
