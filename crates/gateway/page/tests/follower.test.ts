import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Failure, outcomes } from "../src/api";

const page = Object.assign(new EventTarget(), { hidden: false });
const view = new EventTarget();
const listening = {
  addEventListener: view.addEventListener.bind(view),
  removeEventListener: view.removeEventListener.bind(view),
};
Object.assign(globalThis, { document: page, ...listening });
const { Follower, oneAtATime } = await import("../src/follower");

function show(isShown: boolean): void {
  page.hidden = !isShown;
  page.dispatchEvent(new Event("visibilitychange"));
}

/** The browser keeps the page, or shows one that it kept. */
function turnPage(name: "pagehide" | "pageshow", persisted: boolean): void {
  view.dispatchEvent(Object.assign(new Event(name), { persisted }));
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Reads until it is told how it ends. */
class Reads extends Follower {
  readonly signals: AbortSignal[] = [];
  readonly codes: string[] = [];
  end: (error?: unknown) => void = () => undefined;

  constructor() {
    super();
    this.start();
  }

  protected follow(signal: AbortSignal): Promise<void> {
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.end = (error) => (error ? reject(error) : resolve());
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  protected failed(failure: Failure): void {
    this.codes.push(failure.code);
    if (failure.code === "bad_selector") this.giveUp();
  }

  get isReading(): boolean {
    return !this.signals.at(-1)!.aborted;
  }
}

async function withTimers(run: (reads: Reads) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ["setTimeout"] });
  const reads = new Reads();
  try {
    await run(reads);
  } finally {
    reads.close();
    mock.timers.reset();
  }
}

const away = () => Failure.of(undefined);
const refusal = (code: string, status: number) => new Failure({ code, status, message: "no" });

test("what fails is tried again, soon if it may pass by itself", () =>
  withTimers(async (reads) => {
    reads.end(away());
    await turn();
    assert.deepEqual([reads.codes, reads.signals.length], [["gateway_away"], 1]);
    mock.timers.tick(1200);
    assert.equal(reads.signals.length, 2);
    for (const [code, status, wait] of [
      ["not_found", 404, 10_000],
      ["forbidden", 403, 300_000],
    ] as const) {
      const before = reads.signals.length;
      reads.end(refusal(code, status));
      await turn();
      mock.timers.tick(wait - 1);
      assert.equal(reads.signals.length, before, code);
      mock.timers.tick(1);
      assert.equal(reads.signals.length, before + 1, code);
    }
  }));

test("what is refused is asked for again after a sign-in", () =>
  withTimers(async (reads) => {
    reads.end(refusal("unauthorized", 401));
    await turn();
    outcomes.dispatchEvent(new Event("signed-in"));
    assert.deepEqual([reads.isReading, reads.signals.length], [true, 2]);
  }));

test("what no try can mend is tried again when that is asked for", () =>
  withTimers(async (reads) => {
    reads.retry();
    assert.equal(reads.signals.length, 1, "it reads already");
    reads.end(refusal("bad_selector", 400));
    await turn();
    mock.timers.tick(3_600_000);
    assert.equal(reads.signals.length, 1);
    outcomes.dispatchEvent(new Event("signed-in"));
    assert.equal(reads.signals.length, 2);
  }));

test("a page that is hidden for long reads nothing, and goes on when it is shown", () =>
  withTimers(async (reads) => {
    show(false);
    mock.timers.tick(29_000);
    show(true);
    mock.timers.tick(60_000);
    assert.deepEqual([reads.isReading, reads.signals.length], [true, 1]);
    show(false);
    mock.timers.tick(30_000);
    await turn();
    assert.deepEqual([reads.isReading, reads.codes], [false, []]);
    show(true);
    assert.deepEqual([reads.isReading, reads.signals.length], [true, 2]);
  }));

test("a page that the browser keeps for the way back reads nothing there", () =>
  withTimers(async (reads) => {
    turnPage("pagehide", false);
    assert.equal(reads.isReading, true);
    turnPage("pagehide", true);
    await turn();
    assert.deepEqual([reads.isReading, reads.codes], [false, []]);
    outcomes.dispatchEvent(new Event("signed-in"));
    assert.equal(reads.signals.length, 1);
    turnPage("pageshow", true);
    assert.deepEqual([reads.isReading, reads.signals.length], [true, 2]);
  }));

test("a page that is frozen reads nothing until it is shown", () =>
  withTimers(async (reads) => {
    show(false);
    page.dispatchEvent(new Event("freeze"));
    await turn();
    page.dispatchEvent(new Event("resume"));
    assert.equal(reads.isReading, false);
    show(true);
    assert.deepEqual([reads.isReading, reads.signals.length], [true, 2]);
  }));

test("what is closed is read no more", () =>
  withTimers(async (reads) => {
    reads.end(away());
    await turn();
    reads.close();
    mock.timers.tick(60_000);
    show(false);
    show(true);
    reads.retry();
    assert.equal(reads.signals.length, 1);
  }));

test("a task that is asked for while it runs, runs once more", async () => {
  const ends: (() => void)[] = [];
  const run = oneAtATime(() => new Promise((resolve) => ends.push(resolve)));
  const first = run();
  void run();
  void run();
  assert.equal(ends.length, 1);
  ends[0]!();
  await turn();
  assert.equal(ends.length, 2);
  ends[1]!();
  await first;
  assert.equal(ends.length, 2);
  void run();
  assert.equal(ends.length, 3);
});

test("a task that failed can be run again", async () => {
  let count = 0;
  const run = oneAtATime(() => (++count === 1 ? Promise.reject(new Error("no")) : Promise.resolve()));
  assert.equal(await run().catch((error: Error) => error.message), "no");
  await run();
  assert.equal(count, 2);
});
