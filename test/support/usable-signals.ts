import type { Frame } from '#core/contracts/frame.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { usableSamples, usableValue } from '#core/features/engine/decode.ts';

/** Signals of a frame that features may use. */
export const usableSignals = (frame: Frame, signals: readonly SignalDefinition[]): readonly string[] =>
  signals
    .filter((signal) => {
      const given = frame.signals[signal.name];
      return signal.kind === 'scalar'
        ? !Number.isNaN(usableValue(given, signal))
        : usableSamples(given, signal) !== undefined;
    })
    .map((signal) => signal.name);
