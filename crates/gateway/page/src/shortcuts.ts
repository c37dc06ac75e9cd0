// The keys of the page and of its views: single keys that nothing else takes.

import { useLayoutEffect, useRef } from "preact/hooks";

/** True if keys are text for an element. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input, textarea, select, [contenteditable]") || target.closest(".screen") !== null;
}

/** True if a key is for a dialog, for the browser, or for an element that takes text. */
const isTaken = (event: KeyboardEvent): boolean =>
  event.defaultPrevented ||
  event.ctrlKey ||
  event.metaKey ||
  event.altKey ||
  document.querySelector("dialog[open]") !== null ||
  isTyping(event.target);

/**
 * Listens to all keys. The handler is that of the last render, and is there before the next key: an effect that runs after the
 * page is painted would miss the one that is pressed at once.
 */
export function useKeyDown(handler: (event: KeyboardEvent) => void, { capture = false } = {}): void {
  const latest = useRef(handler);
  latest.current = handler;
  useLayoutEffect(() => {
    const keyDown = (event: KeyboardEvent) => latest.current(event);
    addEventListener("keydown", keyDown, capture);
    return () => removeEventListener("keydown", keyDown, capture);
  }, [capture]);
}

/** Listens to keys that nothing else takes. The handler returns true for those that are its own. */
export function useShortcuts(handler: (event: KeyboardEvent) => boolean): void {
  useKeyDown((event) => {
    if (!isTaken(event) && handler(event)) event.preventDefault();
  });
}
