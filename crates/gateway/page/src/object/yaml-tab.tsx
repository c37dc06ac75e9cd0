// The tab YAML: the object as it is, what changed since it was opened, and its edit.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { KubernetesObject } from "../api";
import { useShortcuts } from "../shortcuts";
import { Age, Button, Empty, Skeleton, copy } from "../ui";
import { Code } from "./code";
import { diffLines, linesOfText } from "./diff";
import { DiffView } from "./diff-view";
import { drafts, setDraft } from "./drafts";
import { editable } from "./changes";
import { Editor } from "./editor";
import type { LiveObject } from "./live-object";
import { toYaml, withoutCounters, withoutManagedFields } from "./yaml";

interface YamlTabProps {
  live: LiveObject;
  /** The reason for which the object cannot be edited; null if it can. */
  whyNot: string | null;
  isMasked: boolean;
}

/** Changes are shown together, so that an object that is written all the time costs some renders a second. */
const TOGETHER = 200;

/** The value of a signal, at most every so often. */
function useCalm(live: LiveObject): KubernetesObject | null {
  const shown = useSignal(live.object.peek());
  useEffect(() => {
    let timer = 0;
    let last = 0;
    const stop = live.object.subscribe((object) => {
      clearTimeout(timer);
      const wait = shown.peek() === null ? 0 : Math.max(0, last + TOGETHER - Date.now());
      timer = window.setTimeout(() => {
        last = Date.now();
        shown.value = object;
      }, wait);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [live]);
  return shown.value;
}

export function YamlTab({ live, whyNot, isMasked }: YamlTabProps) {
  const object = useCalm(live);
  const base = live.base.value;
  const mode = useSignal<"object" | "changes">("object");
  const showsManaged = useSignal(false);
  const uid = useComputed(() => live.object.value?.metadata.uid ?? "");
  const draft = drafts.value.get(uid.value);
  const managed = showsManaged.value;

  const text = useMemo(() => object && toYaml(managed ? object : withoutManagedFields(object)), [object, managed]);
  const before = useMemo(() => base && toYaml(managed ? base : withoutManagedFields(base)), [base, managed]);
  const lines = useMemo(() => (text === null ? [] : linesOfText(text)), [text]);
  // The counters that each write moves are marked, and not counted.
  const diff = useMemo(() => {
    if (!object || !base || object === base) return null;
    return diffLines(toYaml(managed ? base : withoutCounters(base)), toYaml(managed ? object : withoutCounters(object)));
  }, [object, base, managed]);
  const marks = useMemo(() => {
    const found = new Map<number, string>();
    if (text === null || before === null) return found;
    const { lines } = diffLines(before, text);
    lines.forEach((line, at) => {
      if (line.kind === "add") found.set(line.new! - 1, "changed");
      // Lines that went leave a mark at the next one.
      const next = lines[at + 1];
      if (line.kind === "del" && next?.kind === "same") found.set(next.new! - 1, "gap");
    });
    return found;
  }, [before, text]);

  const edit = () => {
    if (!object || whyNot !== null || live.state.value.state === "deleted") return;
    const shown = editable(object, live.kind);
    const original = toYaml(shown);
    setDraft(uid.value, { base: object, original, text: original });
  };
  useShortcuts(({ key }) => {
    if (draft) return false;
    if (key === "e") edit();
    else if (key === "c") mode.value = mode.value === "changes" ? "object" : "changes";
    else if (key === "m") showsManaged.value = !showsManaged.value;
    else return false;
    return true;
  });

  if (!object || text === null) return <Skeleton lines={14} label="Loading the object" />;
  if (draft) return <Editor live={live} draft={draft} uid={uid.value} />;

  const count = diff ? Math.max(diff.added, diff.removed) : 0;
  const changed = count === 0 ? "No changes" : `${count} ${count === 1 ? "line" : "lines"} changed`;
  const isDeleted = live.state.value.state === "deleted";
  return (
    <div class="pane">
      <div class="bar">
        <div class="segments" role="group" aria-label="Show">
          <button type="button" aria-pressed={mode.value === "object"} onClick={() => (mode.value = "object")}>
            Object
          </button>
          <button
            type="button"
            aria-pressed={mode.value === "changes"}
            onClick={() => (mode.value = "changes")}
            title="Changes since it was opened (c)"
          >
            Changes{count > 0 && <span class="badge">{count}</span>}
          </button>
        </div>
        <span class="quiet since">
          {changed} since it was opened <Since live={live} />
          {count > 0 && (
            <Button look="plain" onClick={live.rebase} label="Compare with the object as it is now">
              Mark as seen
            </Button>
          )}
        </span>
        <span class="hidden" role="status">
          {count > 0 ? changed : ""}
        </span>
        <span class="space" />
        <label class="check">
          <input type="checkbox" checked={managed} onChange={(event) => (showsManaged.value = event.currentTarget.checked)} /> Managed fields
        </label>
        <Button icon="copy" label="Copy the YAML" onClick={() => copy(text, "YAML copied")} />
        {whyNot === null ? (
          <Button look="primary" keys="e" label="Edit" onClick={edit} disabled={isDeleted}>
            Edit
          </Button>
        ) : (
          <span class="quiet why-not" title={whyNot}>
            {whyNot}
          </span>
        )}
      </div>
      {isMasked && <p class="note">The gateway hides the values of Secrets. Start it with --show-secrets to see and edit them here.</p>}
      {mode.value === "object" ? (
        <Code lines={lines} marks={marks} label={`YAML of ${live.kind.kind} ${live.name}`} />
      ) : diff && count > 0 ? (
        <DiffView diff={diff} label="Changes since the object was opened" />
      ) : (
        <Empty icon="check" title="Nothing has changed">
          <p>
            {live.name} is as it was when it was opened <Since live={live} />. Changes show up here as they are made.
          </p>
        </Empty>
      )}
    </div>
  );
}

function Since({ live }: { live: LiveObject }) {
  void live.base.value;
  return (
    <>
      <Age since={new Date(live.since).toISOString()} /> ago
    </>
  );
}
