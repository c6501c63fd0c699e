/** The first `most` names of a list, and how many more there are: of a whole fleet a sentence names a few. */
export const few = (names: readonly string[], most: number): string =>
  names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');
