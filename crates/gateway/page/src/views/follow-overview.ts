// The overview, which follows the cluster.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failure, getOverview, getTable, outcomes } from "../api";
import type { Overview, Table } from "../api";
import { HIDDEN, backoff } from "../live";
import { readEvents } from "../stream";
import { NODES } from "./card";

/** The number of nodes that are shown. */
const MOST_NODES = 400;

interface Known {
  overview: Overview | null;
  nodes: Table | null;
  failure: { failure: Failure; retryAt: number } | null;
}

/** Reads the overview, and again when the gateway says that it has changed. */
export function useOverview(): { known: Known; retry: () => void } {
  const known = useSignal<Known>({ overview: null, nodes: null, failure: null });
  const tries = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    let isReading = false;
    let isStale = false;
    const read = async () => {
      // One at a time: what changes meanwhile is read at the end.
      if (isReading) {
        isStale = true;
        return;
      }
      isReading = true;
      try {
        const [overview, nodes] = await Promise.all([getOverview(signal), getTable(NODES, { limit: MOST_NODES }, signal).catch(() => null)]);
        known.value = { overview, nodes, failure: null };
      } finally {
        isReading = false;
      }
      if (isStale) {
        isStale = false;
        await read();
      }
    };
    let failures = 0;
    let timer = 0;
    const follow = async () => {
      try {
        await read();
        failures = 0;
        await readEvents("/v1/overview/changes", signal, (events) => {
          if (events.some((event) => event.name === "overview") && !document.hidden) read().catch(() => undefined);
        });
        throw Failure.of(undefined);
      } catch (error) {
        if (signal.aborted) return;
        const wait = backoff(++failures);
        known.value = { ...known.value, failure: { failure: Failure.of(error), retryAt: Date.now() + wait } };
        timer = window.setTimeout(follow, wait);
      }
    };
    const again = () => {
      if (known.value.failure) tries.value++;
    };
    // A page that nobody looks at gives its connection back.
    let hiding = 0;
    const look = () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = window.setTimeout(() => stop.abort(), HIDDEN);
      else if (signal.aborted || known.value.failure) tries.value++;
      else read().catch(() => undefined);
    };
    outcomes.addEventListener("signed-in", again);
    document.addEventListener("visibilitychange", look);
    void follow();
    return () => {
      stop.abort();
      clearTimeout(timer);
      clearTimeout(hiding);
      outcomes.removeEventListener("signed-in", again);
      document.removeEventListener("visibilitychange", look);
    };
  }, [tries.value]);
  return { known: known.value, retry: () => tries.value++ };
}
