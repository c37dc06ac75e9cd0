// `Follower`: something that is read from the server for as long as it is looked at, and comes back by itself.

import { Failure, outcomes } from "../api";
import { backoff } from "../live";

/** A page that nobody looks at gives its connection back after this time: browsers have six for a server. */
const HIDDEN = 30_000;

/** The time after which a failure that does not pass by itself is tried again, in milliseconds. */
const RARELY = 10_000;

export abstract class Follower {
  private run = new AbortController();
  private failures = 0;
  private retryTimer = 0;
  private hiddenTimer = 0;
  private isClosed = false;
  private isPaused = false;
  private isWaiting = false;

  /** Reads until it is done, the signal aborts it, or it fails. */
  protected abstract follow(signal: AbortSignal): Promise<void>;

  /** Takes note of a failure, and of the time of the next try. */
  protected abstract failed(failure: Failure, retryAt: number): void;

  /** To be called once by the constructor of the class that extends this one. */
  protected start(): void {
    document.addEventListener("visibilitychange", this.look);
    addEventListener("online", this.retry);
    outcomes.addEventListener("signed-in", this.retry);
    this.again();
  }

  close(): void {
    this.isClosed = true;
    this.stop();
    document.removeEventListener("visibilitychange", this.look);
    removeEventListener("online", this.retry);
    outcomes.removeEventListener("signed-in", this.retry);
    clearTimeout(this.hiddenTimer);
  }

  /** Tries again at once, if it waits for the next try. */
  retry = (): void => {
    if (this.isWaiting) this.again();
  };

  /** Begins anew. */
  protected again = (): void => {
    this.stop();
    if (!this.isClosed) void this.go();
  };

  /** Notes that the server answers. */
  protected succeeded(): void {
    this.failures = 0;
  }

  private stop(): void {
    this.run.abort();
    this.run = new AbortController();
    this.isWaiting = false;
    clearTimeout(this.retryTimer);
  }

  private async go(): Promise<void> {
    const { signal } = this.run;
    try {
      await this.follow(signal);
    } catch (error) {
      if (signal.aborted || this.isClosed) return;
      const failure = Failure.of(error);
      const wait = failure.isTransient ? backoff(++this.failures) : RARELY;
      this.isWaiting = true;
      this.retryTimer = window.setTimeout(this.again, wait);
      this.failed(failure, Date.now() + wait);
    }
  }

  private look = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = window.setTimeout(() => {
        this.isPaused = true;
        this.stop();
      }, HIDDEN);
    } else if (this.isPaused) {
      this.isPaused = false;
      this.again();
    } else {
      this.retry();
    }
  };
}

/** Waits, unless the signal aborts it, which throws. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
