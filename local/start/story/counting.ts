import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { AnsweredFrame } from '../../plant/machines.ts';
import { decisionsOf } from '../decisions.ts';
import type { Devices } from '../devices.ts';
import { StartError } from '../errors.ts';
import type { Plant } from '../plant-context.ts';
import { untilRegistered } from '../wait.ts';
import { type Account, account, frameKey } from './account.ts';

const LAP = /-l(\d+)(?:r\d+)?$/;
const lapOf = (run: string): number => Number(LAP.exec(run)?.[1] ?? 0);

export interface Counted {
  readonly sum: Account;
  /** The last decision of the package that was asked for; null when it made none. */
  readonly sample: DecisionRecord | null;
}

/** Notes what the line is told from here on. */
export class Counting {
  private readonly told = new Map<string, Pick<AnsweredFrame, 'id' | 'verdict'>>();
  private readonly firstLap: number;
  private readonly end: () => void;

  /** @param firstLap laps from this one on are counted. */
  constructor(devices: Devices, firstLap: number) {
    this.firstLap = firstLap;
    this.end = devices.listen(({ asset, ack, id, verdict }) => {
      if (lapOf(ack.run) >= firstLap) this.told.set(frameKey({ asset, ...ack }), { id, verdict });
    });
  }

  /**
   * Lets the machines rest, waits until all they were told is uploaded, and holds it against the records.
   * @param packageDigest of which one decision is wanted.
   * @throws {StartError} when a decision was told without a record, recorded without being told, or told otherwise.
   */
  async close(plant: Plant, devices: Devices, packageDigest: string): Promise<Counted> {
    await devices.machines.rest();
    this.end();
    await this.uploaded(plant);
    const since = Date.parse(plant.startedAt);
    const records = (await decisionsOf(plant, since)).filter((d: DecisionRecord) => lapOf(d.run) >= this.firstLap);
    const sum = account(this.told, records);
    const wrong = [
      ['told without a record', sum.unrecorded],
      ['told otherwise than recorded', sum.different],
      ['recorded twice', sum.doubled],
      ['recorded and never told', sum.untold],
    ] as const;
    const found = wrong.filter(([, frames]) => frames.length > 0);
    if (found.length > 0)
      throw new StartError(
        found
          .map(([what, frames]) => `${frames.length} decisions were ${what}: ${frames.slice(0, 3).join(', ')}`)
          .join('; '),
        'this is a fault of the platform: keep the state folder and tell its makers',
      );
    const sample = records.findLast((d) => d.packageDigest === packageDigest && d.value !== null) ?? null;
    return { sum, sample };
  }

  private async uploaded(plant: Plant): Promise<void> {
    const { registry, teller } = plant;
    let missing = this.told.size;
    await untilRegistered(
      plant,
      async () => {
        const ranges = new Map<string, (readonly [number, number])[]>();
        for (const o of await registry.bodies('decision-object')) {
          const boot = `${o['site']}/${o['device']}/${o['boot']}`;
          ranges.set(boot, [...(ranges.get(boot) ?? []), [Number(o['firstSequence']), Number(o['lastSequence'])]]);
        }
        missing = [...this.told.values()].filter(({ id }) => {
          const at = id.lastIndexOf('/');
          const sequence = Number(id.slice(at + 1));
          return !(ranges.get(id.slice(0, at)) ?? []).some(([first, last]) => first <= sequence && sequence <= last);
        }).length;
        teller.progress(`counting: ${this.told.size - missing} of ${this.told.size} decisions registered`);
        return missing === 0;
      },
      {
        by: 'record-decisions',
        seconds: 120,
        late: () => `${missing} of ${this.told.size} decisions that the line was told were not registered`,
      },
    );
  }
}
