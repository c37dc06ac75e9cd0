// The state of an object in a word, as far as its kind tells one.

import type { KubernetesObject } from "../api";
import type { Tone } from "../ui";
import { containersOf, isPod } from "./pods";
import type { Pod } from "./pods";

export interface ObjectStatus {
  word: string;
  tone?: Tone;
  detail?: string;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export function statusOf(object: KubernetesObject): ObjectStatus | null {
  if (object.metadata.deletionTimestamp) return { word: "Terminating", tone: "busy" };
  if (isPod(object)) return podStatus(object as Pod);
  const status = object.status as Record<string, unknown> | undefined;
  const spec = object.spec as Record<string, unknown> | undefined;
  if (object.apiVersion.startsWith("apps/")) {
    const replicas = number(object.kind === "DaemonSet" ? status?.desiredNumberScheduled : (spec?.replicas ?? 1));
    const ready = number(object.kind === "DaemonSet" ? status?.numberReady : status?.readyReplicas);
    if (replicas === null) return null;
    if (replicas === 0) return { word: "Scaled to 0", tone: "off" };
    return { word: `${ready ?? 0}/${replicas} ready`, tone: (ready ?? 0) >= replicas ? "good" : (ready ?? 0) === 0 ? "bad" : "warn" };
  }
  if (typeof status?.phase === "string") return { word: status.phase };
  const conditions = Array.isArray(status?.conditions) ? (status.conditions as Condition[]) : [];
  const condition = ["Ready", "Available", "Complete", "Failed", "Established", "Accepted"].flatMap((type) =>
    conditions.filter((one) => one.type === type),
  )[0];
  if (!condition) return null;
  const isGood = condition.status === "True" && condition.type !== "Failed";
  const isBad = condition.status === "False" || condition.type === "Failed";
  return {
    word: condition.status === "True" ? condition.type : `${condition.type}: ${condition.status}`,
    tone: isGood ? "good" : isBad ? "bad" : "warn",
    detail: isGood ? undefined : condition.reason,
  };
}

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function podStatus(pod: Pod): ObjectStatus {
  const containers = containersOf(pod).filter(({ role }) => role === "container");
  const waiting = containersOf(pod).find(
    ({ status }) =>
      status?.state?.waiting?.reason && status.state.waiting.reason !== "PodInitializing" && status.state.waiting.reason !== "ContainerCreating",
  );
  const ready = containers.filter(({ status }) => status?.ready).length;
  const restarts = containers.reduce((sum, { status }) => sum + (status?.restartCount ?? 0), 0);
  const phase = pod.status?.phase ?? "Unknown";
  const word = waiting?.status?.state?.waiting?.reason ?? pod.status?.reason ?? phase;
  const facts = [`${ready}/${containers.length} ready`];
  if (restarts > 0) facts.push(restarts === 1 ? "1 restart" : `${restarts} restarts`);
  return { word, tone: word === "Running" && ready < containers.length ? "warn" : undefined, detail: facts.join(", ") };
}
