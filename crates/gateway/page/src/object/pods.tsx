// The pods of an object, and the choice of one and of its container.

import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { KubernetesObject } from "../api";
import { go, route } from "../router";
import { Empty, FailureNotice, Skeleton } from "../ui";
import type { ComponentChildren } from "preact";
import { LiveList } from "./live-list";
import type { LiveObject } from "./live-object";

interface ContainerSpec {
  name: string;
  image?: string;
  ports?: { name?: string; containerPort: number; protocol?: string }[];
}

export interface ContainerStatus {
  name: string;
  restartCount?: number;
  ready?: boolean;
  state?: { waiting?: { reason?: string; message?: string }; running?: { startedAt?: string }; terminated?: { reason?: string; exitCode?: number } };
}

export interface Pod extends KubernetesObject {
  spec: {
    containers: ContainerSpec[];
    initContainers?: ContainerSpec[];
    ephemeralContainers?: ContainerSpec[];
  };
  status?: {
    phase?: string;
    reason?: string;
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
    ephemeralContainerStatuses?: ContainerStatus[];
  };
}

export interface Container extends ContainerSpec {
  role: "container" | "init" | "ephemeral";
  status?: ContainerStatus;
}

/** The containers of a pod, those that run all the time first. */
export function containersOf(pod: Pod): Container[] {
  const of = (role: Container["role"], specs: ContainerSpec[] = [], statuses: ContainerStatus[] = []) =>
    specs.map((spec) => ({ ...spec, role, status: statuses.find(({ name }) => name === spec.name) }));
  const { spec, status } = pod;
  return [
    ...of("container", spec.containers, status?.containerStatuses),
    ...of("init", spec.initContainers, status?.initContainerStatuses),
    ...of("ephemeral", spec.ephemeralContainers, status?.ephemeralContainerStatuses),
  ];
}

/** The state of a container in a word or two. */
export function containerState({ status }: Container): string {
  const state = status?.state;
  if (state?.running) return "running";
  if (state?.terminated) return state.terminated.reason ?? "ended";
  return state?.waiting?.reason ?? "waiting";
}

export const isRunning = (container: Container | undefined): boolean => container?.status?.state?.running !== undefined;

/** The label selector of the pods of an object; null if the object has none. */
export function podSelector(object: KubernetesObject): string | null {
  const selector = (object.spec as { selector?: unknown } | undefined)?.selector as Record<string, unknown> | undefined;
  if (!selector) return null;
  const labels = (selector.matchLabels ?? (selector.matchExpressions ? {} : selector)) as Record<string, unknown>;
  const expressions = (selector.matchExpressions ?? []) as { key: string; operator: string; values?: string[] }[];
  const terms = Object.entries(labels).flatMap(([key, value]) => (typeof value === "string" ? [`${key}=${value}`] : []));
  for (const { key, operator, values = [] } of expressions) {
    if (operator === "In") terms.push(`${key} in (${values.join(",")})`);
    else if (operator === "NotIn") terms.push(`${key} notin (${values.join(",")})`);
    else if (operator === "Exists") terms.push(key);
    else if (operator === "DoesNotExist") terms.push(`!${key}`);
  }
  return terms.length > 0 ? terms.join(",") : null;
}

export const isPod = (object: KubernetesObject) => object.apiVersion === "v1" && object.kind === "Pod";

/** True if an object is a pod, or selects pods. */
export const hasPods = (object: KubernetesObject) => isPod(object) || (object.metadata.namespace !== undefined && podSelector(object) !== null);

/** Changes parameters of the tab in the address. */
export function setQuery(change: Record<string, string | undefined>): void {
  const now = route.value;
  if (now.view !== "object") return;
  const query = Object.fromEntries(Object.entries({ ...now.query, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined));
  go({ ...now, query }, { replace: true });
}

export function query(key: string): string | undefined {
  const now = route.value;
  return now.view === "object" ? now.query?.[key] : undefined;
}

interface WithPodProps {
  live: LiveObject;
  /** What the pod is for, such as "logs". */
  what: string;
  children: (pod: Pod, container: Container, choosers: ComponentChildren) => ComponentChildren;
}

/** Shows something of the container that the address names, or of the first one, with the choice of another. */
export function WithPod({ live, what, children }: WithPodProps) {
  const object = live.object.value;
  if (!object) return <Skeleton label="Loading the object" />;
  if (isPod(object)) return <OfPod pods={[object as Pod]} pod={object as Pod} render={children} />;
  return <OfSelector object={object} what={what} render={children} />;
}

function OfSelector({ object, what, render }: { object: KubernetesObject; what: string; render: WithPodProps["children"] }) {
  const selector = podSelector(object) ?? "";
  const namespace = object.metadata.namespace;
  const list = useMemo(() => new LiveList<Pod>("core/v1/pods", namespace, { labelSelector: selector }), [selector, namespace]);
  useEffect(() => () => list.close(), [list]);
  const pods = useComputed(() => [...list.items.value].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name)));
  const state = list.state.value;
  if (state.state === "loading") return <Skeleton label="Loading the pods" />;
  if (state.state === "failed" && pods.value.length === 0) {
    return <FailureNotice failure={state.failure} retryAt={state.retryAt} onRetry={list.retry} />;
  }
  const named = query("pod");
  const found =
    pods.value.find((pod) => pod.metadata.name === named) ??
    (named ? undefined : (pods.value.find((pod) => pod.status?.phase === "Running") ?? pods.value[0]));
  if (!found && pods.value.length === 0) {
    return (
      <Empty title="No pods">
        <p>
          {object.kind} {object.metadata.name} has no pods now. Its {what} are here as soon as it has one.
        </p>
      </Empty>
    );
  }
  if (!found) {
    return (
      <Empty title={`Pod ${named} is gone`} actions={<PodChooser pods={pods.value} pod={null} />}>
        <p>Choose another one.</p>
      </Empty>
    );
  }
  return <OfPod pods={pods.value} pod={found} render={render} />;
}

function OfPod({ pods, pod, render }: { pods: Pod[]; pod: Pod; render: WithPodProps["children"] }) {
  const containers = containersOf(pod);
  const standard = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const container = containers.find(({ name }) => name === query("container")) ?? containers.find(({ name }) => name === standard) ?? containers[0];
  if (!container) return <Empty title="The pod has no containers" />;
  const choosers = (
    <>
      {pods.length > 1 || query("pod") ? <PodChooser pods={pods} pod={pod} /> : null}
      <label class="choose">
        <span class="hidden">Container</span>
        <select class="input" value={container.name} onChange={(event) => setQuery({ container: event.currentTarget.value })}>
          {containers.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name}
              {one.role === "container" ? "" : ` (${one.role})`} · {containerState(one)}
            </option>
          ))}
        </select>
      </label>
    </>
  );
  return <>{render(pod, container, choosers)}</>;
}

function PodChooser({ pods, pod }: { pods: Pod[]; pod: Pod | null }) {
  return (
    <label class="choose">
      <span class="hidden">Pod</span>
      <select class="input" value={pod?.metadata.name ?? ""} onChange={(event) => setQuery({ pod: event.currentTarget.value, container: undefined })}>
        {!pod && <option value="">Pod…</option>}
        {pods.map(({ metadata, status }) => (
          <option key={metadata.name} value={metadata.name}>
            {metadata.name} · {status?.phase ?? "Unknown"}
          </option>
        ))}
      </select>
    </label>
  );
}
