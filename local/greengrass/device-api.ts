import { z } from 'zod';

/**
 * The private API between the Greengrass control plane's stand-in and the simulated core devices. In AWS this road is
 * AWS IoT Jobs plus the fleet status topic; here it is three HTTP calls under one prefix, all of them JSON:
 *
 * - `POST <prefix>/things/<thing>/next-deployment` (NextDeploymentRequest) → 200 DeviceDeployment, or 204 when nothing
 *   is pending after `waitMs`. Like IoT Jobs' `notify-next`: the oldest execution that is QUEUED or IN_PROGRESS is
 *   given again and again until the device reports an end, so a device that restarts halfway gets it anew.
 * - `POST <prefix>/things/<thing>/deployments/<deploymentId>/status` (DeploymentStatusReport) → 204
 * - `POST <prefix>/things/<thing>/status` (DeviceStatusReport) → 204
 *
 * Recipes and candidates are fetched through the official API (GetComponent, ResolveComponentCandidates).
 */
export const DEVICE_API_PREFIX = '/_device/v1';

/** The nucleus that runs on a device, as GetCoreDevice names it. */
export const DeviceRuntime = z.enum(['aws_nucleus_classic', 'aws_nucleus_lite']);
export type DeviceRuntime = z.infer<typeof DeviceRuntime>;

/** What a recipe's manifest is matched against: `os`, `architecture`, `runtime`, and custom keys of the nucleus. */
export const DevicePlatform = z.record(z.string(), z.string());
export type DevicePlatform = z.infer<typeof DevicePlatform>;

export const NextDeploymentRequest = z.strictObject({
  waitMs: z.int().min(0).max(60_000).describe('how long to hold the call while nothing is pending, milliseconds'),
  platform: DevicePlatform,
  runtime: DeviceRuntime,
});
export type NextDeploymentRequest = z.infer<typeof NextDeploymentRequest>;

/** One configuration update; several deployments (one per group) are applied in the order of their creation. */
export const ConfigurationUpdate = z.strictObject({
  deploymentId: z.string(),
  reset: z.array(z.string()).describe('JSON pointers, applied before merge; "" resets all'),
  merge: z
    .unknown()
    .optional()
    .describe('parsed JSON to merge; lists are replaced whole; undefined when there is none'),
});
export type ConfigurationUpdate = z.infer<typeof ConfigurationUpdate>;

export const RootComponent = z.strictObject({
  versionRequirements: z.record(z.string(), z.string()).describe('target ARN → the version that target asks for'),
  configurationUpdates: z.array(ConfigurationUpdate),
  runWith: z.record(z.string(), z.unknown()).nullable(),
});
export type RootComponent = z.infer<typeof RootComponent>;

/** A component of the closure (roots and dependencies), with its recipe as the service re-emits it. */
export const ResolvedComponent = z.strictObject({
  name: z.string(),
  version: z.string(),
  arn: z.string(),
  isRoot: z.boolean(),
  recipe: z
    .record(z.string(), z.unknown())
    .describe('PascalCase JSON; every s3:// artifact carries Uri, Digest (SHA-256, base64) and Algorithm'),
});
export type ResolvedComponent = z.infer<typeof ResolvedComponent>;

/**
 * What the device must become: the merge of the deployments of all its targets (itself and its thing groups). Versions
 * are already resolved. When the constraints of several targets do not overlap, the control plane fails the execution
 * itself and never delivers it.
 */
export const DeviceDeployment = z.strictObject({
  deploymentId: z.string().describe('the deployment that caused this; report its status under this id'),
  deploymentName: z.string(),
  targetArn: z.string(),
  iotJobId: z.string(),
  creationTimestamp: z.int().describe('epoch milliseconds'),
  failureHandlingPolicy: z.enum(['ROLLBACK', 'DO_NOTHING']),
  componentUpdatePolicy: z.strictObject({
    timeoutInSeconds: z.int(),
    action: z.enum(['NOTIFY_COMPONENTS', 'SKIP_NOTIFY_COMPONENTS']),
  }),
  configurationValidationPolicy: z.strictObject({ timeoutInSeconds: z.int() }),
  rootComponents: z.record(z.string(), RootComponent).describe('absent names are to be uninstalled'),
  components: z.array(ResolvedComponent).describe('dependencies come before what depends on them'),
});
export type DeviceDeployment = z.infer<typeof DeviceDeployment>;

export const DeploymentStatusReport = z.strictObject({
  status: z.enum(['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED']),
  reason: z.string().max(1000).describe("e.g. the device's result FAILED_ROLLBACK_COMPLETE and the cause"),
  errorStack: z.array(z.string()).optional(),
  errorTypes: z.array(z.string()).optional(),
});
export type DeploymentStatusReport = z.infer<typeof DeploymentStatusReport>;

export const ComponentState = z.enum([
  'NEW',
  'INSTALLED',
  'STARTING',
  'RUNNING',
  'STOPPING',
  'ERRORED',
  'BROKEN',
  'FINISHED',
]);
export type ComponentState = z.infer<typeof ComponentState>;

export const DeviceComponentStatus = z.strictObject({
  name: z.string(),
  version: z.string(),
  state: ComponentState,
  details: z.string().max(1000).optional().describe('lifecycleStateDetails'),
  isRoot: z.boolean(),
});
export type DeviceComponentStatus = z.infer<typeof DeviceComponentStatus>;

/**
 * The fleet status message. A device sends it at launch, after each deployment, when a component changes state, and on
 * reconnect; it replaces the component list. The first one makes the thing a Greengrass core device.
 */
export const DeviceStatusReport = z.strictObject({
  sentAt: z.int().describe('epoch milliseconds, the device clock'),
  trigger: z.enum([
    'NUCLEUS_LAUNCH',
    'THING_DEPLOYMENT',
    'THING_GROUP_DEPLOYMENT',
    'LOCAL_DEPLOYMENT',
    'COMPONENT_STATUS_CHANGE',
    'RECONNECT',
    'CADENCE',
  ]),
  status: z.enum(['HEALTHY', 'UNHEALTHY']),
  coreVersion: z.string(),
  platform: z.string(),
  architecture: z.string(),
  runtime: DeviceRuntime,
  components: z.array(DeviceComponentStatus),
});
export type DeviceStatusReport = z.infer<typeof DeviceStatusReport>;

/** The control plane refused a device's call or could not be reached. */
export class DeviceApiError extends Error {
  readonly statusCode: number | null;
  constructor(message: string, statusCode: number | null, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DeviceApiError';
    this.statusCode = statusCode;
  }
}

export interface DeviceApi {
  /** The pending deployment, or null when none came within `waitMs`. */
  nextDeployment(request: NextDeploymentRequest, signal?: AbortSignal): Promise<DeviceDeployment | null>;
  reportDeployment(deploymentId: string, report: DeploymentStatusReport): Promise<void>;
  reportStatus(report: DeviceStatusReport): Promise<void>;
}

/**
 * Client of the device-facing API for one thing.
 *
 * @param controlPlaneUrl base URL of the stand-in, e.g. `http://127.0.0.1:45123`
 * @throws DeviceApiError on refusal (with the HTTP status) or when the control plane does not answer (status null)
 */
export const deviceApiClient = (controlPlaneUrl: string, thingName: string): DeviceApi => {
  const base = `${controlPlaneUrl.replace(/\/$/, '')}${DEVICE_API_PREFIX}/things/${encodeURIComponent(thingName)}`;
  const post = async (path: string, body: unknown, timeoutMs: number, signal?: AbortSignal): Promise<unknown> => {
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch (cause) {
      throw new DeviceApiError(
        `the Greengrass control plane at ${controlPlaneUrl} did not answer ${path} for ${thingName}; is the local plant running?`,
        null,
        { cause },
      );
    }
    if (!response.ok) {
      throw new DeviceApiError(
        `the Greengrass control plane refused ${path} for ${thingName} with ${response.status}: ${text.slice(0, 500)}`,
        response.status,
      );
    }
    return text === '' ? null : JSON.parse(text);
  };
  return {
    nextDeployment: async (request, signal) => {
      const answer = await post('/next-deployment', request, request.waitMs + 30_000, signal);
      return answer === null ? null : DeviceDeployment.parse(answer);
    },
    reportDeployment: async (deploymentId, report) => {
      await post(`/deployments/${encodeURIComponent(deploymentId)}/status`, report, 30_000);
    },
    reportStatus: async (report) => {
      await post('/status', report, 30_000);
    },
  };
};
