// `LogStream`: the log of a container, as it is written.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { address, apiPath, inContext, send } from "../api";
import type { Failure } from "../api";
import { Follower, pause } from "../follower";
import { linesOf } from "./request";

export interface LogSource {
  namespace: string;
  pod: string;
  container: string;
  /** The log of the container's run before this one. */
  previous?: boolean;
  /** Lines of the last seconds only. */
  sinceSeconds?: number;
  /** The number of lines to begin with. */
  tailLines?: number;
}

export interface LogLine {
  /** Counts up from the first line that was read; lines that were dropped had lower ones. */
  number: number;
  /** In RFC 3339; "" if the server told none. */
  time: string;
  text: string;
}

export type LogState =
  | { state: "loading" }
  | { state: "following" }
  /** The log is complete: the container has ended. */
  | { state: "ended" }
  /** The container does not run yet, or the connection failed. `retryAt` is in milliseconds. */
  | { state: "failed"; failure: Failure; retryAt: number };

/** The limits of what is kept; the oldest lines go first. */
const MOST_LINES = 50_000;
const MOST_CHARACTERS = 32_000_000;

/** The limit of a line; the rest is cut off here, and is in the file to download. */
const LONGEST = 32_768;

/** Lines are taken together, so that a log that is busy costs a render each time and not each line. */
const TOGETHER = 80;

export class LogStream extends Follower {
  /** Lines in blocks of `BLOCK`, so that a view renders those again only that changed. */
  readonly blocks: LogLine[][] = [];
  private readonly revisionSignal = signal(0);
  private readonly stateSignal = signal<LogState>({ state: "loading" });
  /** Counts up when lines have come. */
  readonly revision: ReadonlySignal<number> = this.revisionSignal;
  readonly state: ReadonlySignal<LogState> = this.stateSignal;

  /** The number of lines that came, and of those that were dropped since. */
  total = 0;
  dropped = 0;

  static readonly BLOCK = 200;

  private characters = 0;
  private pending: LogLine[] = [];
  private flushTimer = 0;
  /** The time of the last line, from which to go on, and how many lines had it. */
  private last = { time: "", count: 0 };

  constructor(
    readonly source: LogSource,
    /** True while the container may write more. */
    private readonly mayWrite: () => boolean,
  ) {
    super();
    this.start();
  }

  /** Goes on when the container, whose log had ended, runs again. */
  resume(): void {
    if (this.stateSignal.value.state === "ended" && !this.source.previous && this.mayWrite()) this.again();
    else this.retry();
  }

  /** Forgets the lines that came. */
  clear = (): void => {
    this.dropped = this.total;
    this.blocks.length = 0;
    this.characters = 0;
    this.revisionSignal.value++;
  };

  /** The address of the log as a file. */
  get file(): string {
    const { namespace, pod, container, previous } = this.source;
    return inContext(address(apiPath("core/v1/pods", namespace, pod, "log"), { container, previous }));
  }

  protected async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.read(signal);
      this.flush();
      // The log ends with the container, and also when the gateway or the server stops.
      if (this.source.previous || !this.mayWrite()) {
        this.stateSignal.value = { state: "ended" };
        return;
      }
      await pause(1000, signal);
    }
  }

  protected failed(failure: Failure, retryAt: number): void {
    this.flush();
    this.stateSignal.value = { state: "failed", failure, retryAt };
  }

  private async read(signal: AbortSignal): Promise<void> {
    const { namespace, pod, container, previous, sinceSeconds, tailLines } = this.source;
    const goesOn = this.last.time !== "";
    // The server sends the lines of that second again: those that were seen are left out.
    let seen = goesOn ? { ...this.last } : null;
    let repeated = 0;
    const url = address(apiPath("core/v1/pods", namespace, pod, "log"), {
      container,
      previous,
      follow: !previous,
      timestamps: true,
      sinceTime: goesOn ? this.last.time : undefined,
      sinceSeconds: goesOn ? undefined : sinceSeconds,
      tailLines: goesOn ? undefined : tailLines,
    });
    const response = await send(url, { signal });
    this.succeeded();
    this.stateSignal.value = { state: "following" };
    try {
      for await (const line of linesOf(response.body!)) {
        signal.throwIfAborted();
        const at = line.indexOf(" ");
        const hasTime = /^\d{4}-\d\d-\d\dT/.test(line);
        const time = hasTime ? line.slice(0, at < 0 ? undefined : at) : "";
        const text = hasTime ? (at < 0 ? "" : line.slice(at + 1)) : line;
        if (seen && time) {
          if (time < seen.time) continue;
          if (time === seen.time && repeated++ < seen.count) continue;
          seen = null;
        }
        if (time) this.last = { time, count: time === this.last.time ? this.last.count + 1 : 1 };
        this.push(time, text);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // The connection broke in the middle: the next one goes on after the last line.
    }
  }

  private push(time: string, text: string): void {
    const clean = text.endsWith("\r") ? text.slice(0, -1) : text;
    this.pending.push({ number: this.total++, time, text: clean.length > LONGEST ? clean.slice(0, LONGEST) : clean });
    if (!this.flushTimer) this.flushTimer = window.setTimeout(() => this.flush(), TOGETHER);
  }

  private flush(): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = 0;
    const lines = this.pending;
    if (lines.length === 0) return;
    this.pending = [];
    for (const line of lines) {
      let block = this.blocks[this.blocks.length - 1];
      if (!block || block.length >= LogStream.BLOCK) this.blocks.push((block = []));
      block.push(line);
      this.characters += line.text.length;
    }
    while (this.blocks.length > 1 && (this.blocks.length * LogStream.BLOCK > MOST_LINES || this.characters > MOST_CHARACTERS)) {
      const oldest = this.blocks.shift()!;
      this.dropped += oldest.length;
      this.characters -= oldest.reduce((sum, line) => sum + line.text.length, 0);
    }
    this.revisionSignal.value++;
  }
}
