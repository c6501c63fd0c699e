import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../../../cli/world.ts';
import { DeploymentConfig } from '../../../core/contracts/deployment-config.ts';
import type { LineageEdge, RecordClass } from '../../../core/contracts/ledger.ts';
import { platformNames } from '../../../core/contracts/names.ts';
import type { RegistryHistory, RegistryReader, StoredRecord } from '../../../core/ports/registry.ts';
import { listOf } from '../../support/fakes.ts';

export const NOW = '2026-01-02T00:00:00.000Z';
export const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** A registry in memory: records newest first, edges as written. */
export const memoryRegistry = (
  records: readonly { class: RecordClass; id: string; body: Record<string, unknown>; version?: number }[],
  edges: readonly LineageEdge[] = [],
): RegistryReader & RegistryHistory => {
  const all = records.map(
    (r): StoredRecord => ({
      version: 1,
      at: '2026-01-01T00:00:00.000Z',
      actor: 'someone',
      bodyDigest: digest('f'),
      ...r,
    }),
  );
  return {
    latest: async (c, id) => all.find((r) => r.class === c && r.id === id) ?? null,
    list: async (c, { limit = 1e9 } = {}) => all.filter((r) => r.class === c).slice(0, limit),
    versions: async (c, id) => all.filter((r) => r.class === c && r.id === id).sort((a, b) => a.version - b.version),
    edges: async (node, direction) => edges.filter((e) => (direction === 'out' ? e.from : e.to) === node),
  };
};

const memoryBucket = (name: string, files: Record<string, string>) => ({
  name,
  list: listOf(() => Object.keys(files)),
  find: async (key: string) => (key in files ? Buffer.from(files[key] as string) : null),
  get: async (key: string) => (key in files ? { body: Buffer.from(files[key] as string), versionId: null } : null),
  put: async (key: string, body: Uint8Array) => {
    files[key] = Buffer.from(body).toString('utf8');
  },
});

/** Athena that has one answer; `asked` gets each SQL. */
export const oneAnswer = (
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  asked: string[],
): World['athena'] => ({
  query: async (sql) => {
    asked.push(sql);
    return { id: 'q-1', columns, rows, scannedBytes: 7 };
  },
});

export interface FakeWorld extends World {
  readonly asked: { type: string; detail: unknown }[];
  readonly calls: { name: string; payload: unknown }[];
  readonly answered: unknown[];
  readonly sent: { command: string; input: Record<string, unknown> }[];
  readonly lakeFiles: Record<string, string>;
  readonly artifactFiles: Record<string, string>;
}

/** A stage in memory. `sends` answers commands of the SDK clients by their name. */
export const fakeWorld = (
  over: Partial<World> & {
    lakeFiles?: Record<string, string>;
    artifactFiles?: Record<string, string>;
    sends?: Record<string, (input: Record<string, never>) => unknown>;
  } = {},
): FakeWorld => {
  const config = DeploymentConfig.parse(
    JSON.parse(readFileSync(join(__dirname, '../../../config/local.json'), 'utf8')),
  );
  const { lakeFiles = {}, artifactFiles = {}, sends = {}, ...rest } = over;
  const asked: FakeWorld['asked'] = [];
  const calls: FakeWorld['calls'] = [];
  const answered: unknown[] = [];
  const sent: FakeWorld['sent'] = [];
  const client = {
    send: async (command: { constructor: { name: string }; input: Record<string, never> }) => {
      const name = command.constructor.name.replace('Command', '');
      sent.push({ command: name, input: command.input });
      return sends[name]?.(command.input) ?? {};
    },
  } as never;
  return {
    config,
    names: platformNames(config),
    site: 'plant-a',
    plant: null,
    plantDir: null,
    registry: memoryRegistry([]),
    lake: memoryBucket('lake', lakeFiles),
    artifacts: memoryBucket('artifacts', artifactFiles),
    athena: { query: async () => ({ id: 'e-1', columns: [], rows: [], scannedBytes: 0 }) },
    fleet: async () => [],
    judgement: async () => [],
    execution: async () => null,
    announce: async (type, detail) => void asked.push({ type, detail }),
    invoke: async (name, payload) => {
      calls.push({ name, payload });
      return {};
    },
    answerTask: async (token, answer) => void answered.push({ token, ...answer }),
    write: async (commands) => void calls.push({ name: 'ledger', payload: commands }),
    iot: client,
    greengrass: client,
    kms: client,
    actor: async () => 'cli:tester',
    now: () => NOW,
    newId: (prefix) => `${prefix}-1`,
    sleep: async () => {},
    ...rest,
    asked,
    calls,
    answered,
    sent,
    lakeFiles,
    artifactFiles,
  };
};

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line against a world. */
export const runWith = async (
  world: World | (() => World),
  args: readonly string[],
  files: Record<string, string> = {},
): Promise<Run> => {
  const { runCli } = await import('../../../cli/program.ts');
  let out = '';
  let err = '';
  const code = await runCli(args, {
    connect: () => (typeof world === 'function' ? world() : world),
    write: (text) => {
      out += text;
    },
    writeError: (text) => {
      err += text;
    },
    readText: (file) => files[file] ?? '',
    fetchText: async () => 'CA',
    colour: false,
    root: join(__dirname, '../../..'),
  });
  return { code, out, err };
};
