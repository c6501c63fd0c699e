import { once } from 'node:events';
import type { DeploymentStatusReport, DeviceDeployment, NextDeploymentRequest, RootComponent } from '../device-api.ts';
import { awsComponents } from './aws-components.ts';
import type { Context } from './context.ts';
import { ResolutionError, resolveClosure } from './resolve.ts';
import { conflict, notFound } from './service-error.ts';
import type { ComponentRow, DeploymentRow, ExecutionRow, ExecutionStatus } from './store.ts';

const ENDS: readonly ExecutionStatus[] = ['SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT', 'CANCELED'];
/** Groups change in AWS IoT without telling us, so a waiting device looks again this often, milliseconds. */
const LOOK_AGAIN_MS = 2_000;

export const isOver = (execution: ExecutionRow): boolean => ENDS.includes(execution.status);

/** How deployments reach devices: executions, their order, the merge of all targets, aborts and time-outs. */
export const makeRollout = (ctx: Context) => {
  const { store } = ctx;
  const iot = `arn:aws:iot:${ctx.region}:${ctx.account}`;
  const thingArn = (thing: string) => `${iot}:thing/${thing}`;
  const groupArn = (group: string) => `${iot}:thinggroup/${group}`;
  const isThing = (deployment: DeploymentRow) => deployment.targetArn.includes(':thing/');

  const targetsOf = async (thing: string): Promise<readonly string[]> => [
    thingArn(thing),
    ...(await ctx.things.groupsOfThing(thing)).map(groupArn),
  ];

  const queue = (thing: string, deployment: DeploymentRow): void => {
    if (store.execution(thing, deployment.id) !== undefined) return;
    store.putExecution({
      thing,
      deploymentId: deployment.id,
      status: 'QUEUED',
      createdAt: ctx.now(),
      modifiedAt: ctx.now(),
    });
  };

  const cancelQueued = (deployment: DeploymentRow, reason: string): void => {
    for (const execution of store.executionsIn(deployment.id)) {
      if (execution.status === 'QUEUED') {
        store.putExecution({ ...execution, status: 'CANCELED', reason, modifiedAt: ctx.now() });
      }
    }
  };

  /** An abort stops who has not begun; who already has the bad version keeps it, as in AWS. */
  const abortIfBad = (deployment: DeploymentRow): void => {
    const criteria = deployment.job.abortConfig?.criteriaList ?? [];
    const over = store.executionsIn(deployment.id).filter((e) => isOver(e) && e.status !== 'CANCELED');
    const bad = criteria.some(({ failureType, thresholdPercentage, minNumberOfExecutedThings }) => {
      const failures = over.filter((e) =>
        failureType === 'ALL' ? e.status !== 'SUCCEEDED' : e.status === failureType,
      ).length;
      return (
        over.length >= minNumberOfExecutedThings &&
        failures > 0 &&
        (100 * failures) / over.length >= thresholdPercentage
      );
    });
    if (!bad || deployment.status !== 'ACTIVE') return;
    store.putDeployment({ ...deployment, status: 'CANCELED' });
    cancelQueued(deployment, 'The deployment was aborted by its abort criteria');
  };

  const finish = (
    execution: ExecutionRow,
    status: ExecutionStatus,
    details: Pick<ExecutionRow, 'reason' | 'errorStack' | 'errorTypes'>,
  ): void =>
    store.transaction(() => {
      store.putExecution({ ...execution, ...details, status, modifiedAt: ctx.now() });
      const deployment = store.deployment(execution.deploymentId);
      if (deployment === undefined) return;
      if (isThing(deployment) && deployment.status === 'ACTIVE') {
        store.putDeployment({ ...deployment, status: status === 'SUCCEEDED' ? 'COMPLETED' : 'FAILED' });
      } else abortIfBad(deployment);
    });

  const timeOut = (executions: readonly ExecutionRow[]): void => {
    for (const execution of executions) {
      const minutes = store.deployment(execution.deploymentId)?.job.timeoutConfig?.inProgressTimeoutInMinutes;
      if (execution.status !== 'IN_PROGRESS' || minutes === undefined) continue;
      if (ctx.now() - (execution.startedAt ?? execution.modifiedAt) > minutes * 60_000) {
        finish(execution, 'TIMED_OUT', { reason: `The device did not finish within ${minutes} minutes` });
      }
    }
  };

  /** Brings a device's executions up to date: who joined a group gets its deployment, who is too slow times out. */
  const refresh = async (thing: string, targets?: readonly string[]): Promise<readonly ExecutionRow[]> => {
    for (const target of targets ?? (await targetsOf(thing))) {
      const latest = store.deploymentsOf(target)[0];
      if (latest?.status === 'ACTIVE') queue(thing, latest);
    }
    timeOut(store.executionsOf(thing));
    return store.executionsOf(thing);
  };

  const merged = (
    cause: DeploymentRow,
    thing: string,
    targets: readonly string[],
    request: NextDeploymentRequest,
  ): DeviceDeployment => {
    // A device that left the group still has to finish what it was given.
    const sources = [...new Set([...targets, cause.targetArn])]
      .map((target) =>
        target === cause.targetArn
          ? cause
          : store.deploymentsOf(target).find((d) => store.execution(thing, d.id)?.status === 'SUCCEEDED'),
      )
      .filter((d) => d !== undefined)
      .sort((a, b) => a.createdAt - b.createdAt);
    const roots: Record<string, RootComponent> = {};
    for (const source of sources) {
      for (const [name, specification] of Object.entries(source.components)) {
        const before = roots[name] ?? { versionRequirements: {}, configurationUpdates: [], runWith: null };
        const { merge, reset } = specification.configurationUpdate ?? {};
        roots[name] = {
          versionRequirements: { ...before.versionRequirements, [source.targetArn]: specification.componentVersion },
          configurationUpdates:
            merge === undefined && reset === undefined
              ? before.configurationUpdates
              : [
                  ...before.configurationUpdates,
                  {
                    deploymentId: source.id,
                    reset: [...(reset ?? [])],
                    ...(merge === undefined ? {} : { merge: JSON.parse(merge) }),
                  },
                ],
          runWith: specification.runWith === undefined ? before.runWith : { ...specification.runWith },
        };
      }
    }
    const requirements = Object.fromEntries(Object.entries(roots).map(([n, r]) => [n, r.versionRequirements]));
    const supplied = awsComponents(ctx.region);
    const versions = (name: string): readonly ComponentRow[] => [
      ...store.versions(name),
      ...supplied.filter((c) => c.name === name),
    ];
    const closure = resolveClosure(requirements, versions, {
      ...request.platform,
      runtime: request.runtime,
    });
    return {
      deploymentId: cause.id,
      deploymentName: cause.name,
      targetArn: cause.targetArn,
      iotJobId: cause.id,
      creationTimestamp: cause.createdAt,
      failureHandlingPolicy: cause.policies.failureHandlingPolicy,
      componentUpdatePolicy: cause.policies.componentUpdatePolicy,
      configurationValidationPolicy: cause.policies.configurationValidationPolicy,
      rootComponents: roots,
      components: closure.map((c) => ({
        name: c.name,
        version: c.version,
        arn: versions(c.name).find((v) => v.version === c.version)!.arn,
        isRoot: c.isRoot,
        recipe: { ...c.recipe },
      })),
    };
  };

  const pending = async (thing: string, request: NextDeploymentRequest): Promise<DeviceDeployment | null> => {
    const targets = await targetsOf(thing);
    const waiting = (await refresh(thing, targets))
      .filter((e) => !isOver(e))
      .map((execution) => ({ execution, deployment: store.deployment(execution.deploymentId) }))
      // IoT Jobs hands out what is in progress before what is queued, and both oldest first.
      .sort(
        (a, b) =>
          Number(a.execution.status === 'QUEUED') - Number(b.execution.status === 'QUEUED') ||
          (a.deployment?.createdAt ?? 0) - (b.deployment?.createdAt ?? 0),
      );
    for (const { execution, deployment } of waiting) {
      if (deployment === undefined) continue;
      try {
        return merged(deployment, thing, targets, request);
      } catch (error) {
        if (!(error instanceof ResolutionError)) throw error;
        finish(execution, 'FAILED', {
          reason: `FAILED_NO_STATE_CHANGE: ${error.message}`.slice(0, 1000),
          errorStack: error.errorStack,
          errorTypes: ['REQUEST_ERROR'],
        });
      }
    }
    return null;
  };

  return {
    thingArn,
    groupArn,
    queue,
    cancelQueued,
    refresh,

    nextDeployment: async (
      thing: string,
      request: NextDeploymentRequest,
      gone: AbortSignal,
    ): Promise<DeviceDeployment | null> => {
      const until = ctx.now() + request.waitMs;
      while (!gone.aborted) {
        const look = AbortSignal.any([
          gone,
          AbortSignal.timeout(Math.max(1, Math.min(LOOK_AGAIN_MS, until - ctx.now()))),
        ]);
        // Listen before looking, so that a deployment made meanwhile is not missed.
        const changed = once(ctx.events, 'changed', { signal: look }).catch(() => {});
        const found = await pending(thing, request);
        if (found !== null) return found;
        if (ctx.now() >= until) return null;
        await changed;
      }
      return null;
    },

    report: (thing: string, deploymentId: string, report: DeploymentStatusReport): void => {
      const execution = store.execution(thing, deploymentId);
      if (execution === undefined) throw notFound('deployment', `${deploymentId} of ${thing}`);
      if (execution.status === report.status) return;
      if (isOver(execution)) {
        throw conflict(
          `Deployment ${deploymentId} is ${execution.status} on ${thing} and cannot become ${report.status}`,
          'deployment',
          deploymentId,
        );
      }
      if (report.status === 'IN_PROGRESS') {
        const at = ctx.now();
        store.putExecution({
          ...execution,
          status: 'IN_PROGRESS',
          reason: report.reason,
          startedAt: at,
          modifiedAt: at,
        });
      } else {
        finish(execution, report.status, {
          reason: report.reason,
          errorStack: report.errorStack,
          errorTypes: report.errorTypes,
        });
      }
      ctx.events.emit('changed');
    },
  };
};
export type Rollout = ReturnType<typeof makeRollout>;
