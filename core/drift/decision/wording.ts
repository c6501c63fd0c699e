/** Names that a sentence says. */
export const NAMED = 5;

export const dayOf = (instant: string): string => instant.slice(0, 10);

/** At most two decimals; the same text on every host, since evidence is compared by its bytes. */
export const figure = (value: number): string => String(Math.round(value * 100) / 100);
