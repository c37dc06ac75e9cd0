// Watches of the cluster's API, whose events come as lines of JSON.

import { Failure, address, send } from "../api";
import type { KubernetesObject, Query } from "../api";
import { pause } from "../follower";
import { linesOf } from "./request";

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: KubernetesObject;
}

/** The time after which the server ends a watch, in seconds, so that a connection that is dead unnoticed costs no more. */
const PERIOD = 290;

/** Gives each event to `take`, until the server ends the watch: true if it can go on, false if everything is to be read anew. */
export async function watch(path: string, query: Query, signal: AbortSignal, take: (event: WatchEvent) => void): Promise<boolean> {
  const began = Date.now();
  const url = address(path, { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds: PERIOD });
  let response: Response;
  try {
    response = await send(url, { headers: { accept: "application/json" }, signal });
  } catch (error) {
    if (error instanceof Failure && error.status === 410) return false;
    throw error;
  }
  try {
    for await (const line of linesOf(response.body!)) {
      signal.throwIfAborted();
      if (!line) continue;
      const event = JSON.parse(line) as WatchEvent | { type: "ERROR"; object: { code?: number } };
      if (event.type === "ERROR") return false;
      take(event);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw error instanceof Failure ? error : Failure.of(error);
  }
  // A server that ends each watch at once is not asked without a pause.
  if (Date.now() - began < 1000) await pause(1000, signal);
  return true;
}
