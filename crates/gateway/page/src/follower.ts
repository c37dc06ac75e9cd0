// `Follower`: something that is read from the server for as long as it is looked at, and comes back by itself.

import { Failure, outcomes } from "./api";
import { isLookedAt, presence } from "./presence";

/** The time after which a failure that does not pass by itself is tried again, in milliseconds: an object or a kind may come. */
const RARELY = 10_000;

/** The same for what is refused, which somebody has to allow first. */
const REFUSED = 300_000;

/** The time before the nth try again, in milliseconds. */
function backoff(failures: number): number {
  return Math.min(8000, 1000 * 2 ** Math.max(0, failures - 1)) * (0.8 + 0.4 * Math.random());
}

/** The time to the next try after a failure, in milliseconds; `failures` counts those that passed by themselves. */
export function pauseAfter(failure: Failure, failures: number): number {
  if (failure.isTransient) return backoff(failures);
  return failure.isRefused ? REFUSED : RARELY;
}

export abstract class Follower {
  private run = new AbortController();
  private failures = 0;
  private retryTimer = 0;
  private isPaused = false;
  private isWaiting = false;
  /** True once nothing is read any more. */
  isClosed = false;

  /** Reads until it is done, the signal aborts it, or it fails. */
  protected abstract follow(signal: AbortSignal): Promise<void>;

  /** Takes note of a failure, and of the time of the next try. */
  protected abstract failed(failure: Failure, retryAt: number): void;

  /** To be called once by the constructor of the class that extends this one. */
  protected start(): void {
    presence.addEventListener("left", this.pause);
    presence.addEventListener("came", this.goOn);
    addEventListener("online", this.retry);
    outcomes.addEventListener("signed-in", this.retry);
    this.again();
  }

  close(): void {
    this.isClosed = true;
    this.stop();
    presence.removeEventListener("left", this.pause);
    presence.removeEventListener("came", this.goOn);
    removeEventListener("online", this.retry);
    outcomes.removeEventListener("signed-in", this.retry);
  }

  /** Tries again at once, if it waits for the next try. */
  retry = (): void => {
    if (this.isWaiting) this.again();
  };

  /** Begins anew. */
  protected again = (): void => {
    this.stop();
    if (this.isClosed) return;
    this.isPaused = !isLookedAt();
    if (!this.isPaused) void this.go();
  };

  /** Notes that the server answers. */
  protected succeeded(): void {
    this.failures = 0;
  }

  /** Ends what is read, and tries again later. */
  protected fail(failure: Failure): void {
    this.stop();
    if (failure.isTransient) this.failures++;
    const wait = pauseAfter(failure, this.failures);
    this.isWaiting = true;
    this.retryTimer = setTimeout(this.again, wait);
    this.failed(failure, Date.now() + wait);
  }

  /** Leaves the next try to `retry`, as after a failure that no try can mend. */
  protected giveUp(): void {
    clearTimeout(this.retryTimer);
  }

  /** Ends what is read. */
  protected stop(): void {
    this.run.abort();
    this.run = new AbortController();
    this.isWaiting = false;
    clearTimeout(this.retryTimer);
  }

  /** Takes what has come, before it ends while nobody looks. */
  protected settle(): void {}

  private pause = (): void => {
    this.settle();
    this.isPaused = true;
    this.stop();
  };

  private goOn = (): void => {
    if (this.isPaused) this.again();
    else this.retry();
  };

  private async go(): Promise<void> {
    const { signal } = this.run;
    try {
      await this.follow(signal);
    } catch (error) {
      if (!signal.aborted) this.fail(Failure.of(error));
    }
  }
}

/** Runs a task one at a time: a call meanwhile has it run once more at its end, for what has changed since. */
export function oneAtATime(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let isDue = false;
  const run = async () => {
    try {
      while (isDue) {
        isDue = false;
        await task();
      }
    } finally {
      running = null;
    }
  };
  return () => {
    isDue = true;
    return (running ??= run());
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
