// The tab Tree: the owners of the object above it, and what it owns below.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { getObject } from "../api";
import type { Failure, ObjectAnswer } from "../api";
import { Live } from "../live";
import { go, href } from "../router";
import { Button, Empty, FailureNotice, Icon, Skeleton, State, sentence, stateTone, toneOf } from "../ui";
import type { Tone } from "../ui";
import { placeOf, textOf } from "../views/cells";
import { familyOf, sizeOf, tally } from "./family";
import type { Member } from "./family";
import { Follower, pause } from "../follower";
import type { LiveObject } from "./live-object";
import { isPod, podSelector } from "./pods";
import { statusOf } from "./status";
import "./tree.css";

/** The time after which relations are read again, in milliseconds; soon when the object or its pods change. */
const PERIOD = 60_000;

/** The least time between two reads: the gateway lists all kinds for each. */
const LEAST = 3000;

class Relations extends Follower {
  readonly answer = signal<ObjectAnswer | null>(null);
  readonly failure = signal<{ failure: Failure; retryAt: number } | null>(null);
  private wake: (() => void) | null = null;

  constructor(private readonly live: LiveObject) {
    super();
    this.start();
  }

  /** Reads again soon. */
  refresh = (): void => this.wake?.();

  protected async follow(signal: AbortSignal): Promise<void> {
    const { kind, namespace, name } = this.live;
    for (;;) {
      this.answer.value = await getObject(kind.path, namespace, name, {}, signal);
      this.failure.value = null;
      this.succeeded();
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      // Changes that come together cost one request.
      await pause(LEAST, signal);
      await Promise.race([woken, pause(PERIOD, signal)]);
    }
  }

  protected failed(failure: Failure, retryAt: number): void {
    this.failure.value = { failure, retryAt };
  }
}

type MemberState = { word: string; tone: Tone };

/** The rows of what a workload owns, by the labels that it selects. */
function useRows(live: LiveObject): Live[] {
  const object = live.object.value;
  const namespace = object?.metadata.namespace;
  const selector = object && namespace && !isPod(object) ? podSelector(object) : null;
  const isDeployment = object?.kind === "Deployment";
  const rows = useMemo(() => {
    if (!selector) return [];
    const paths = isDeployment ? ["core/v1/pods", "apps/v1/replicasets"] : ["core/v1/pods"];
    return paths.map((path) => new Live(path, { namespace, labelSelector: selector }));
  }, [selector, namespace, isDeployment]);
  useEffect(() => () => rows.forEach((one) => one.close()), [rows]);
  return rows;
}

/** The states of rows by their UID, in the words of the server's columns. */
function statesOf(rows: Live[]): Map<string, MemberState> {
  const found = new Map<string, MemberState>();
  for (const live of rows) {
    const at = (name: string) => placeOf(live.columns.value, name);
    const [status, ready, desired] = [at("Status"), at("Ready"), at("Desired")];
    for (const { metadata, cells } of live.rows.values()) {
      const cell = (index: number) => textOf(cells[index]);
      if (status >= 0) {
        const word = cell(status);
        const tone = toneOf("Status", word) ?? "off";
        const isUnready = tone === "good" && toneOf("Ready", cell(ready)) !== "good";
        found.set(metadata.uid, isUnready ? { word: `${word}, ${cell(ready)} ready`, tone: "warn" } : { word, tone });
      } else if (desired >= 0) {
        const ratio = `${cell(ready)}/${cell(desired)}`;
        found.set(
          metadata.uid,
          cell(desired) === "0" ? { word: "scaled to 0", tone: "off" } : { word: `${ratio} ready`, tone: toneOf("Ready", ratio) ?? "off" },
        );
      }
    }
  }
  return found;
}

export function TreeTab({ live }: { live: LiveObject }) {
  const relations = useMemo(() => new Relations(live), [live]);
  useEffect(() => () => relations.close(), [relations]);
  const rows = useRows(live);
  const revision = rows.map((one) => one.revision.value).join();
  const version = live.object.value?.metadata.resourceVersion;
  useEffect(() => relations.refresh(), [version, revision]);

  const object = live.object.value;
  const states = useMemo(() => {
    const found = statesOf(rows);
    const status = object && statusOf(object);
    if (status) found.set(object.metadata.uid, { word: status.word, tone: status.tone ?? stateTone(status.word) });
    return found;
  }, [object, rows, revision]);

  const answer = relations.answer.value;
  const failure = relations.failure.value;
  if (!answer) return failure ? <FailureNotice {...failure} onRetry={relations.retry} /> : <Skeleton label="Loading owners and what is owned" />;
  const top = familyOf(answer, live.kind.path);
  const problems = answer.problems.filter(({ part }) => part !== "events");
  const self = find(top) ?? top;
  return (
    <div class="pane">
      <div class="bar">
        <strong>{live.name}</strong>
        <span class="quiet">{sizeOf(self.children) === 0 ? "owns nothing" : `owns ${tally(self.children)}`}</span>
        <span class="space" />
        {failure && (
          <span class="live off">
            <Icon name="warn" /> {sentence(failure.failure.message)}
          </span>
        )}
        <Button icon="refresh" label="Look again now" onClick={relations.refresh} />
      </div>
      {problems.map(({ part, error }) => (
        <p class="note warn" key={part}>
          <Icon name="lock" /> {part}: {sentence(error.message)}
        </p>
      ))}
      {top.isSelf && top.children.length === 0 ? (
        <Empty title="It stands alone">
          <p>
            {live.kind.kind} {live.name} has no owner, and owns no objects that are known here.
          </p>
        </Empty>
      ) : (
        <Tree top={top} states={states} />
      )}
    </div>
  );
}

function find(member: Member): Member | null {
  if (member.isSelf) return member;
  for (const child of member.children) {
    const found = find(child);
    if (found) return found;
  }
  return null;
}

interface Shown {
  member: Member;
  level: number;
  parent: string | null;
  place: number;
  siblings: number;
}

/** The limit of children of one that are shown at first. */
const FIRST = 50;

function Tree({ top, states }: { top: Member; states: Map<string, MemberState> }) {
  const closed = useSignal<ReadonlySet<string>>(new Set());
  const whole = useSignal<ReadonlySet<string>>(new Set());
  const focused = useSignal<string | null>(null);
  const element = useRef<HTMLDivElement>(null);

  const rows: (Shown | { more: string; count: number; level: number })[] = [];
  const add = (member: Member, level: number, parent: string | null, place: number, siblings: number) => {
    rows.push({ member, level, parent, place, siblings });
    if (closed.value.has(member.uid)) return;
    const isWhole = whole.value.has(member.uid) || member.children.length <= FIRST + 1;
    const children = isWhole ? member.children : member.children.slice(0, FIRST);
    children.forEach((child, index) => add(child, level + 1, member.uid, index + 1, member.children.length));
    if (!isWhole) rows.push({ more: member.uid, count: member.children.length - FIRST, level: level + 1 });
  };
  add(top, 1, null, 1, 1);
  const members = rows.filter((row): row is Shown => "member" in row);
  const current = members.find(({ member }) => member.uid === focused.value) ?? members.find(({ member }) => member.isSelf) ?? members[0]!;

  const focus = (uid: string) => {
    focused.value = uid;
    element.current?.querySelector<HTMLElement>(`[data-uid="${CSS.escape(uid)}"]`)?.focus();
  };
  const toggle = (uid: string, isClosed: boolean) => {
    const next = new Set(closed.value);
    if (isClosed) next.add(uid);
    else next.delete(uid);
    closed.value = next;
  };
  const keyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = members.indexOf(current);
    const { member, parent } = current;
    const isOpen = member.children.length > 0 && !closed.value.has(member.uid);
    switch (event.key) {
      case "ArrowDown":
      case "j":
        if (members[at + 1]) focus(members[at + 1]!.member.uid);
        break;
      case "ArrowUp":
      case "k":
        if (members[at - 1]) focus(members[at - 1]!.member.uid);
        break;
      case "Home":
        focus(members[0]!.member.uid);
        break;
      case "End":
        focus(members[members.length - 1]!.member.uid);
        break;
      case "ArrowRight":
        if (isOpen) focus(member.children[0]!.uid);
        else if (member.children.length > 0) toggle(member.uid, false);
        break;
      case "ArrowLeft":
        if (isOpen) toggle(member.uid, true);
        else if (parent) focus(parent);
        break;
      case "Enter":
        if (member.path && !member.isSelf) go(addressOf(member));
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class="tree" ref={element}>
      <ul role="tree" aria-label="Owners and what is owned" onKeyDown={keyDown}>
        {rows.map((row) => {
          if (!("member" in row)) {
            return (
              <li key={`more${row.more}`} role="none" style={{ "--level": String(row.level) }} class="tree-more">
                <button type="button" tabIndex={-1} onClick={() => (whole.value = new Set(whole.value).add(row.more))}>
                  Show {row.count.toLocaleString()} more
                </button>
              </li>
            );
          }
          const { member, level, place, siblings } = row;
          const isClosed = closed.value.has(member.uid);
          const state = states.get(member.uid);
          return (
            <li
              key={member.uid}
              role="treeitem"
              data-uid={member.uid}
              aria-level={level}
              aria-posinset={place}
              aria-setsize={siblings}
              aria-expanded={member.children.length > 0 ? !isClosed : undefined}
              aria-current={member.isSelf || undefined}
              tabIndex={member === current.member ? 0 : -1}
              class={member.isSelf ? "tree-row self" : "tree-row"}
              style={{ "--level": String(level) }}
              onClick={(event) => {
                focused.value = member.uid;
                if (!(event.target as Element).closest("a")) toggle(member.uid, !isClosed && member.children.length > 0);
              }}
            >
              <span class={member.children.length > 0 ? "tree-toggle" : "tree-toggle leaf"} aria-hidden="true">
                {member.children.length > 0 && <Icon name="chevron" class={isClosed ? undefined : "open"} />}
              </span>
              <span class="tree-kind">{member.kind}</span>{" "}
              {member.path && !member.isSelf ? (
                <a class="tree-name" href={addressOf(member)} tabIndex={-1}>
                  {member.name}
                </a>
              ) : (
                <span class="tree-name">{member.name}</span>
              )}
              {state && <State tone={state.tone}>{state.word}</State>}
              {member.problem && <span class="quiet">{member.problem}</span>}
              {isClosed && <span class="badge">{sizeOf(member.children)}</span>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const addressOf = ({ path, namespace, name }: Member): string => href({ view: "object", path: path ?? "", namespace, name });
