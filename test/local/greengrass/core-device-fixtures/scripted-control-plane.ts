import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import {
  DEVICE_API_PREFIX,
  type DeploymentStatusReport,
  type DeviceDeployment,
  type DeviceStatusReport,
} from '../../../../local/greengrass/device-api.ts';

export interface ComponentSpec {
  readonly name: string;
  readonly version: string;
  readonly lifecycle?: Record<string, unknown>;
  readonly platform?: Record<string, string>;
  readonly defaults?: Record<string, unknown>;
  readonly dependencies?: Record<string, { VersionRequirement: string; DependencyType: 'HARD' | 'SOFT' }>;
  readonly artifacts?: readonly Record<string, unknown>[];
  readonly merge?: unknown;
  readonly reset?: readonly string[];
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** The device-facing API with deployments a test hands out one by one, and what the device told it. */
export class ScriptedControlPlane {
  url = '';
  readonly deploymentReports: { deploymentId: string; report: DeploymentStatusReport }[] = [];
  readonly statusReports: DeviceStatusReport[] = [];
  private pending: DeviceDeployment | undefined;
  private count = 0;
  private readonly wakers = new Set<() => void>();
  private readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const path = (request.url ?? '').slice(DEVICE_API_PREFIX.length);
    const end = (status: number, answer?: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(answer === undefined ? undefined : JSON.stringify(answer));
    };
    if (path.endsWith('/next-deployment')) {
      if (this.pending === undefined) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(body.waitMs, 5_000));
          this.wakers.add(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      return this.pending === undefined ? end(204) : end(200, this.pending);
    }
    const deploymentId = /\/deployments\/([^/]+)\/status$/.exec(path)?.[1];
    if (deploymentId !== undefined) {
      this.deploymentReports.push({ deploymentId, report: body });
      if (body.status !== 'IN_PROGRESS' && this.pending?.deploymentId === deploymentId) this.pending = undefined;
    } else this.statusReports.push(body);
    this.wake();
    return end(204);
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async stop(): Promise<void> {
    this.wake();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private wake(): void {
    for (const waker of [...this.wakers]) waker();
    this.wakers.clear();
  }

  /** Puts a deployment in the device's way. @returns its id. */
  deploy(components: readonly ComponentSpec[], policy: Partial<DeviceDeployment> = {}): string {
    this.count += 1;
    const deploymentId = `deployment-${this.count}`;
    const arn = `arn:aws:iot:us-east-1:000000000000:thinggroup/ring0`;
    this.pending = {
      deploymentId,
      deploymentName: deploymentId,
      targetArn: arn,
      iotJobId: deploymentId,
      creationTimestamp: Date.now(),
      failureHandlingPolicy: 'ROLLBACK',
      componentUpdatePolicy: { timeoutInSeconds: 5, action: 'NOTIFY_COMPONENTS' },
      configurationValidationPolicy: { timeoutInSeconds: 5 },
      ...policy,
      rootComponents: Object.fromEntries(
        components.map((c) => [
          c.name,
          {
            versionRequirements: { [arn]: c.version },
            configurationUpdates:
              c.merge === undefined && c.reset === undefined
                ? []
                : [{ deploymentId, reset: [...(c.reset ?? [])], merge: c.merge }],
            runWith: null,
          },
        ]),
      ),
      components: components.map((c) => ({
        name: c.name,
        version: c.version,
        arn: `arn:aws:greengrass:us-east-1:000000000000:components:${c.name}:versions:${c.version}`,
        isRoot: true,
        recipe: {
          RecipeFormatVersion: '2020-01-25',
          ComponentName: c.name,
          ComponentVersion: c.version,
          ...(c.defaults === undefined ? {} : { ComponentConfiguration: { DefaultConfiguration: c.defaults } }),
          ...(c.dependencies === undefined ? {} : { ComponentDependencies: c.dependencies }),
          Manifests: [
            {
              Platform: c.platform ?? { os: 'linux', runtime: '*' },
              Lifecycle: c.lifecycle ?? {},
              Artifacts: c.artifacts ?? [],
            },
          ],
        },
      })),
    };
    this.wake();
    return deploymentId;
  }

  /** Waits until `found` answers something, looking whenever the device told something. */
  async until<T>(found: () => T | undefined, what: string, timeoutMs = 45_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      if (Date.now() > deadline)
        throw new Error(`${what} did not come; reports: ${JSON.stringify(this.deploymentReports)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The end of a deployment. */
  ended(deploymentId: string): Promise<DeploymentStatusReport> {
    return this.until(
      () =>
        this.deploymentReports.find((r) => r.deploymentId === deploymentId && r.report.status !== 'IN_PROGRESS')
          ?.report,
      `the end of ${deploymentId}`,
    );
  }
}
