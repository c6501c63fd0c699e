import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { modelComponentName } from '#core/contracts/release.ts';
import type { StorySource } from '#core/contracts/source.ts';
import { sendPlantEvents } from '../../plant/historian.ts';
import { lapRun } from '../../plant/machines.ts';
import type { DevicePlan, Devices } from '../devices.ts';
import { StartError } from '../errors.ts';
import { followRelease } from '../follow.ts';
import { type Champion, championOf } from '../model-steps.ts';
import { cli, lastLap, nextLap, type Plant, short } from '../plant-context.ts';
import { makeBadPackage } from './bad-package.ts';
import { Counting } from './counting.ts';
import { endOfRetrain, evaluationOf, sayComparison, secondsToStart } from './drift-retrain.ts';
import { allWithChampion, forceRelease } from './forced-release.ts';
import { asPlayed, eventsAsPlayed } from './late-truth.ts';
import { liveThrough } from './living.ts';
import { lineageOf, operators } from './people.ts';
import { sayJudgement, sayWave } from './say.ts';
import { StoryFile } from './story-file.ts';
import { judgedLine, tellTruth } from './truth.ts';

const BRISK_MS = 100;
const SLOW_MS = 1000;
/** Timings of `story.json` as people read them. */
const TIMES = [
  ['storySeconds', 'story'],
  ['outcomeToRetrainSeconds', 'last needed outcome to retrain'],
  ['badWaveToRevertedSeconds', 'bad wave to all back'],
] as const;

export interface StoryDeps {
  readonly plant: Plant;
  readonly devices: Devices;
  readonly plan: readonly DevicePlan[];
  /** Which machines these are: their seed, or a digest of their frames. */
  readonly identity: string;
}

/** The story after the first pass: machines change, outcomes come late, and what the platform makes of it. */
export class Story {
  private readonly plant: Plant;
  private readonly devices: Devices;
  private readonly plan: readonly DevicePlan[];
  private readonly file: StoryFile;

  constructor({ plant, devices, plan, identity }: StoryDeps) {
    this.plant = plant;
    this.devices = devices;
    this.plan = plan;
    this.file = new StoryFile(plant.stateDir, plant.modelLine, identity);
  }

  /** Why there is nothing to tell; null when there is. */
  private source(): StorySource | string {
    const { played, options } = this.plant;
    if (options.devices < 2) return 'it takes two devices';
    const source = played.source.story?.(options.devices) ?? { none: `${played.source.name} have none` };
    return 'none' in source ? source.none : source;
  }

  /**
   * @returns whether there is a story; without one the machines are left to the caller.
   * @throws {StartError} when a part does not end as it must; a later start goes on from there.
   */
  async tell(): Promise<boolean> {
    const { teller, stateDir, summary } = this.plant;
    const source = this.source();
    if (typeof source === 'string') {
      teller.line(`  – no story after the first pass: ${source}`);
      return false;
    }
    if (this.file.state.finished) {
      await teller.step('story', async () => ['told at an earlier start; --fresh tells it again', null]);
      this.goOn(source, SLOW_MS);
      await this.sum();
      return true;
    }
    teller.line();
    teller.line(teller.paint('bold', 'The loop closes'));
    const from = performance.now();
    await this.devices.machines.rest();
    const counting = new Counting(this.devices, lastLap(stateDir) + 1);
    const before = await this.championNow();
    await this.live(source);
    await this.learn(source, before);
    this.goOn(source, BRISK_MS);
    await this.release();
    const champion = await this.championNow();
    await this.force(champion);
    await this.restOfTruth(source);
    await operators(this.plant, this.failed(source));
    const { sum, sample } = await teller.step('every decision counted', async () => {
      const counted = await counting.close(this.plant, this.devices, champion.packageDigest);
      return [`${counted.sum.told} told to the line, each with its record; ${counted.sum.held} held`, counted];
    });
    if (sample !== null)
      await teller.step('lineage of a decision', async () => [await lineageOf(this.plant, sample), null]);
    await this.noFurtherRetrain();
    summary.push(['decisions of the story', `${sum.told} told with a record, ${sum.held} held, none lost`]);
    this.file.timing('storySeconds', (performance.now() - from) / 1000);
    this.file.note({ finished: true });
    this.goOn(source, SLOW_MS);
    await this.sum();
    return true;
  }

  /** Runs of the story that came to their end by a failure, as the machines played them. */
  private failed(source: StorySource): ReadonlySet<string> {
    const { lived } = this.file.state;
    const ended = source.runs.flat().filter((r) => r.remainingAtEnd === 0);
    return new Set(ended.map((r) => `${r.asset}/${lapRun(r.run, lived?.lap ?? 0, 0)}`));
  }

  private async championNow(): Promise<Champion> {
    const champion = await championOf(this.plant);
    if (champion === null) throw new Error('the story begins after the first model serves');
    return champion;
  }

  /** What the machines do from the change on, while the rest is told. */
  private goOn(source: StorySource, paceMs: number): void {
    const { machines } = this.devices;
    void machines.rest().then(() => {
      machines.setPace(paceMs);
      void machines.play(nextLap(this.plant.stateDir), { repeat: true, runs: source.after });
    });
  }

  private async live(source: StorySource): Promise<void> {
    const { teller, clients, names, stateDir } = this.plant;
    const { lived } = this.file.state;
    if (lived !== null) {
      await teller.step('wear and a change', async () => ['lived through at an earlier start', null]);
      return;
    }
    await teller.step('wear and a change', async () => {
      const { machines } = this.devices;
      await machines.rest();
      const lived = { lap: nextLap(stateDir), moved: machines.moved(source.runs) };
      const announcements = source.announcements.map((e) => asPlayed(e, lived));
      await sendPlantEvents(clients.lambda, names.plantEvents.name, announcements);
      await liveThrough(this.plant, this.devices, source, lived.lap);
      this.file.note({ lived });
      const runs = source.runs.flat();
      const frames = runs.reduce((n, r) => n + r.frames.length, 0);
      this.file.fact(`${source.change}; ${runs.length} lives, ${frames} frames`);
      return [`${source.change}; ${runs.length} lives, ${frames} frames decided`, null];
    });
  }

  /** Outcomes are told, the judge asks for a retrain by itself, and that makes a challenger or says why not. */
  private async learn(source: StorySource, before: Champion): Promise<void> {
    const { lived } = this.file.state;
    if (lived === null) throw new Error('outcomes are told of runs that were lived through');
    this.devices.machines.setPace(SLOW_MS);
    const events = eventsAsPlayed(source.runs, lived);
    while (this.file.state.challenger === null) {
      const requestId = this.file.state.requestId ?? (await this.tellUntilAsked(events, before));
      await this.retrain(requestId);
    }
  }

  private async tellUntilAsked(events: readonly PlantEvent[], before: Champion): Promise<string> {
    const { teller } = this.plant;
    const { told, inVain } = this.file.state;
    return teller.step('late truth', async () => {
      const truth = await tellTruth(this.plant, before.packageDigest, events, {
        told,
        inVain,
        onTold: (n) => this.file.note({ told: n }),
        onState: (judgement) => teller.happened(judgement.state, sayJudgement(judgement)),
      });
      const { requestId, outcomes } = truth;
      const seconds = await secondsToStart(this.plant, requestId, truth.lastNeededAt);
      this.file.timing('outcomeToRetrainSeconds', seconds);
      this.file.note({ requestId });
      const { meanLoss, expectedLoss, worstAsset } = truth.judgement;
      this.file.fact(
        `outcome ${outcomes} asked for a retrain: loss ${meanLoss?.toFixed(2)} where ${expectedLoss.toFixed(2)} is expected, worst on ${worstAsset}`,
      );
      return [
        `${truth.told} events, up to ${truth.latestDays.toFixed(0)} days late; outcome ${outcomes} asks`,
        requestId,
      ];
    });
  }

  /** The retrain to its end: a challenger, or, after a fault, nothing yet. @throws {StartError} when it was refused. */
  private async retrain(requestId: string): Promise<void> {
    const { teller, played } = this.plant;
    await teller.step('retrain by itself', async () => {
      const record = await endOfRetrain(this.plant, requestId);
      if (record.status === 'failed' || record.status === 'skipped') {
        this.file.note({ requestId: null, inVain: [...this.file.state.inVain, requestId] });
        return [`${record.status} at ${record.step}: the champion stays, more outcomes may ask again`, null];
      }
      if (record.status !== 'candidate' || record.packageDigest === null)
        throw new StartError(
          `the retrain ${requestId} was ${record.status} at ${record.step}: ${record.detail}`,
          `the champion goes on serving; look at it with "npx millwright explain ${requestId}"`,
        );
      const report = await evaluationOf(this.plant, record.snapshotDigest);
      const met = report === null ? 'no evaluation is on record' : sayComparison(report);
      this.file.note({ challenger: record.packageDigest });
      this.file.fact(`RMSE of challenger against champion (${played.useCase.label.unit}): ${met}`);
      return [met, null];
    });
  }

  /** A release that was cut off is recorded as failed, and its devices are back: it is asked for anew. */
  private async releaseAgain(challenger: string): Promise<{ readonly releaseId?: string }> {
    const { registry, teller, modelLine } = this.plant;
    const newest = (await registry.bodies('release')).find((r) => r['packageDigest'] === challenger);
    if (newest?.['status'] !== 'failed') return {};
    teller.happened('again', `release ${newest.id} failed`);
    // Devices that had adopted it take it again only as a way back.
    const { releaseId } = await cli<{ releaseId: string }>(
      this.plant,
      'release-again',
      'releases',
      'revert',
      modelLine,
      '--to',
      challenger,
      '--reason',
      `release ${newest.id} was cut off`,
    );
    return { releaseId };
  }

  /** The challenger through bench and waves. */
  private async release(): Promise<void> {
    const { teller } = this.plant;
    const { challenger, released } = this.file.state;
    if (challenger === null || released !== null) return;
    await teller.step('release in waves', async () => {
      const again = await this.releaseAgain(challenger);
      const release = await followRelease(this.plant, { packageDigest: challenger, ...again }, 600);
      for (const wave of release.waves) teller.happened(`ring ${wave.ring}`, sayWave(wave));
      if (release.status !== 'released')
        throw new StartError(
          `the challenger's release ${release.releaseId} was ${release.status}: ${release.reason}`,
          `the champion goes on serving; look at each ring with "npx millwright explain ${release.releaseId}"`,
        );
      this.file.note({ released: challenger });
      const verdicts = release.waves.map((w) => `ring ${w.ring} ${w.verdict}`).join(', ');
      this.file.fact(`the challenger was released: ${verdicts}`);
      return [`${short(challenger)} serves on ${release.waves.length} rings`, null];
    });
  }

  /** An operator forces a package of the right shape with the wrong scaling; its decisions stop it. */
  private async force(champion: Champion): Promise<void> {
    const { teller, modelLine } = this.plant;
    if (this.file.state.reverted) return;
    await teller.step('a bad package is forced', async () => {
      // Anew also after a cut: devices take no release number twice.
      const packageDigest = await makeBadPackage(this.plant, champion);
      // With a bench device to spare the operator skips it.
      const rings = this.plan.filter((d) => this.plan.length < 3 || d.ring > 0);
      const { release, running, seconds } = await forceRelease(this.plant, packageDigest, rings);
      const stopped = release.waves.find((w) => w.verdict === 'revert');
      const shadow = stopped?.shadow ?? null;
      if (release.status !== 'reverted' || stopped === undefined || shadow === null)
        throw new StartError(
          `the bad package was ${release.status}${stopped === undefined ? '' : ' without a comparison of decisions'}: ${release.reason}`,
          `look at each ring with "npx millwright explain ${release.releaseId}"`,
        );
      for (const wave of release.waves) teller.happened(`ring ${wave.ring}`, sayWave(wave));
      if (running.size === 0)
        throw new StartError(
          `Greengrass never reported ${modelComponentName(modelLine)} as running: the package was not stopped by its decisions`,
          `look at it with "npx millwright explain ${release.releaseId}"`,
        );
      const devices = await allWithChampion(this.plant, champion);
      this.file.note({ reverted: true });
      if (seconds !== null) this.file.timing('badWaveToRevertedSeconds', seconds);
      this.file.fact(
        `a forced package ran on ring ${stopped.ring}, did not decide as the champion does, and was taken back: ${devices} devices are with the champion`,
      );
      return [
        `RUNNING on ${running.size} of ${rings.length}, stopped at ring ${stopped.ring}${seconds === null ? '' : `, all back in ${seconds.toFixed(0)} s`}`,
        null,
      ];
    });
  }

  /** What is still to be known about runs of before: it changes nothing any more. */
  private async restOfTruth(source: StorySource): Promise<void> {
    const { teller, clients, names } = this.plant;
    const { lived } = this.file.state;
    if (lived === null) return;
    await teller.step('the rest of the truth', async () => {
      // All of it once more: what is known is known already.
      const events = eventsAsPlayed(source.runs, lived);
      await sendPlantEvents(clients.lambda, names.plantEvents.name, events);
      const judged = await judgedLine(this.plant);
      return [`${events.length} events, most for the second time; ${judged?.judgement.state ?? 'not judged'}`, null];
    });
  }

  /** At the end of the story, when the judge had the time to answer to what was told twice. */
  private async noFurtherRetrain(): Promise<void> {
    const { teller, registry, modelLine } = this.plant;
    await teller.step('retrains', async () => {
      const asked = (await registry.bodies('retrain')).filter(
        (r) => r['cause'] === 'drift' && r['modelLine'] === modelLine,
      );
      const expected = 1 + this.file.state.inVain.length;
      if (asked.length !== expected)
        throw new StartError(
          `outcomes called for ${expected} retrains, ${asked.length} are on record: ${asked.map((r) => r.id).join(', ')}`,
          'this is a fault of the platform: keep the state folder and tell its makers',
        );
      return [`${expected} asked for by outcomes, none by what was told twice`, null];
    });
  }

  /** One line for each model line: what happened and why. */
  private async sum(): Promise<void> {
    const { registry, modelLine, summary } = this.plant;
    const { facts, timings } = this.file.state;
    for (const line of await registry.bodies('model-line')) {
      const champion = line['champion'] as Champion | null;
      if (champion === null) summary.push([line.id, 'no model yet: its machines are not played here']);
      else if (line.id !== modelLine) summary.push([line.id, `${short(champion.packageDigest)} serves`]);
      else {
        summary.push([line.id, `${short(champion.packageDigest)} serves; what happened and why:`]);
        for (const fact of facts) summary.push(['', fact]);
      }
    }
    const told = TIMES.flatMap(([name, says]) => (timings[name] === undefined ? [] : [`${says} ${timings[name]} s`]));
    if (told.length > 0) summary.push(['times', told.join(', ')]);
  }
}
