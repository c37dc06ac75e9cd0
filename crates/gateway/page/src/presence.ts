// Whether somebody may look at the page: one that nobody looks at has no connections, of which browsers have six for a server.
//
// - *hidden*: another tab is in front, for longer than a glance;
// - *frozen*: the browser stops the scripts of a page that is hidden for long, and not its connections;
// - *left*: the browser keeps a page for the way back, with its connections.

/** The time for which a hidden page keeps its connections, in milliseconds. */
const HIDDEN = 30_000;

/** Listeners of the events `left`, when nobody looks at the page, and `came`, when somebody looks at it again. */
export const presence = new EventTarget();

let isPresent = true;
let timer = 0;

/** True unless the last event was `left`. */
export const isLookedAt = (): boolean => isPresent;

function leave(): void {
  clearTimeout(timer);
  if (!isPresent) return;
  isPresent = false;
  presence.dispatchEvent(new Event("left"));
}

function come(): void {
  clearTimeout(timer);
  isPresent = true;
  presence.dispatchEvent(new Event("came"));
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(leave, HIDDEN);
  else come();
});
document.addEventListener("freeze", leave);
document.addEventListener("resume", () => {
  if (!document.hidden) come();
});
addEventListener("pagehide", ({ persisted }) => {
  if (persisted) leave();
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) come();
});
