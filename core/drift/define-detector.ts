import type { z } from 'zod';
import type { AlarmingDetector, DetectorDefinition, Watched } from './detector.ts';

/** A number that may be chosen: its default, and the range in which it makes sense. */
export interface OptionRange {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Only whole numbers. */
  readonly whole?: true;
}

/** A detector written as pure functions of a plain state: everything else follows from them. */
export interface DetectorRule<State, Option extends string> {
  readonly name: string;
  readonly watches: Watched;
  readonly says: string;
  readonly source: string;
  readonly options: Readonly<Record<Option, OptionRange>>;
  /** @returns what is wrong with options that are each in their range; null when nothing is. */
  problem?(options: Readonly<Record<Option, number>>): string | null;
  /** Plain JSON: no NaN, no infinity. */
  readonly state: z.ZodType<State>;
  start(options: Readonly<Record<Option, number>>): State;
  step(state: State, x: number, options: Readonly<Record<Option, number>>): State;
  value(state: State, options: Readonly<Record<Option, number>>): number;
  inAlarm(state: State, options: Readonly<Record<Option, number>>): boolean;
}

/** Beyond this the squares that variances are made of are no numbers any more. */
const LARGEST = 1e120;

const EXPECTED: Readonly<Record<Watched, readonly [says: string, holds: (x: number) => boolean]>> = {
  error: ['an error of 0 or 1', (x) => x === 0 || x === 1],
  loss: ['an observation in [0, 1]; bound the loss before', (x) => x >= 0 && x <= 1],
  value: [`a number within ±${LARGEST}`, (x) => Math.abs(x) <= LARGEST],
};

class RuleDetector<State, Option extends string> implements AlarmingDetector<RuleDetector<State, Option>> {
  readonly #rule: DetectorRule<State, Option>;
  readonly #options: Readonly<Record<Option, number>>;
  readonly #state: State;

  constructor(rule: DetectorRule<State, Option>, options: Readonly<Record<Option, number>>, state: State) {
    this.#rule = rule;
    this.#options = options;
    this.#state = state;
  }

  get value(): number {
    return this.#rule.value(this.#state, this.#options);
  }

  get inAlarm(): boolean {
    return this.#rule.inAlarm(this.#state, this.#options);
  }

  /** @throws {RangeError} when the observation is none of what the detector watches. */
  update(x: number): RuleDetector<State, Option> {
    const [says, holds] = EXPECTED[this.#rule.watches];
    if (!holds(x)) throw new RangeError(`${this.#rule.name}: expected ${says}, got ${x}`);
    return new RuleDetector(this.#rule, this.#options, this.#rule.step(this.#state, x, this.#options));
  }

  reset(): RuleDetector<State, Option> {
    return new RuleDetector(this.#rule, this.#options, this.#rule.start(this.#options));
  }

  toJSON(): unknown {
    return { detector: this.#rule.name, options: this.#options, state: this.#state };
  }
}

const checked = <State, Option extends string>(
  rule: DetectorRule<State, Option>,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<Option, number>> => {
  const names = Object.keys(rule.options) as Option[];
  const unknown = Object.keys(given).find((name) => !names.includes(name as Option));
  if (unknown !== undefined)
    throw new RangeError(`${rule.name}: no option "${unknown}"; there is: ${names.join(', ')}`);
  const options = {} as Record<Option, number>;
  for (const name of names) {
    const { default: otherwise, min, max, whole } = rule.options[name];
    const value = given[name] ?? otherwise;
    if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
      throw new RangeError(
        `${rule.name}: expected ${name} to be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, got ${value}`,
      );
    options[name] = value;
  }
  const problem = rule.problem?.(options) ?? null;
  if (problem !== null) throw new RangeError(`${rule.name}: ${problem}`);
  return options;
};

/** Makes a detector of its rule: options are checked, observations too, and its JSON gives it back with the same bits. */
export const defineDetector = <State, Option extends string>(
  rule: DetectorRule<State, Option>,
): DetectorDefinition<RuleDetector<State, Option>> => ({
  name: rule.name,
  watches: rule.watches,
  says: rule.says,
  source: rule.source,
  defaults: Object.fromEntries(Object.entries<OptionRange>(rule.options).map(([name, o]) => [name, o.default])),
  start: (given = {}) => {
    const options = checked(rule, given);
    return new RuleDetector(rule, options, rule.start(options));
  },
  restore: (json) => {
    const { detector, options, state } = (json ?? {}) as Readonly<Record<string, unknown>>;
    if (detector !== rule.name)
      throw new RangeError(`${rule.name}: expected what its toJSON gave, got one of ${JSON.stringify(detector)}`);
    const parsed = rule.state.safeParse(state);
    if (!parsed.success)
      throw new RangeError(
        `${rule.name}: expected what its toJSON gave, but its state is none: ${parsed.error.message}`,
      );
    return new RuleDetector(rule, checked(rule, (options ?? {}) as Readonly<Record<string, unknown>>), parsed.data);
  },
});
