import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { DeviceStatusReport } from '../device-api.ts';
import type { Recipe } from './recipe.ts';

export interface ComponentRow {
  readonly name: string;
  readonly version: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly recipe: Recipe;
}

export interface ComponentSpecification {
  readonly componentVersion: string;
  readonly configurationUpdate?: { readonly merge?: string; readonly reset?: readonly string[] };
  readonly runWith?: Readonly<Record<string, unknown>>;
}

export interface AbortCriterion {
  readonly failureType: 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'ALL';
  readonly thresholdPercentage: number;
  readonly minNumberOfExecutedThings: number;
}

export interface DeploymentPolicies {
  readonly failureHandlingPolicy: 'ROLLBACK' | 'DO_NOTHING';
  readonly componentUpdatePolicy: {
    readonly timeoutInSeconds: number;
    readonly action: 'NOTIFY_COMPONENTS' | 'SKIP_NOTIFY_COMPONENTS';
  };
  readonly configurationValidationPolicy: { readonly timeoutInSeconds: number };
}

export interface JobConfiguration {
  readonly abortConfig?: { readonly criteriaList: readonly AbortCriterion[] };
  readonly timeoutConfig?: { readonly inProgressTimeoutInMinutes?: number };
}

export type DeploymentStatus = 'ACTIVE' | 'COMPLETED' | 'CANCELED' | 'FAILED' | 'INACTIVE';

export interface DeploymentRow {
  readonly id: string;
  readonly targetArn: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly status: DeploymentStatus;
  readonly name: string;
  readonly components: Readonly<Record<string, ComponentSpecification>>;
  readonly policies: DeploymentPolicies;
  readonly job: JobConfiguration;
  readonly parentTargetArn?: string;
}

export type ExecutionStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'CANCELED';

/** One device's part of a deployment. */
export interface ExecutionRow {
  readonly thing: string;
  readonly deploymentId: string;
  readonly status: ExecutionStatus;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** when the device first said IN_PROGRESS */
  readonly startedAt?: number;
  readonly reason?: string;
  readonly errorStack?: readonly string[];
  readonly errorTypes?: readonly string[];
}

export interface DeviceRow {
  readonly thing: string;
  readonly reportedAt: number;
  readonly report: DeviceStatusReport;
  /** component → when it last changed its state, epoch milliseconds */
  readonly changedAt: Readonly<Record<string, number>>;
}

export interface TokenRow {
  readonly requestHash: string;
  readonly response: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS component (name TEXT, version TEXT, document TEXT NOT NULL, PRIMARY KEY (name, version));
  CREATE TABLE IF NOT EXISTS deployment (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, revision INTEGER NOT NULL, document TEXT NOT NULL, UNIQUE (target, revision));
  CREATE TABLE IF NOT EXISTS execution (
    thing TEXT, deployment TEXT, document TEXT NOT NULL, PRIMARY KEY (thing, deployment));
  CREATE INDEX IF NOT EXISTS execution_of_deployment ON execution (deployment);
  CREATE TABLE IF NOT EXISTS device (thing TEXT PRIMARY KEY, document TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS token (operation TEXT, token TEXT, document TEXT NOT NULL, PRIMARY KEY (operation, token));
  CREATE TABLE IF NOT EXISTS tag (arn TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (arn, key));
`;

/** What the control plane remembers, in one SQLite file that survives a restart and a power cut. */
export const openStore = (file: string) => {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  db.exec(SCHEMA);
  const all = <T>(sql: string, ...values: SQLInputValue[]): T[] =>
    db
      .prepare(sql)
      .all(...values)
      .map((row) => JSON.parse(row['document'] as string) as T);
  const one = <T>(sql: string, ...values: SQLInputValue[]): T | undefined => all<T>(sql, ...values)[0];
  const run = (sql: string, ...values: SQLInputValue[]) => {
    db.prepare(sql).run(...values);
  };
  return {
    close: () => db.close(),
    /** All or nothing; `work` must not wait for anything. */
    transaction: <T>(work: () => T): T => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },

    putComponent: (row: ComponentRow) =>
      run('INSERT INTO component VALUES (?, ?, ?)', row.name, row.version, JSON.stringify(row)),
    component: (name: string, version: string) =>
      one<ComponentRow>('SELECT document FROM component WHERE name = ? AND version = ?', name, version),
    versions: (name: string) => all<ComponentRow>('SELECT document FROM component WHERE name = ?', name),
    components: () => all<ComponentRow>('SELECT document FROM component ORDER BY name'),
    deleteComponent: (name: string, version: string) =>
      run('DELETE FROM component WHERE name = ? AND version = ?', name, version),

    putDeployment: (row: DeploymentRow) =>
      run(
        'INSERT INTO deployment VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
        row.id,
        row.targetArn,
        row.revision,
        JSON.stringify(row),
      ),
    deployment: (id: string) => one<DeploymentRow>('SELECT document FROM deployment WHERE id = ?', id),
    deploymentsOf: (target: string) =>
      all<DeploymentRow>('SELECT document FROM deployment WHERE target = ? ORDER BY revision DESC', target),
    deployments: () => all<DeploymentRow>('SELECT document FROM deployment'),
    latestRevision: (target: string): number =>
      Number(db.prepare('SELECT MAX(revision) AS n FROM deployment WHERE target = ?').get(target)?.['n'] ?? 0),
    deleteDeployment: (id: string) => run('DELETE FROM deployment WHERE id = ?', id),

    putExecution: (row: ExecutionRow) =>
      run(
        'INSERT INTO execution VALUES (?, ?, ?) ON CONFLICT (thing, deployment) DO UPDATE SET document = excluded.document',
        row.thing,
        row.deploymentId,
        JSON.stringify(row),
      ),
    execution: (thing: string, deployment: string) =>
      one<ExecutionRow>('SELECT document FROM execution WHERE thing = ? AND deployment = ?', thing, deployment),
    executionsOf: (thing: string) => all<ExecutionRow>('SELECT document FROM execution WHERE thing = ?', thing),
    executionsIn: (deployment: string) =>
      all<ExecutionRow>('SELECT document FROM execution WHERE deployment = ?', deployment),

    putDevice: (row: DeviceRow) =>
      run(
        'INSERT INTO device VALUES (?, ?) ON CONFLICT (thing) DO UPDATE SET document = excluded.document',
        row.thing,
        JSON.stringify(row),
      ),
    device: (thing: string) => one<DeviceRow>('SELECT document FROM device WHERE thing = ?', thing),
    devices: () => all<DeviceRow>('SELECT document FROM device ORDER BY thing'),
    deleteDevice: (thing: string) => run('DELETE FROM device WHERE thing = ?', thing),

    putToken: (operation: string, token: string, row: TokenRow) =>
      run('INSERT OR REPLACE INTO token VALUES (?, ?, ?)', operation, token, JSON.stringify(row)),
    token: (operation: string, token: string) =>
      one<TokenRow>('SELECT document FROM token WHERE operation = ? AND token = ?', operation, token),

    putTag: (arn: string, key: string, value: string) =>
      run('INSERT OR REPLACE INTO tag VALUES (?, ?, ?)', arn, key, value),
    deleteTag: (arn: string, key: string) => run('DELETE FROM tag WHERE arn = ? AND key = ?', arn, key),
    tags: (arn: string): Record<string, string> =>
      Object.fromEntries(
        db
          .prepare('SELECT key, value FROM tag WHERE arn = ? ORDER BY key')
          .all(arn)
          .map((r) => [r['key'] as string, r['value'] as string]),
      ),
  };
};
export type Store = ReturnType<typeof openStore>;

/** Tags for an answer; none is left out, because the service's model has no empty tag map. */
export const tagsOf = (store: Store, arn: string): Record<string, string> | undefined => {
  const tags = store.tags(arn);
  return Object.keys(tags).length === 0 ? undefined : tags;
};
