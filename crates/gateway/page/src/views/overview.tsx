// The overview: what is wrong first, then nodes, workloads and pods by state, and events as they come.

import { useEffect, useMemo } from "preact/hooks";
import { Failure } from "../api";
import type { FailureBody, Overview as OverviewAnswer, Table } from "../api";
import { Live, keyOf } from "../live";
import { plural } from "../nav";
import { openPalette } from "../palette";
import { href } from "../router";
import { clusterAway, kindOf, now, session } from "../state";
import { Age, Button, Empty, FailureNotice, Skeleton, ToneMark, stateTone } from "../ui";
import type { Tone } from "../ui";
import { Card, NODES, PODS, Refused, nodeState } from "./card";
import { placeOf, textOf } from "./cells";
import { useOverview } from "./follow-overview";
import { ObjectLink } from "./object-link";
import { Problems } from "./problems";

const EVENTS = "core/v1/events";

/** The number of nodes up to which each has its name. */
const NAMED_NODES = 24;

/** The number of events that are shown. */
const MOST_EVENTS = 40;

function useEvents(namespace: string | undefined): Live {
  const live = useMemo(() => new Live(EVENTS, { namespace }, MOST_EVENTS), [namespace]);
  useEffect(() => () => live.close(), [live]);
  return live;
}

/** The overview of a namespace, or of the cluster. */
export function Overview({ ns }: { ns?: string }) {
  const live = useOverview(ns);
  const events = useEvents(ns);
  const { overview, nodes, failure } = live.known.value;
  const eventsStatus = events.status.value;
  useEffect(() => {
    clusterAway.value = eventsStatus.state === "waiting" ? eventsStatus.message : null;
    return () => void (clusterAway.value = null);
  }, [eventsStatus]);
  if (!overview) return failure ? <FailureNotice isWhole {...failure} onRetry={live.retry} /> : <Skeleton lines={14} label="Loading the overview" />;
  const refusal = refusalOf(overview);
  if (refusal) {
    return (
      <FailureNotice isWhole failure={new Failure(refusal)} retryAt={failure?.retryAt} onRetry={live.retry}>
        {refusal.code === "forbidden" && (
          <Button look="primary" onClick={() => openPalette("namespace")}>
            Choose a namespace
          </Button>
        )}
      </FailureNotice>
    );
  }
  return (
    <div class="overview">
      <header class="view-head">
        <h1>{ns ? `Overview of ${ns}` : "Overview"}</h1>
        <span class="count">{session.value?.context}</span>
        {session.value?.version && <span class="live">Kubernetes {session.value.version}</span>}
      </header>
      <div class="main-column">
        <Problems overview={overview} ns={ns} />
        {overview.nodes && <Nodes nodes={overview.nodes} table={nodes} />}
      </div>
      <div class="side-column">
        <Pods pods={overview.pods} ns={ns} />
        <Workloads workloads={overview.workloads} ns={ns} />
      </div>
      <Events live={events} ns={ns} />
    </div>
  );
}

/** The failure of all parts, if nothing can be seen. */
function refusalOf({ nodes, pods, workloads, warnings }: OverviewAnswer): FailureBody | undefined {
  const parts = [pods, ...(nodes ? [nodes] : []), warnings, ...workloads];
  return parts.every((part) => part.error) ? pods.error : undefined;
}

const TONES: Tone[] = ["bad", "warn", "busy", "good", "off"];

function Pods({ pods, ns }: { pods: OverviewAnswer["pods"]; ns?: string }) {
  if (pods.error) {
    return (
      <Card title="Pods">
        <Refused error={pods.error} />
      </Card>
    );
  }
  const states = Object.entries(pods.byStatus).map(([status, count]) => ({ status: status || "Unknown", count, tone: stateTone(status) }));
  states.sort((one, other) => TONES.indexOf(one.tone) - TONES.indexOf(other.tone) || other.count - one.count);
  return (
    <Card title="Pods" total={pods.total} path={PODS} ns={ns}>
      {pods.total === 0 ? (
        <p class="refused">No pods yet. They appear here as soon as there are some.</p>
      ) : (
        <>
          <div class="stack" aria-hidden="true">
            {states.map(({ status, count, tone }) => (
              <span key={status} class={tone} style={{ flexGrow: count }} />
            ))}
          </div>
          <ul class="legend">
            {states.map(({ status, count, tone }) => (
              <li key={status}>
                <a href={href({ view: "table", path: PODS, ns, q: status })}>
                  <ToneMark tone={tone} />
                  {status}
                  <span class="number">{count.toLocaleString("en")}</span>
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

function Nodes({ nodes, table }: { nodes: NonNullable<OverviewAnswer["nodes"]>; table: Table | null }) {
  if (nodes.error) {
    return (
      <Card title="Nodes">
        <Refused error={nodes.error} />
      </Card>
    );
  }
  const at = (name: string) => placeOf(table?.columns ?? [], name);
  const [status, roles, version] = [at("Status"), at("Roles"), at("Version")];
  const rows = table?.rows ?? [];
  const isSmall = nodes.total > NAMED_NODES;
  return (
    <Card title="Nodes" total={nodes.total} path={NODES}>
      {nodes.total === 0 && <p class="refused">This cluster has no nodes: pods have nowhere to run.</p>}
      <div class={isSmall ? "tiles small" : "tiles"}>
        {rows.map((row) => {
          const { name } = row.metadata;
          const state = textOf(row.cells[status]) || "Unknown";
          const tone: Tone = state === "Ready" ? "good" : state.startsWith("Ready") ? "warn" : "bad";
          const about = [nodeState(state), textOf(row.cells[roles]).replace("<none>", ""), textOf(row.cells[version])].filter(Boolean).join(" · ");
          const to = href({ view: "object", path: NODES, name });
          if (isSmall) {
            return (
              <a key={name} href={to} class={tone} aria-label={`${name}: ${state}`} title={`${name}: ${about}`}>
                <ToneMark tone={tone} />
              </a>
            );
          }
          return (
            <a key={name} href={to} class={tone}>
              <ToneMark tone={tone} />
              <span class="name">{name}</span>
              <span class="about">{about}</span>
            </a>
          );
        })}
      </div>
      {nodes.total > rows.length && rows.length > 0 && <p class="refused">And {(nodes.total - rows.length).toLocaleString("en")} more</p>}
    </Card>
  );
}

function Workloads({ workloads, ns }: { workloads: OverviewAnswer["workloads"]; ns?: string }) {
  return (
    <Card title="Workloads">
      <ul class="legend">
        {workloads.map((part) => {
          const kind = kindOf(part.path);
          const title = kind ? plural(kind) : part.path.split("/")[2];
          if (part.error) {
            return (
              <li key={part.path}>
                <Refused error={part.error} />
              </li>
            );
          }
          const short = part.problems.length;
          return (
            <li key={part.path}>
              <a href={href({ view: "table", path: part.path, ns })}>
                <ToneMark tone={part.total === 0 ? "off" : short > 0 ? "warn" : "good"} />
                {title}
                <span class={short > 0 ? "number short" : "number all"}>
                  {part.total === 0 ? "none" : short > 0 ? `${short} of ${part.total} not ready` : `${part.total} ready`}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function Events({ live, ns }: { live: Live; ns?: string }) {
  const revision = live.revision.value;
  const columns = live.columns.value;
  const status = live.status.value;
  const rows = useMemo(() => [...live.rows.values()].reverse().slice(0, MOST_EVENTS), [revision]);
  const at = (name: string) => placeOf(columns, name);
  const [type, reason, object, message] = [at("Type"), at("Reason"), at("Object"), at("Message")];
  return (
    <Card title="Events" path={EVENTS} ns={ns}>
      {rows.length === 0 && status.state === "loading" && <Skeleton lines={5} label="Loading events" />}
      {rows.length === 0 && status.state === "failed" && <Refused error={{ code: status.failure.code, message: status.failure.message, status: 0 }} />}
      {rows.length === 0 && (status.state === "live" || status.state === "waiting") && <Empty title="No events">They come here as they happen.</Empty>}
      <ul class="events">
        {rows.map((row) => {
          const changed = live.changed.get(row);
          return (
            <li key={keyOf(row)} class={changed !== undefined && now.peek() - changed < 2000 ? "new" : undefined}>
              <Age since={changed === undefined ? row.metadata.creationTimestamp : new Date(changed).toISOString()} />
              <ToneMark tone={textOf(row.cells[type]) === "Warning" ? "warn" : "off"} />
              <span class="reason">{textOf(row.cells[reason])}</span>
              <span class="object">
                <ObjectLink text={textOf(row.cells[object])} namespace={row.metadata.namespace} />
              </span>
              <span class="message" title={textOf(row.cells[message])}>
                {textOf(row.cells[message])}
              </span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
