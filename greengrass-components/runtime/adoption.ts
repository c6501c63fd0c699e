import type { AdoptAnswer, RuntimeConfig } from '#core/contracts/device.ts';
import { PackageLoader } from './package-loader.ts';
import type { Serving, StoreState } from './package-store.ts';
import type { RuntimeDeps } from './runtime-deps.ts';
import { ServingUnit } from './serving-unit.ts';

/** What adoption asks of the runtime it belongs to. */
export interface AdoptionHost {
  config(): RuntimeConfig;
  configure(config: RuntimeConfig): void;
  /** What serves; null while the fallback answers. */
  unit(): ServingUnit | null;
  serve(unit: ServingUnit): void;
  /** Null: the last refusal is over, for a package was adopted since. */
  noteRefusal(refusal: { readonly packageDigest: string; readonly reason: string } | null): void;
  report(): void;
}

const TAKEN_BACK = 'its release took it back';

/** Which package serves, through adoptions, withdrawals and restarts; one change at a time. */
export class Adoption {
  readonly #deps: RuntimeDeps;
  readonly #host: AdoptionHost;
  readonly #loader: PackageLoader;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: RuntimeDeps, host: AdoptionHost) {
    this.#deps = deps;
    this.#host = host;
    this.#loader = new PackageLoader(deps);
  }

  #now(): string {
    return new Date(this.#deps.clock()).toISOString();
  }

  #noteRefusal(packageDigest: string, reason: string): void {
    this.#host.noteRefusal({ packageDigest, reason });
  }

  /** Changes of what serves wait for each other. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#last.then(change);
    this.#last = next.catch(() => {});
    return next;
  }

  /** Loads a package from the store; null when it is no longer whole. */
  resume(serving: Serving): Promise<ServingUnit | null> {
    return this.#loader.resume(serving, this.#host.config());
  }

  /**
   * Serves again what served last. What is damaged in the store is adopted anew from the artifacts it came from; only
   * then does the last good package take its place. When the record itself cannot be read, the packages that lie there
   * are adopted anew, the newest first: each says by its signature what it is.
   */
  async takeUp(): Promise<void> {
    const { store, log } = this.#deps;
    const problem = store.problem();
    const { serving, previous } = this.takeBack();
    if (serving !== null && (await this.#serveStored(serving))) return;
    if (serving !== null && serving.source !== '' && (await this.#adopt(serving.source, serving.packageDigest)).adopted)
      return;
    const { withdrawn, revertTo } = this.#host.config();
    // A package that was taken back leaves its place only to the one that was there before its release.
    const mayGoBack = serving !== null || previous?.packageDigest === revertTo;
    if (previous !== null && mayGoBack && (await this.goBackTo(previous))) {
      if (serving !== null)
        this.#noteRefusal(serving.packageDigest, 'it is damaged here; the last good package serves');
      return;
    }
    if (problem === null) {
      if (serving === null && withdrawn !== '') this.#noteRefusal(withdrawn, TAKEN_BACK);
      return;
    }
    log('error', 'the record of what serves cannot be read; packages that are here are adopted anew', { problem });
    for (const digest of store.remains()) if ((await this.#adopt(store.path(digest), digest, '')).adopted) return;
    this.#noteRefusal('', `the record of what serves cannot be read and no whole package is here: ${problem}`);
  }

  async #serveStored(serving: Serving): Promise<boolean> {
    const unit = await this.resume(serving);
    if (unit !== null) this.#host.serve(unit);
    return unit !== null;
  }

  /** Serves the last good package as the only one there is. @returns whether it can. */
  async goBackTo(previous: Serving): Promise<boolean> {
    // The registry is told of an adoption by its instant: this is a new one.
    const serving = { ...previous, adoptedAt: this.#now() };
    const unit = await this.resume(serving);
    if (unit === null) return false;
    if (!this.#isWanted(unit.manifest.modelLine, serving.packageDigest)) {
      unit.close();
      return false;
    }
    const { store } = this.#deps;
    store.setState({ ...store.state(), serving, previous: null });
    this.#host.serve(unit);
    return true;
  }

  /**
   * Serves the last good package by a process that runs already: no frame falls back meanwhile.
   * @param ready the package as it ran beside; it is used up.
   * @returns whether it can.
   */
  goBackWith(ready: ServingUnit, previous: Serving): boolean {
    const serving = { ...previous, adoptedAt: this.#now() };
    const unit = this.#isWanted(ready.manifest.modelLine, serving.packageDigest) ? ready.servingAnew(serving) : null;
    if (unit === null) {
      ready.close();
      return false;
    }
    const { store } = this.#deps;
    store.setState({ ...store.state(), serving, previous: null });
    this.#host.serve(unit);
    return true;
  }

  /** Takes a package that its release took back out of the store. @returns the state that is left. */
  takeBack(): StoreState {
    const { store, log } = this.#deps;
    const { withdrawn } = this.#host.config();
    const state = store.state();
    const isIt = (s: Serving | null): boolean => s !== null && s.packageDigest === withdrawn;
    if (!isIt(state.serving) && !isIt(state.previous)) return state;
    const left: StoreState = {
      ...state,
      serving: isIt(state.serving) ? null : state.serving,
      previous: isIt(state.previous) ? null : state.previous,
    };
    store.setState(left);
    log('warn', 'a package was taken back by its release', { packageDigest: withdrawn });
    this.#noteRefusal(withdrawn, TAKEN_BACK);
    return left;
  }

  /**
   * Takes a package into service, or says why not; what serves goes on serving until then, and if not, after.
   * @param dir folder with the package's files.
   * @param digest package digest that the deployment names.
   */
  adopt(dir: string, digest: string): Promise<AdoptAnswer> {
    return this.inTurn(() => this.#adopt(dir, digest));
  }

  /** @param source folder to adopt it from again should it be damaged; empty = none. */
  async #adopt(dir: string, digest: string, source = dir): Promise<AdoptAnswer> {
    const { store, log } = this.#deps;
    let staged: string | null = null;
    try {
      this.#host.configure(await this.#deps.readConfig());
      const current = this.#host.unit();
      if (current?.packageDigest === digest && current.isLoaded) {
        const { variant } = current.serving;
        const known = store.state();
        if (known.serving !== null && known.serving.source !== source)
          store.setState({ ...known, serving: { ...known.serving, source } });
        return { adopted: true, packageDigest: digest, variant, reason: 'already serving' };
      }
      staged = store.stage(dir, this.#deps.chance());
      const state = store.state();
      const verdict = this.#loader.verify(staged, digest, {
        config: this.#host.config(),
        now: this.#now(),
        serving: state.serving,
      });
      if (!verdict.ok) return this.#refuse(digest, verdict.reason);
      const { manifest } = verdict;
      const tried = await this.#loader.tryVariants(manifest, staged);
      if (!tried.ok) return this.#refuse(digest, tried.reason);
      if (!this.#isWanted(manifest.modelLine, digest)) {
        tried.runner.close();
        return this.#refuse(digest, 'the configuration changed meanwhile: it is not wanted here any more');
      }
      const serving: Serving = {
        packageDigest: digest,
        variant: tried.runner.variant,
        releaseNumber: manifest.releaseNumber,
        adoptedAt: this.#now(),
        bench: [...tried.bench],
        source,
      };
      const baseline = this.#loader.baseline(manifest, staged);
      store.commit(staged, digest);
      store.setState({
        serving,
        previous: this.#lastGood(state, serving),
        highestRelease: {
          ...state.highestRelease,
          [manifest.modelLine]: Math.max(state.highestRelease[manifest.modelLine] ?? 0, manifest.releaseNumber),
        },
      });
      this.#host.serve(new ServingUnit(manifest, serving, baseline, tried.runner));
      this.#host.noteRefusal(null);
      log('info', 'adopted', { packageDigest: digest, variant: serving.variant, bench: serving.bench });
      this.#host.report();
      return { adopted: true, packageDigest: digest, variant: serving.variant, reason: tried.reason };
    } catch (error) {
      return this.#refuse(digest, (error as Error).message);
    } finally {
      if (staged !== null) store.discard(staged);
    }
  }

  /** Loading takes a while, in which the device may be given to another line, or the package be taken back. */
  #isWanted(modelLine: string, digest: string): boolean {
    const config = this.#host.config();
    return modelLine === config.modelLine && digest !== config.withdrawn;
  }

  /**
   * What may take the place of a package that turns out bad: never one that was gone back from. The champion stays, also
   * behind a package that was only tried: the next one is held against it.
   */
  #lastGood({ serving, previous }: StoreState, next: Serving): Serving | null {
    const { packageDigest: champion } = this.#host.config().shadow;
    const isChampionBefore = previous?.packageDigest === champion;
    const isSame = serving === null || serving.packageDigest === next.packageDigest;
    const last = isSame || isChampionBefore ? previous : serving;
    return last !== null && last.releaseNumber < next.releaseNumber ? last : null;
  }

  #refuse(digest: string, reason: string): AdoptAnswer {
    this.#deps.log('warn', 'refused a package', { packageDigest: digest, reason });
    this.#noteRefusal(digest, reason);
    this.#host.report();
    return { adopted: false, packageDigest: digest, variant: null, reason };
  }
}
