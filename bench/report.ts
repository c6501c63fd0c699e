import { cpus } from 'node:os';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The figure should be at most this; null: only to be watched. */
  readonly goal: number | null;
  /** Instead of `goal`: the figure should be at least this. */
  readonly atLeast?: number;
  /** Least and largest of the repetitions that `value` is the median of. */
  readonly interval?: readonly [number, number];
  /** What it was measured against in the same run, and how many times that it is. */
  readonly peer?: { readonly name: string; readonly value: number };
}

export interface Report {
  readonly figure: (figure: Figure) => void;
  readonly note: (text: string) => void;
}

const round = (value: number): string =>
  value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.01 || value <= 0
        ? value.toFixed(2)
        : value.toExponential(1);

const goalText = (f: Figure): string => {
  const limit = f.atLeast ?? f.goal;
  if (limit === null) return '';
  const met = f.atLeast === undefined ? f.value <= limit : f.value >= limit;
  return `goal ${f.atLeast === undefined ? '' : '≥ '}${round(limit)} ${f.unit}`.trimEnd() + (met ? '' : '  MISSED');
};

/** Prints figures as they come: a line each for people, or a JSON object each for machines. */
export const makeReport = (json: boolean): Report => {
  if (!json) process.stdout.write(`${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}\n`);
  return {
    figure(f) {
      const ratio = f.peer === undefined ? null : f.value / f.peer.value;
      if (json) {
        const { goal: limit, atLeast, ...rest } = f;
        const line = {
          ...rest,
          ...(ratio === null ? {} : { ratio }),
          ...(limit === null ? {} : { goal: limit, met: f.value <= limit }),
          ...(atLeast === undefined ? {} : { atLeast, met: f.value >= atLeast }),
        };
        process.stdout.write(`${JSON.stringify(line)}\n`);
        return;
      }
      const goal = goalText(f);
      const interval = f.interval === undefined ? '' : `[${f.interval.map(round).join(' – ')}]`;
      const peer =
        f.peer === undefined ? '' : `${round(ratio as number)} × ${f.peer.name} (${round(f.peer.value)} ${f.unit})`;
      process.stdout.write(
        `  ${f.name.padEnd(44)} ${`${round(f.value)} ${f.unit}`.padStart(12)}  ${goal.padEnd(20)} ${peer}${interval}`.trimEnd() +
          '\n',
      );
    },
    note(text) {
      if (!json) process.stdout.write(`  … ${text}\n`);
    },
  };
};
