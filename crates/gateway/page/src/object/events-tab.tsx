// The tab Events: what happened to the object, the last first, as it happens.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { KubernetesObject } from "../api";
import { Age, Button, Countdown, Empty, FailureNotice, Skeleton, ToneMark, sentence } from "../ui";
import { LiveList } from "./live-list";
import "./events.css";

interface ClusterEvent extends KubernetesObject {
  type?: string;
  reason?: string;
  message?: string;
  note?: string;
  count?: number;
  deprecatedCount?: number;
  series?: { count?: number; lastObservedTime?: string };
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  reportingComponent?: string;
  source?: { component?: string; host?: string };
  involvedObject?: { fieldPath?: string };
}

const timeOf = (event: ClusterEvent) =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? "";
const countOf = (event: ClusterEvent) => event.series?.count ?? event.count ?? event.deprecatedCount ?? 1;

export function EventsTab({ uid, namespace, name }: { uid: string; namespace?: string; name: string }) {
  const list = useMemo(
    () => new LiveList<ClusterEvent>("core/v1/events", namespace, { fieldSelector: `involvedObject.uid=${uid}` }),
    [uid, namespace],
  );
  useEffect(() => () => list.close(), [list]);
  const onlyWarnings = useSignal(false);
  const state = list.state.value;
  const events = useMemo(() => [...list.items.value].sort((one, other) => timeOf(other).localeCompare(timeOf(one))), [list.items.value]);
  if (state.state === "loading") return <Skeleton label="Loading events" />;
  if (state.state === "failed" && events.length === 0) return <FailureNotice failure={state.failure} retryAt={state.retryAt} onRetry={list.retry} />;
  const warnings = events.filter(({ type }) => type === "Warning");
  const shown = onlyWarnings.value ? warnings : events;
  return (
    <div class="pane">
      <div class="bar">
        <div class="segments" role="group" aria-label="Show">
          <button type="button" aria-pressed={!onlyWarnings.value} onClick={() => (onlyWarnings.value = false)}>
            All <span class="badge">{events.length}</span>
          </button>
          <button type="button" aria-pressed={onlyWarnings.value} onClick={() => (onlyWarnings.value = true)}>
            Warnings <span class="badge">{warnings.length}</span>
          </button>
        </div>
        <span class="space" />
        {state.state === "failed" ? (
          <span class="live off">
            {sentence(state.failure.message)} <Countdown until={state.retryAt} />
          </span>
        ) : (
          <span class="live">
            <span class="dot" /> Live
          </span>
        )}
      </div>
      {shown.length === 0 ? (
        <Empty
          icon={onlyWarnings.value ? "check" : "circle"}
          title={onlyWarnings.value && events.length > 0 ? "No warnings" : "No events"}
          actions={onlyWarnings.value && events.length > 0 ? <Button onClick={() => (onlyWarnings.value = false)}>Show all</Button> : undefined}
        >
          <p>What happens to {name} shows up here. Clusters forget events after an hour.</p>
        </Empty>
      ) : (
        <div class="object-events" role="region" aria-label={`Events of ${name}`} tabIndex={0}>
          <ul>
            {shown.map((event) => (
              <EventRow key={event.metadata.uid} event={event} />
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function EventRow({ event }: { event: ClusterEvent }) {
  const isWarning = event.type === "Warning";
  const count = countOf(event);
  const part = /\{(.+)\}/.exec(event.involvedObject?.fieldPath ?? "")?.[1];
  const source = event.reportingComponent || event.source?.component;
  return (
    <li class="object-event">
      <ToneMark tone={isWarning ? "warn" : "off"} />
      <span class={isWarning ? "object-event-reason warn" : "object-event-reason"}>
        <span class="hidden">{event.type ?? "Normal"}: </span>
        {event.reason}
      </span>
      <span class="object-event-message">{event.message ?? event.note}</span>
      <span class="object-event-facts quiet">
        {part && <span>{part}</span>}
        {source && <span>{source}</span>}
        {count > 1 && <span class="badge">{count}×</span>}
        <span class="object-event-age">
          <Age since={timeOf(event)} />
        </span>
      </span>
    </li>
  );
}
