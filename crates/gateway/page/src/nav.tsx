// The kinds to choose from, in the order in which people look for them.

import { computed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Kind } from "./api";
import { href, route } from "./router";
import { kinds, listed, namespace } from "./state";
import { Icon } from "./ui";

/** The sections of kinds that every cluster has. Kinds that are not here are in sections of their groups. */
const SECTIONS: [string, string[]][] = [
  ["Workloads", ["pods", "apps/deployments", "apps/statefulsets", "apps/daemonsets", "batch/jobs", "batch/cronjobs", "apps/replicasets", "replicationcontrollers", "autoscaling/horizontalpodautoscalers", "policy/poddisruptionbudgets"]],
  ["Network", ["services", "networking.k8s.io/ingresses", "networking.k8s.io/networkpolicies", "discovery.k8s.io/endpointslices", "endpoints", "networking.k8s.io/ingressclasses"]],
  ["Configuration", ["configmaps", "secrets", "resourcequotas", "limitranges"]],
  ["Storage", ["persistentvolumeclaims", "persistentvolumes", "storage.k8s.io/storageclasses", "storage.k8s.io/volumeattachments", "storage.k8s.io/csidrivers", "storage.k8s.io/csinodes"]],
  ["Access", ["serviceaccounts", "rbac.authorization.k8s.io/roles", "rbac.authorization.k8s.io/rolebindings", "rbac.authorization.k8s.io/clusterroles", "rbac.authorization.k8s.io/clusterrolebindings"]],
  ["Cluster", ["nodes", "namespaces", "events", "coordination.k8s.io/leases", "scheduling.k8s.io/priorityclasses", "node.k8s.io/runtimeclasses", "apiextensions.k8s.io/customresourcedefinitions", "apiregistration.k8s.io/apiservices", "admissionregistration.k8s.io/validatingwebhookconfigurations", "admissionregistration.k8s.io/mutatingwebhookconfigurations"]],
];

/** The kinds that are the same objects under another name. */
const TWINS = ["events.k8s.io/events"];

interface Section {
  title: string;
  kinds: Kind[];
  /** Groups of custom resources and rarer ones are folded at first. */
  isFolded: boolean;
}

const isBuiltIn = (group: string) => group === "" || !group.includes(".") || group.endsWith(".k8s.io");

export const sections = computed<Section[]>(() => {
  const name = (kind: Kind) => (kind.group ? `${kind.group}/${kind.resource}` : kind.resource);
  const rest = new Map(listed.value.map((kind) => [name(kind), kind]));
  TWINS.forEach((twin) => rest.delete(twin));
  const found: Section[] = [];
  for (const [title, names] of SECTIONS) {
    const members = names.flatMap((each) => rest.get(each) ?? []);
    names.forEach((each) => rest.delete(each));
    if (members.length > 0) found.push({ title, kinds: members, isFolded: title !== "Workloads" && title !== "Network" && title !== "Configuration" });
  }
  const groups = new Map<string, Kind[]>();
  for (const kind of rest.values()) {
    const title = isBuiltIn(kind.group) ? "More" : kind.group;
    groups.set(title, [...(groups.get(title) ?? []), kind]);
  }
  const others = [...groups].sort(([one], [other]) => Number(one === "More") - Number(other === "More") || (one < other ? -1 : 1));
  return [...found, ...others.map(([title, members]) => ({ title, kinds: members, isFolded: true }))];
});

/** `HorizontalPodAutoscaler` and `Ingress` as headings of many: `Horizontal Pod Autoscalers`, `Ingresses`. */
export function plural({ kind, resource }: Pick<Kind, "kind" | "resource">): string {
  const words = kind.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ");
  const letters = words.replace(/ /g, "").toLowerCase();
  if (letters === resource) return words;
  if (resource === `${letters}s`) return `${words}s`;
  if (resource === `${letters}es`) return `${words}es`;
  if (resource === `${letters.slice(0, -1)}ies`) return `${words.slice(0, -1)}ies`;
  return words;
}

export function Nav({ onChoose }: { onChoose?: () => void }) {
  const now = route.value;
  const path = now.view === "table" || now.view === "object" ? now.path : undefined;
  const current = now.view === "object" ? "true" : "page";
  const element = useRef<HTMLElement>(null);
  useEffect(() => element.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }), [path]);
  return (
    <nav class="nav" aria-label="Kinds" ref={element}>
      <a class="nav-link" href={href({ view: "overview", ns: namespace.value })} aria-current={now.view === "overview" ? "page" : undefined} onClick={onChoose}>
        <Icon name="overview" />
        Overview
      </a>
      {sections.value.map(({ title, kinds: members, isFolded }) => (
        <details key={title} open={!isFolded || members.some((kind) => kind.path === path)}>
          <summary>
            <Icon name="chevron" />
            <span>{title}</span>
          </summary>
          <ul>
            {members.map((kind) => (
              <li key={kind.path}>
                <a
                  class="nav-link"
                  href={href({ view: "table", path: kind.path, ns: kind.namespaced ? namespace.value : undefined })}
                  aria-current={kind.path === path ? current : undefined}
                  onClick={onChoose}
                >
                  {plural(kind)}
                </a>
              </li>
            ))}
          </ul>
        </details>
      ))}
      {kinds.value?.failed.map(({ groupVersion, message }) => (
        <p class="nav-failed" key={groupVersion} title={message}>
          <Icon name="warn" />
          {groupVersion} does not answer
        </p>
      ))}
    </nav>
  );
}
