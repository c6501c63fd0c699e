/** The instant so many days after another, or before it where they are negative; days may be broken. */
export const daysAfter = (instant: string, days: number): string =>
  new Date(Date.parse(instant) + days * 86_400_000).toISOString();
