// `ObjectView`: an object with its tabs, and what can be done with it.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Kind, KubernetesObject } from "../api";
import { go, href } from "../router";
import { useShortcuts } from "../shortcuts";
import { gateway, session } from "../state";
import { Age, Button, Countdown, FailureNotice, Icon, Skeleton, State, Tabs, copy, sentence, stateTone } from "../ui";
import type { Tab } from "../ui";
import { Actions } from "./actions";
import { drafts } from "./drafts";
import { EventsTab } from "./events-tab";
import { LiveObject } from "./live-object";
import { LogsTab } from "./logs-tab";
import "./object.css";
import { hasPods, isPod, query } from "./pods";
import { PortsTab, hasPorts } from "./ports-tab";
import { statusOf } from "./status";
import { TerminalTab } from "./terminal-tab";
import { TreeTab } from "./tree-tab";
import { YamlTab } from "./yaml-tab";

export interface ObjectViewProps {
  kind: Kind;
  namespace?: string;
  name: string;
  tab?: string;
}

export function ObjectView({ kind, namespace, name, tab }: ObjectViewProps) {
  const now = session.value;
  const isSecret = kind.group === "" && kind.resource === "secrets";
  const isMasked = isSecret && !now?.secrets;
  const live = useMemo(() => new LiveObject(kind, namespace, name, isMasked), [kind.path, namespace, name, isMasked]);
  useEffect(() => () => live.close(), [live]);
  useEffect(() => {
    document.title = `${name} · ${kind.kind} · klient`;
  }, [name, kind.kind]);

  const object = live.object.value;
  const state = live.state.value;
  const tabs = tabsOf(object);
  const current = tabs.find(({ id }) => id === tab)?.id ?? "yaml";
  const choose = (id: string) => {
    // Logs and terminal stay at the container that was chosen.
    const kept = Object.fromEntries(["pod", "container"].flatMap((key) => (query(key) ? [[key, query(key)!]] : [])));
    go({ view: "object", path: kind.path, namespace, name, tab: id, query: kept }, { replace: true });
  };
  // The numbers choose tabs.
  useShortcuts(({ key }) => {
    const chosen = /^[1-9]$/.test(key) ? tabs[Number(key) - 1] : undefined;
    if (chosen) choose(chosen.id);
    return chosen !== undefined;
  });

  if (!object) {
    return (
      <div class="object">
        <Head kind={kind} namespace={namespace} name={name} />
        {state.state === "failed" ? (
          <FailureNotice failure={state.failure} retryAt={state.retryAt} onRetry={live.retry}>
            <Button onClick={() => go({ view: "table", path: kind.path, ns: namespace })}>All {kind.resource}</Button>
          </FailureNotice>
        ) : (
          <Skeleton lines={14} label={`Loading ${name}`} />
        )}
      </div>
    );
  }
  const writes = now?.writes === true && !isMasked;
  return (
    <div class="object">
      <Head kind={kind} namespace={namespace} name={name} object={object} isDeleted={state.state === "deleted"}>
        {writes && <Actions live={live} />}
      </Head>
      <StateStrip live={live} />
      <Tabs tabs={tabs} current={current} onChoose={choose} label={`${kind.kind} ${name}`}>
        {current === "yaml" && <YamlTab live={live} whyNot={whyNot(kind, isMasked, now?.writes === true)} isMasked={isMasked} />}
        {current === "tree" && <TreeTab live={live} />}
        {current === "events" && <EventsTab uid={object.metadata.uid} namespace={namespace} name={name} />}
        {current === "logs" && <LogsTab live={live} />}
        {current === "terminal" && <TerminalTab live={live} isAllowed={now?.exec === true} />}
        {current === "ports" && <PortsTab object={object} isAllowed={now?.exec === true} context={now?.context ?? ""} />}
      </Tabs>
    </div>
  );
}

function whyNot(kind: Kind, isMasked: boolean, writes: boolean): string | null {
  if (!writes) return "Read only: start the gateway with --allow-writes to edit";
  if (isMasked) return "Hidden values cannot be edited: start the gateway with --show-secrets";
  return kind.verbs.includes("update") ? null : "This kind cannot be changed";
}

function tabsOf(object: KubernetesObject | null): Tab[] {
  const isDraft = object !== null && drafts.value.has(object.metadata.uid);
  const tabs: Tab[] = [
    { id: "yaml", title: "YAML", badge: isDraft ? "edited" : undefined },
    { id: "tree", title: "Tree" },
    { id: "events", title: "Events" },
  ];
  if (object && hasPods(object)) {
    tabs.push({ id: "logs", title: "Logs" });
    tabs.push({ id: "terminal", title: "Terminal" });
  }
  if (object && hasPorts(object)) tabs.push({ id: "ports", title: "Ports" });
  return tabs;
}

interface HeadProps {
  kind: Kind;
  namespace?: string;
  name: string;
  object?: KubernetesObject;
  isDeleted?: boolean;
  children?: ComponentChildren;
}

function Head({ kind, namespace, name, object, isDeleted, children }: HeadProps) {
  const status = isDeleted ? { word: "Deleted", tone: "off" as const, detail: undefined } : object && statusOf(object);
  return (
    <header class="object-head">
      <div class="object-title">
        <nav class="crumbs quiet" aria-label="Place">
          <a href={href({ view: "table", path: kind.path, ns: namespace })}>{kind.kind}</a>
          {namespace && (
            <>
              <span aria-hidden="true">in</span>
              <a href={href({ view: "object", path: "core/v1/namespaces", name: namespace })}>{namespace}</a>
            </>
          )}
        </nav>
        <h1>
          <span class="object-name">{name}</span>
          <Button look="plain" icon="copy" label="Copy the name" onClick={() => copy(name, "Name copied")} />
        </h1>
        {object && (
          <p class="facts">
            {status && <State tone={status.tone ?? stateTone(status.word)}>{status.word}</State>}
            {status?.detail && <span class="quiet">{status.detail}</span>}
            <span class="quiet">
              <Age since={object.metadata.creationTimestamp} /> old
            </span>
            <Labels object={object} kind={kind} namespace={namespace} />
          </p>
        )}
      </div>
      {children && <div class="object-actions">{children}</div>}
    </header>
  );
}

/** The labels that are shown at first. */
const FIRST = 3;

function Labels({ object, kind, namespace }: { object: KubernetesObject; kind: Kind; namespace?: string }) {
  const all = useSignal(false);
  const labels = Object.entries(object.metadata.labels ?? {});
  const shown = all.value ? labels : labels.slice(0, FIRST);
  return (
    <>
      {shown.map(([key, value]) => (
        <a
          key={key}
          class="label"
          href={href({ view: "table", path: kind.path, ns: namespace, labels: `${key}=${value}` })}
          title={`All ${kind.resource} with ${key}=${value}`}
        >
          <span class="label-key">{key}</span>
          {value && <span class="label-value">{value}</span>}
        </a>
      ))}
      {labels.length > shown.length && (
        <button type="button" class="label more" onClick={() => (all.value = true)}>
          {labels.length - shown.length} more
        </button>
      )}
    </>
  );
}

/** What is wrong with the object or the way to it. */
function StateStrip({ live }: { live: LiveObject }) {
  const state = live.state.value;
  const object = live.object.value;
  if (state.state === "deleted") {
    return (
      <div class="strip" role="status">
        <Icon name="cross" />
        <span>
          {live.kind.kind} {live.name} was deleted. This is how it was last; if one of that name is created, it comes up here.
        </span>
      </div>
    );
  }
  // The banner tells it if the gateway is away.
  if (state.state === "failed" && gateway.value === "answers") {
    return (
      <div class="strip" role="status">
        <Icon name="plug" />
        <span>{sentence(state.failure.message)} The object is shown as it was last.</span>
        <span class="quiet" aria-live="off">
          <Countdown until={state.retryAt} />
        </span>
        <Button onClick={live.retry}>Try now</Button>
      </div>
    );
  }
  if (object?.metadata.deletionTimestamp) {
    const finalizers = object.metadata.finalizers as string[] | undefined;
    return (
      <div class="strip" role="status">
        <Icon name="clock" />
        <span>
          It is being deleted since <Age since={object.metadata.deletionTimestamp} />
          {finalizers?.length ? <>, and waits for {finalizers.join(", ")}</> : isPod(object) ? ", and ends its containers" : ""}.
        </span>
      </div>
    );
  }
  return null;
}
