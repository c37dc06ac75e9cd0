// The overview: what is wrong first, then nodes, workloads and pods by state, and events as they come.

import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Failure, getOverview, getTable, outcomes } from "../api";
import type { FailureBody, Overview as OverviewAnswer, Part, Problem, Table } from "../api";
import { HIDDEN, Live, backoff, keyOf } from "../live";
import { plural } from "../nav";
import { openPalette } from "../palette";
import { href } from "../router";
import { clusterAway, kindOf, now, session } from "../state";
import { readEvents } from "../stream";
import { Age, Button, Empty, FailureNotice, Icon, Skeleton, ToneMark, sentence, stateTone } from "../ui";
import type { Tone } from "../ui";
import { textOf } from "./cells";
import { ObjectLink } from "./object-link";

const PODS = "core/v1/pods";
const NODES = "core/v1/nodes";
const EVENTS = "core/v1/events";

/** The number of nodes that are shown, and up to which each has its name. */
const MOST_NODES = 400;
const NAMED_NODES = 24;

/** The number of events that are shown. */
const MOST_EVENTS = 40;

interface Known {
  overview: OverviewAnswer | null;
  nodes: Table | null;
  failure: { failure: Failure; retryAt: number } | null;
}

/** Reads the overview, and again when the gateway says that it has changed. */
function useOverview(): { known: Known; retry: () => void } {
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

function useEvents(): Live {
  const live = useMemo(() => new Live(EVENTS, {}, MOST_EVENTS), []);
  useEffect(() => () => live.close(), []);
  return live;
}

export function Overview() {
  const { known, retry } = useOverview();
  const events = useEvents();
  const { overview, nodes, failure } = known;
  const eventsStatus = events.status.value;
  useEffect(() => {
    clusterAway.value = eventsStatus.state === "waiting" ? eventsStatus.message : null;
    return () => void (clusterAway.value = null);
  }, [eventsStatus]);
  if (!overview) return failure ? <FailureNotice isWhole {...failure} onRetry={retry} /> : <Skeleton lines={14} label="Loading the overview" />;
  const refusal = refusalOf(overview);
  if (refusal) {
    return (
      <FailureNotice isWhole failure={new Failure(refusal)} retryAt={failure?.retryAt} onRetry={retry}>
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
        <h1>Overview</h1>
        <span class="count">{session.value?.context}</span>
        {session.value?.version && <span class="live">Kubernetes {session.value.version}</span>}
      </header>
      <div class="main-column">
        <Problems overview={overview} />
        <Nodes nodes={overview.nodes} table={nodes} />
      </div>
      <div class="side-column">
        <Pods pods={overview.pods} />
        <Workloads workloads={overview.workloads} />
      </div>
      <Events live={events} />
    </div>
  );
}

/** The failure of all parts, if nothing can be seen. */
function refusalOf({ nodes, pods, workloads, warnings }: OverviewAnswer): FailureBody | undefined {
  const parts = [pods, nodes, warnings, ...workloads];
  return parts.every((part) => part.error) ? pods.error : undefined;
}

interface CardProps {
  title: string;
  total?: number;
  path?: string;
  children: ComponentChildren;
}

function Card({ title, total, path, children }: CardProps) {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {total !== undefined && <span class="total">{total.toLocaleString("en")}</span>}
        {path && <a href={href({ view: "table", path })} aria-label={`All ${title.toLowerCase()}`}>All</a>}
      </header>
      {children}
    </section>
  );
}

/** A part that the user may not see, or that could not be read. */
function Refused({ error }: { error: FailureBody }) {
  return (
    <p class="refused">
      <Icon name={error.code === "forbidden" ? "lock" : "warn"} />
      <span title={error.message}>{sentence(error.message)}</span>
    </p>
  );
}

/** Objects of a kind with the same problem. */
interface Group {
  rank: number;
  tone: Tone;
  path: string;
  why: string;
  members: Problem[];
}

/** Problems that many objects have are one line from this number. */
const MANY = 4;

function groupsOf(overview: OverviewAnswer): Group[] {
  const groups: Group[] = [];
  const add = (part: Part<{ problems: Problem[] }>, path: string, rate: (why: string) => [number, Tone]) => {
    if (part.error) return;
    const byReason = new Map<string, Problem[]>();
    for (const problem of part.problems) {
      const why = textOf(problem.why);
      byReason.set(why, [...(byReason.get(why) ?? []), problem]);
    }
    for (const [why, members] of byReason) {
      const [rank, tone] = rate(why);
      if (members.length >= MANY) groups.push({ rank, tone, path, why, members });
      else members.forEach((member) => groups.push({ rank, tone, path, why, members: [member] }));
    }
  };
  add(overview.nodes, NODES, (why) => (/^Ready/.test(why) ? [5, "warn"] : [0, "bad"]));
  for (const part of overview.workloads) add(part, part.path, (why) => (why.startsWith("0") ? [1, "bad"] : [3, "warn"]));
  add(overview.pods, PODS, (why) => {
    const tone = stateTone(why);
    return tone === "bad" ? [2, tone] : [4, tone === "off" ? "warn" : tone];
  });
  return groups.sort((one, other) => one.rank - other.rank);
}

function Problems({ overview }: { overview: OverviewAnswer }) {
  const groups = groupsOf(overview);
  const messages = new Map<string, string>();
  if (!overview.warnings.error) {
    // The last one is first.
    for (const { namespace, object, message } of overview.warnings.last.toReversed()) messages.set(`${namespace ?? ""} ${object.toLowerCase()}`, message);
  }
  if (groups.length === 0) {
    const isAllSeen = ![overview.nodes, overview.pods, ...overview.workloads].some((part) => part.error);
    return (
      <Card title="What is wrong">
        <div class="calm">
          <ToneMark tone="good" />
          <div>
            <h2>Nothing{isAllSeen ? "" : " that you may see"}</h2>
            <p>Nodes are ready, workloads have their pods, and pods run.</p>
          </div>
        </div>
      </Card>
    );
  }
  return (
    <Card title="What is wrong" total={groups.reduce((sum, group) => sum + group.members.length, 0)}>
      <ul class="problems">
        {groups.map((group) => (
          <ProblemItem key={`${group.path} ${group.why} ${group.members[0]!.namespace} ${group.members[0]!.name}`} group={group} messages={messages} />
        ))}
      </ul>
    </Card>
  );
}

function ProblemItem({ group, messages }: { group: Group; messages: Map<string, string> }) {
  const { tone, path, why, members } = group;
  const kind = kindOf(path)?.kind ?? "";
  const isWorkload = path.startsWith("apps/");
  const shown = isWorkload ? `${why} ready` : nodeState(why);
  const link = ({ namespace, name }: Problem) => (
    <>
      <a href={href({ view: "object", path, namespace: namespace ?? undefined, name })}>{name}</a>
      {namespace && <span class="of"> in {namespace}</span>}
    </>
  );
  const [first] = members;
  const messageOf = ({ namespace, name }: Problem) => messages.get(`${namespace ?? "default"} ${kind.toLowerCase()}/${name}`.toLowerCase());
  if (members.length > 1) {
    return (
      <li>
        <ToneMark tone={tone} />
        <span class="who">
          <a href={href({ view: "table", path, q: isWorkload ? undefined : why })}>
            {members.length} {plural(kindOf(path) ?? { kind, resource: `${kind}s` }).toLowerCase()}
          </a>
        </span>
        <span class={`why ${tone}`}>{shown}</span>
        <details>
          <summary>{messageOf(first!) ?? "Which ones"}</summary>
          <ul>
            {members.map((member) => (
              <li key={`${member.namespace} ${member.name}`}>{link(member)}</li>
            ))}
          </ul>
        </details>
      </li>
    );
  }
  const message = messageOf(first!);
  return (
    <li>
      <ToneMark tone={tone} />
      <span class="who">
        <span class="of">{kind} </span>
        {link(first!)}
      </span>
      <span class={`why ${tone}`}>{shown}</span>
      {message && (
        <span class="message" title={message}>
          {message}
        </span>
      )}
    </li>
  );
}

/** The state of a node, whose word for one that takes no pods is long. */
function nodeState(status: string): string {
  return status.replace(",SchedulingDisabled", ", cordoned");
}

const TONES: Tone[] = ["bad", "warn", "busy", "good", "off"];

function Pods({ pods }: { pods: OverviewAnswer["pods"] }) {
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
    <Card title="Pods" total={pods.total} path={PODS}>
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
                <a href={href({ view: "table", path: PODS, q: status })}>
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

function Nodes({ nodes, table }: { nodes: OverviewAnswer["nodes"]; table: Table | null }) {
  if (nodes.error) {
    return (
      <Card title="Nodes">
        <Refused error={nodes.error} />
      </Card>
    );
  }
  const at = (name: string) => table?.columns.findIndex((column) => column.name === name) ?? -1;
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

function Workloads({ workloads }: { workloads: OverviewAnswer["workloads"] }) {
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
              <a href={href({ view: "table", path: part.path })}>
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

function Events({ live }: { live: Live }) {
  const revision = live.revision.value;
  const columns = live.columns.value;
  const status = live.status.value;
  const rows = useMemo(() => [...live.rows.values()].reverse().slice(0, MOST_EVENTS), [revision]);
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const [type, reason, object, message] = [at("Type"), at("Reason"), at("Object"), at("Message")];
  return (
    <Card title="Events" path={EVENTS}>
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
