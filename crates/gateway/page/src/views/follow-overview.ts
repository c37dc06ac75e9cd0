// The overview, which follows the cluster.

import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Failure, address, getOverview, getTable } from "../api";
import type { Overview, Table } from "../api";
import { Follower, oneAtATime } from "../follower";
import { readEvents } from "../stream";
import { NODES } from "./card";

/** The number of nodes that are shown. */
const MOST_NODES = 400;

interface Known {
  overview: Overview | null;
  nodes: Table | null;
  failure: { failure: Failure; retryAt: number } | null;
}

/** The overview, read again when the gateway says that it has changed. */
class LiveOverview extends Follower {
  readonly known = signal<Known>({ overview: null, nodes: null, failure: null });

  /** Of a namespace, or of all. */
  constructor(private readonly namespace: string | undefined) {
    super();
    this.start();
  }

  protected async follow(signal: AbortSignal): Promise<void> {
    const read = oneAtATime(async () => {
      const table = this.namespace ? null : getTable(NODES, { limit: MOST_NODES }, signal).catch(() => null);
      const [overview, nodes] = await Promise.all([getOverview(this.namespace, signal), table]);
      signal.throwIfAborted();
      this.known.value = { overview, nodes, failure: null };
    });
    await read();
    this.succeeded();
    await readEvents(address("/v1/overview/changes", { namespace: this.namespace }), signal, (events) => {
      // The stream breaks with what it tells of, and has the failure.
      if (events.some((event) => event.name === "overview")) read().catch(() => undefined);
    });
    throw Failure.of(undefined);
  }

  protected failed(failure: Failure, retryAt: number): void {
    this.known.value = { ...this.known.value, failure: { failure, retryAt } };
  }
}

export function useOverview(namespace: string | undefined): LiveOverview {
  const live = useMemo(() => new LiveOverview(namespace), [namespace]);
  useEffect(() => () => live.close(), [live]);
  return live;
}
