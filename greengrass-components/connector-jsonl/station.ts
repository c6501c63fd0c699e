import { z } from 'zod';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { ConnectorIntake } from '#core/contracts/device.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import type { QualityFinding } from '#core/contracts/quality.ts';
import { Reading } from '#core/contracts/reading.ts';
import { type Intake, type IntakeState, makeIntake } from '#core/frames/intake.ts';
import { pointsOf } from '#core/frames/reading.ts';

export interface StationDeps {
  readonly site: string;
  /** The machine at the address. */
  readonly asset: string;
  readonly intake: ConnectorIntake;
  /** Asks the runtime; the answer is durable when it comes. Rejects with name ContractError when the frame is none. */
  readonly decide: (frame: unknown) => Promise<DecisionRecord>;
  /** State as it was kept last; null on a new device. */
  readonly load: () => string | null;
  /** Keeps state and hands on what was found, both or neither. @throws {Error} when the disk does not take it. */
  readonly keep: (state: string, handOn: HandOn) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void;
}

export interface HandOn {
  readonly findings: readonly QualityFinding[];
  readonly observations: readonly Observation[];
}

/** Written by this class only: of its shape as much is checked as tells another version's from its own. */
const Kept = z.strictObject({
  version: z.literal(1),
  session: z.string(),
  n: z.int().nonnegative(),
  /** What of the framing frames are counted by: an assembler goes on only with the same. */
  framing: z.string(),
  intakes: z.record(
    z.string(),
    z.custom<IntakeState>((v) => typeof v === 'object' && v !== null),
  ),
});
type Kept = z.infer<typeof Kept>;

/** What makes frames of a run count as they do: the rest of a framing may change within a run. */
const countingOf = (framing: ConnectorIntake['framing']): string =>
  JSON.stringify(
    framing === undefined ? null : [framing.everySeconds, framing.runSignal ?? null, framing.contextSignal ?? null],
  );

/** A test stand has many assets pass over one address; those that were not seen for the longest are forgotten. */
const MAX_ASSETS = 200;

interface Waiting {
  readonly kept: () => void;
  readonly lost: (error: Error) => void;
}

/**
 * What comes from one machine, on its way to the runtime: checked, and put together to frames where values come one by
 * one. Each value counts once: a reading is answered when it, and what came of it, are on the disk; what is sent again
 * after that is passed over, what was not kept is taken anew.
 */
export class Station {
  readonly #deps: StationDeps;
  readonly #framing: string;
  #session = '';
  #n = 0;
  #intakes = new Map<string, Intake>();
  #handOn: { findings: QualityFinding[]; observations: Observation[] } = { findings: [], observations: [] };
  /** What was found in whole frames: they do not wait for the disk and come but once, so it is never given up. */
  #ofFrames: QualityFinding[] = [];
  #waiting: Waiting[] = [];
  #isDirty = false;
  /** Counts how often what was taken had to be given up: what stood in line then is of a connection that ends. */
  #fresh = 0;
  /** Readings, one after the other, and what keeps them. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: StationDeps) {
    this.#deps = deps;
    this.#framing = countingOf(deps.intake.framing);
    this.#restore();
  }

  #restore(): void {
    this.#intakes.clear();
    this.#handOn = { findings: [], observations: [] };
    this.#isDirty = false;
    const kept = this.#read();
    this.#session = kept?.session ?? '';
    this.#n = kept?.n ?? 0;
    for (const [asset, state] of Object.entries(kept?.intakes ?? {}))
      this.#open(asset, kept?.framing === this.#framing ? state : { ...state, assembler: null });
  }

  #read(): Kept | null {
    const text = this.#deps.load();
    if (text === null) return null;
    try {
      return parseAs(Kept, JSON.parse(text), 'kept state');
    } catch (error) {
      const { message } = error as Error;
      this.#deps.log('error', 'what was kept cannot be read; checks and blocks begin anew', { error: message });
      return null;
    }
  }

  #open(asset: string, state?: IntakeState): Intake {
    const { site, intake } = this.#deps;
    const made = makeIntake({ site, asset, ...intake }, state);
    this.#intakes.set(asset, made);
    return made;
  }

  #intakeOf(asset: string): Intake {
    const known = this.#intakes.get(asset);
    if (known === undefined) {
      const [oldest] = this.#intakes.keys();
      if (this.#intakes.size >= MAX_ASSETS && oldest !== undefined) this.#intakes.delete(oldest);
      return this.#open(asset);
    }
    this.#intakes.delete(asset);
    this.#intakes.set(asset, known);
    return known;
  }

  /** A frame that came whole: the runtime gets it with the qualities that it has after the checks. */
  async decide(document: unknown): Promise<DecisionRecord> {
    const frame = Frame.safeParse(document);
    // The runtime says what is wrong with it.
    if (!frame.success) return this.#deps.decide(document);
    const checked = await this.#inTurn(() => {
      this.#isDirty = true;
      return this.#intakeOf(frame.data.asset).takeFrame(frame.data);
    });
    this.#ofFrames.push(...checked.findings);
    return this.#deps.decide(checked.frame);
  }

  /**
   * Takes a reading. Resolves when it is kept.
   * @param tell what the runtime decided about a frame that it completed.
   * @throws {ContractError} when it is no reading, or the device does not know how to frame: sending it again will not
   * help.
   * @throws {Error} when it could not be kept: send it again, with all that came after it.
   */
  async read(document: unknown, tell: (decision: DecisionRecord) => void): Promise<void> {
    const reading = parseAs(Reading, document, 'reading');
    if (this.#deps.intake.framing === undefined)
      throw new ContractError('reading', [
        'framing: expected one in the configuration of the connector, there is none',
      ]);
    const fresh = this.#fresh;
    await this.#inTurn(() => {
      if (fresh !== this.#fresh) throw new Error('a reading before it could not be kept');
      return this.#take(reading, tell);
    });
    if (this.#isDirty) await new Promise<void>((kept, lost) => this.#waiting.push({ kept, lost }));
  }

  async #take(reading: Reading, tell: (decision: DecisionRecord) => void): Promise<void> {
    if (reading.session === this.#session && reading.n <= this.#n) return;
    this.#isDirty = true;
    const { asset, clock, intake } = this.#deps;
    try {
      for (const { observation, samples } of pointsOf(reading, intake.signals, { asset, receivedTime: clock() })) {
        const taken = this.#intakeOf(observation.asset).take(observation, samples);
        if (samples === undefined) this.#handOn.observations.push(taken.observation);
        this.#handOn.findings.push(...taken.findings);
        for (const frame of taken.frames) await this.#decideMade(frame, tell);
      }
      this.#session = reading.session;
      this.#n = reading.n;
    } catch (error) {
      this.#giveUp(error as Error);
      throw error;
    }
  }

  async #decideMade(frame: Frame, tell: (decision: DecisionRecord) => void): Promise<void> {
    try {
      tell(await this.#deps.decide(frame));
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'ContractError') throw error;
      this.#deps.log('error', 'the runtime refused a frame that was put together', {
        asset: frame.asset,
        error: message,
      });
    }
  }

  /** Back to what is on the disk: all that was taken since will be sent again. */
  #giveUp(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#fresh += 1;
    this.#restore();
    for (const w of waiting) w.lost(error);
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Looks for silence, then keeps what came since the last time and hands on what was found. */
  keep(): Promise<void> {
    return this.#inTurn(() => {
      for (const intake of this.#intakes.values()) {
        const silent = intake.flush(this.#deps.clock());
        if (silent.length > 0) this.#isDirty = true;
        this.#handOn.findings.push(...silent);
      }
      if (!this.#isDirty && this.#ofFrames.length === 0) return;
      const intakes = Object.fromEntries([...this.#intakes].map(([asset, intake]) => [asset, intake.state]));
      const kept: Kept = { version: 1, session: this.#session, n: this.#n, framing: this.#framing, intakes };
      try {
        const { findings, observations } = this.#handOn;
        this.#deps.keep(JSON.stringify(kept), { findings: [...this.#ofFrames, ...findings], observations });
      } catch (error) {
        this.#deps.log('error', 'what came could not be kept', { error: (error as Error).message });
        this.#giveUp(error as Error);
        return;
      }
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#handOn = { findings: [], observations: [] };
      this.#ofFrames = [];
      this.#isDirty = false;
      for (const w of waiting) w.kept();
    });
  }
}
