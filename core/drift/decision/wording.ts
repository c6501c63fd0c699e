/** Names that a sentence says; of a whole fleet the first few. */
export const NAMED = 5;

export const few = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');

export const dayOf = (instant: string): string => instant.slice(0, 10);

/** At most two decimals; the same text on every host, since evidence is compared by its bytes. */
export const figure = (value: number): string => String(Math.round(value * 100) / 100);
