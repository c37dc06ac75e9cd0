// Edits that are not applied, which outlive a look at another tab, and hold the page when it is closed.

import { signal } from "@preact/signals";
import type { KubernetesObject } from "../api";

export interface Draft {
  /** The object that was edited. */
  base: KubernetesObject;
  /** Its text, as it was given to edit. */
  original: string;
  text: string;
}

/** Drafts by the UID of their object. */
export const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

export function setDraft(uid: string, draft: Draft | null): void {
  const next = new Map(drafts.value);
  if (draft) next.set(uid, draft);
  else next.delete(uid);
  drafts.value = next;
}

const isChanged = (draft: Draft) => draft.text !== draft.original;

addEventListener("beforeunload", (event) => {
  if ([...drafts.value.values()].some(isChanged)) event.preventDefault();
});
