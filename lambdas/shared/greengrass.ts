import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  GetComponentCommand,
  GetDeploymentCommand,
  type GreengrassV2Client,
  ListDeploymentsCommand,
  ListEffectiveDeploymentsCommand,
} from '@aws-sdk/client-greengrassv2';
import { type IoTClient, ListThingsInThingGroupCommand } from '@aws-sdk/client-iot';
import type { Composition } from '#core/policy/compose-deployment.ts';

/** The few things that releases do with Greengrass and the thing groups of rings. */
export interface FleetControl {
  /** Recipe of a component version, as JSON text; null when there is no such version. */
  recipe(name: string, version: string): Promise<string | null>;
  createVersion(recipe: string, clientToken: string, tags: Record<string, string>): Promise<void>;
  /** The newest deployment of a group; null when it never had one. */
  current(thingGroup: string): Promise<{ readonly deploymentId: string; readonly components: Composition } | null>;
  /** Repeating a token gives the same deployment. */
  deploy(o: {
    readonly thingGroup: string;
    readonly name: string;
    readonly components: Composition;
    readonly clientToken: string;
    readonly tags: Record<string, string>;
    /** What a device does that cannot follow: go back to the components it had, or stay as far as it got. */
    readonly onFailure: 'ROLLBACK' | 'DO_NOTHING';
  }): Promise<string>;
  things(thingGroup: string): Promise<readonly string[]>;
  /** Status of a deployment on one thing; null when the thing has not seen it. */
  statusOn(thing: string, deploymentId: string): Promise<{ readonly status: string; readonly reason: string } | null>;
}

const isAbsent = (error: unknown): boolean => (error as Error).name === 'ResourceNotFoundException';

/** @param home `region:account` of the plant plane. */
export const awsFleet = (greengrass: GreengrassV2Client, iot: IoTClient, home: string): FleetControl => {
  const groupArn = (group: string): string => `arn:aws:iot:${home}:thinggroup/${group}`;
  return {
    async recipe(name, version) {
      try {
        const answer = await greengrass.send(
          new GetComponentCommand({
            arn: `arn:aws:greengrass:${home}:components:${name}:versions:${version}`,
            recipeOutputFormat: 'JSON',
          }),
        );
        return Buffer.from(answer.recipe ?? []).toString('utf8');
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    },
    async createVersion(recipe, clientToken, tags) {
      await greengrass.send(
        new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(recipe), clientToken, tags }),
      );
    },
    async current(thingGroup) {
      const page = await greengrass.send(
        new ListDeploymentsCommand({ targetArn: groupArn(thingGroup), historyFilter: 'LATEST_ONLY' }),
      );
      const deploymentId = page.deployments?.[0]?.deploymentId;
      if (deploymentId === undefined) return null;
      const answer = await greengrass.send(new GetDeploymentCommand({ deploymentId }));
      const components: Record<string, Composition[string]> = {};
      for (const [name, { componentVersion, configurationUpdate }] of Object.entries(answer.components ?? {}))
        components[name] = {
          componentVersion: componentVersion ?? '',
          ...(configurationUpdate === undefined
            ? {}
            : {
                configurationUpdate: {
                  ...(configurationUpdate.merge === undefined ? {} : { merge: configurationUpdate.merge }),
                  ...(configurationUpdate.reset === undefined ? {} : { reset: configurationUpdate.reset }),
                },
              }),
        };
      return { deploymentId, components };
    },
    async deploy({ thingGroup, name, components, clientToken, tags, onFailure }) {
      const answer = await greengrass.send(
        new CreateDeploymentCommand({
          targetArn: groupArn(thingGroup),
          deploymentName: name,
          components: Object.fromEntries(
            Object.entries(components).map(([component, { componentVersion, configurationUpdate }]) => [
              component,
              {
                componentVersion,
                ...(configurationUpdate === undefined
                  ? {}
                  : {
                      configurationUpdate: {
                        ...(configurationUpdate.merge === undefined ? {} : { merge: configurationUpdate.merge }),
                        ...(configurationUpdate.reset === undefined ? {} : { reset: [...configurationUpdate.reset] }),
                      },
                    }),
              },
            ]),
          ),
          deploymentPolicies: {
            failureHandlingPolicy: onFailure,
            componentUpdatePolicy: { action: 'NOTIFY_COMPONENTS', timeoutInSeconds: 60 },
            configurationValidationPolicy: { timeoutInSeconds: 60 },
          },
          clientToken,
          tags,
        }),
      );
      if (answer.deploymentId === undefined) throw new Error(`Greengrass gave no deployment id for ${thingGroup}`);
      return answer.deploymentId;
    },
    async things(thingGroup) {
      const things: string[] = [];
      for (let token: string | undefined; ; ) {
        const page = await iot.send(
          new ListThingsInThingGroupCommand({ thingGroupName: thingGroup, ...(token ? { nextToken: token } : {}) }),
        );
        things.push(...(page.things ?? []));
        token = page.nextToken;
        if (!token) return things;
      }
    },
    async statusOn(thing, deploymentId) {
      try {
        const page = await greengrass.send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: thing }));
        const found = page.effectiveDeployments?.find((d) => d.deploymentId === deploymentId);
        return found === undefined
          ? null
          : { status: found.coreDeviceExecutionStatus ?? 'UNKNOWN', reason: found.reason ?? '' };
      } catch (error) {
        // A thing that never connected as a core device.
        if (isAbsent(error)) return null;
        throw error;
      }
    },
  };
};
