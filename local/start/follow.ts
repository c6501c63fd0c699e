import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { parseAs } from '#core/contracts/errors.ts';
import { ReleaseRecord } from '#core/contracts/release.ts';
import { RetrainRecord } from '#core/contracts/retrain.ts';
import { StartError } from './errors.ts';
import type { RegistryView } from './registry.ts';
import type { Teller } from './teller.ts';
import { awsLog, until } from './wait.ts';

export interface Stage {
  readonly name: string;
  readonly from: number;
  /** Null while it runs. */
  readonly to: number | null;
}

/** Named states of an execution in the order they were entered, from its history. Parts of a map count once. */
export const stagesOf = (events: readonly HistoryEvent[]): readonly Stage[] => {
  const stages: { name: string; from: number; to: number | null }[] = [];
  for (const event of events) {
    const at = event.timestamp?.getTime() ?? 0;
    const entered = event.stateEnteredEventDetails?.name;
    const exited = event.stateExitedEventDetails?.name;
    if (entered !== undefined && !stages.some((s) => s.name === entered && s.to === null))
      stages.push({ name: entered, from: at, to: null });
    if (exited !== undefined) {
      const open = stages.findLast((s) => s.name === exited && s.to === null);
      if (open !== undefined) open.to = at;
    }
  }
  return stages;
};

/** All events of an execution. */
export const historyOf = async (sfn: SFNClient, executionArn: string): Promise<readonly HistoryEvent[]> => {
  const events: HistoryEvent[] = [];
  for (let token: string | undefined; ; ) {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, ...(token ? { nextToken: token } : {}) }),
    );
    events.push(...(page.events ?? []));
    token = page.nextToken;
    if (token === undefined) return events;
  }
};

/** Tells stages that ended since the last look; the one that runs becomes the progress. */
class Follower {
  private told = 0;
  private readonly teller: Teller;
  private readonly what: string;
  constructor(teller: Teller, what: string) {
    this.teller = teller;
    this.what = what;
  }
  look(stages: readonly Stage[]): void {
    for (; this.told < stages.length; this.told++) {
      const { name, from, to } = stages[this.told] as Stage;
      if (to === null) break;
      if (to - from >= 300) this.teller.part(name, to - from);
    }
    const running = stages.findLast((s) => s.to === null);
    if (running !== undefined) this.teller.progress(`${this.what}: ${running.name}`);
  }
}

const failureOf = async (sfn: SFNClient, executionArn: string): Promise<string> => {
  const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  return `${status}${error === undefined ? '' : ` with ${error}`}${cause === undefined ? '' : `: ${cause.slice(0, 600)}`}`;
};

/** What it takes of a running plant to follow its workflows. */
export interface FollowedPlant {
  readonly clients: { readonly sfn: SFNClient };
  readonly registry: RegistryView;
  readonly teller: Teller;
  readonly stateDir: string;
  readonly names: { readonly release: { readonly arn: string } };
  readonly signal: AbortSignal;
}

/**
 * Follows a retrain to its end.
 * @throws {StartError} when it never begins, or its execution ends without a word in the registry.
 */
export const followRetrain = async (
  plant: FollowedPlant,
  requestId: string,
  seconds: number,
): Promise<RetrainRecord> => {
  const { registry, signal } = plant;
  const { sfn } = plant.clients;
  const log = awsLog(plant);
  const follower = new Follower(plant.teller, 'training');
  const record = async (): Promise<RetrainRecord | null> => {
    const body = await registry.body('retrain', requestId);
    return body === null ? null : parseAs(RetrainRecord, body, `registry record retrain ${requestId}`);
  };
  const began = await until(record, {
    signal,
    seconds: 60,
    late: () =>
      new StartError(
        `retrain ${requestId} was asked for, and nothing began within 60 s`,
        'look for a failed rule target or Lambda in the log; then start again',
        log,
      ),
  });
  let deadFor = 0;
  return until(
    async () => {
      const now = await record();
      if (now !== null && now.status !== 'running') return now;
      follower.look(stagesOf(await historyOf(sfn, began.execution)));
      const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn: began.execution }));
      // The record is written by the execution's last step: give its readers a moment.
      deadFor = status === 'RUNNING' ? 0 : deadFor + 1;
      if (deadFor > 5)
        throw new StartError(
          `the execution of retrain ${requestId} ended ${await failureOf(sfn, began.execution)}`,
          'the champion, if there is one, goes on serving; mend the cause, then start again',
          log,
        );
      return null;
    },
    {
      signal,
      everyMs: 1000,
      seconds,
      late: () =>
        new StartError(
          `retrain ${requestId} did not end within ${seconds} s`,
          `look at it with "npx millwright explain ${requestId}"`,
          log,
        ),
    },
  );
};

/**
 * Follows the release of a package, or one certain release of it, to its end.
 * @throws {StartError} when it never begins, or its execution dies.
 */
export const followRelease = async (
  plant: FollowedPlant,
  { packageDigest, releaseId }: { readonly packageDigest: string; readonly releaseId?: string },
  seconds: number,
): Promise<ReleaseRecord> => {
  const { registry, signal } = plant;
  const { sfn } = plant.clients;
  const log = awsLog(plant);
  const follower = new Follower(plant.teller, 'release');
  const find = async (): Promise<ReleaseRecord | null> => {
    const bodies = await registry.bodies('release');
    const body = bodies.find((b) =>
      releaseId === undefined ? b['packageDigest'] === packageDigest : b.id === releaseId,
    );
    if (body === undefined) return null;
    const { id: _, ...rest } = body;
    return parseAs(ReleaseRecord, rest, `registry record release ${body.id}`);
  };
  const newest = async (): Promise<string | null> => {
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: plant.names.release.arn, maxResults: 10 }),
    );
    for (const { executionArn } of executions) {
      const { input } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (input?.includes(releaseId ?? packageDigest)) return executionArn ?? null;
    }
    return null;
  };
  let deadFor = 0;
  return until(
    async () => {
      const record = await find();
      if (record !== null && !['waiting-approval', 'rolling-out'].includes(record.status)) return record;
      const execution = record?.execution || (await newest());
      if (execution === null) return null;
      follower.look(stagesOf(await historyOf(sfn, execution)));
      const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn: execution }));
      deadFor = status === 'RUNNING' ? 0 : deadFor + 1;
      if (deadFor > 8)
        throw new StartError(
          `the release of ${packageDigest} ended ${await failureOf(sfn, execution)}`,
          'the champion, if there is one, goes on serving; mend the cause, then start again with --retrain',
          log,
        );
      return null;
    },
    {
      signal,
      everyMs: 1000,
      seconds,
      late: async () => {
        const record = await find();
        return new StartError(
          record === null
            ? `the package ${packageDigest} was offered, and no release began within ${seconds} s`
            : `release ${record.releaseId} did not end within ${seconds} s: it is ${record.status}`,
          record?.status === 'waiting-approval'
            ? `someone must approve it: "npx millwright releases approve ${record.releaseId} --reason …"`
            : 'look at it with "npx millwright releases", and at the log',
          log,
        );
      },
    },
  );
};
