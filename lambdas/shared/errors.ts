/**
 * A step says no, with the reason: data too little, a twin already running, a gate not passed. Not a fault: nothing is
 * retried, the reason is recorded and told. Step Functions matches it by this name.
 */
export class Refused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Refused';
  }
}

/** Something that may work when tried again: a conflict, a throttle. Step Functions retries it by this name. */
export class TryAgain extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'TryAgain';
  }
}

/** The same request again: its own execution does or did the work. Nothing to do, nothing to record. */
export class Duplicate extends Error {
  constructor(what: string) {
    super(`${what} already has an execution; ask under a new id to do it again`);
    this.name = 'Duplicate';
  }
}
