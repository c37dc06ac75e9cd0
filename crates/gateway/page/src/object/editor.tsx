// The edit of an object: its text, what the server would make of it, and the write.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure, apiPath } from "../api";
import type { KubernetesObject } from "../api";
import { useKeyDown } from "../shortcuts";
import { Button, Dialog, Icon, Key, Progress, sentence, toast } from "../ui";
import { TextError, editable, prepare } from "./changes";
import type { Prepared } from "./changes";
import { Conflicts } from "./conflicts";
import { diffLines, linesOfText } from "./diff";
import type { Diff } from "./diff";
import { DiffView } from "./diff-view";
import { setDraft } from "./drafts";
import type { Draft } from "./drafts";
import "./editor.css";
import type { LiveObject } from "./live-object";
import { lineOf } from "./locate";
import { equal } from "./merge";
import type { Conflict, Side } from "./merge";
import { FIELD_MANAGER, causesOf, request } from "./request";
import { TextArea } from "./text-area";
import type { Place, Problem } from "./text-area";
import { toYaml, withoutCounters } from "./yaml";

type Step =
  | { step: "edit"; problems: Problem[] }
  | { step: "check" }
  | { step: "choose"; conflicts: Conflict[]; sides: Record<string, Side> }
  | { step: "review" | "write"; prepared: Prepared; diff: Diff; warnings: string[]; notice: string | null };

/** The number of times that a dry run is begun anew because the object changed meanwhile. */
const TRIES = 4;

interface EditorProps {
  live: LiveObject;
  draft: Draft;
  uid: string;
}

export function Editor({ live, draft, uid }: EditorProps) {
  const step = useSignal<Step>({ step: "edit", problems: [] });
  const sides = useRef<Record<string, Side>>({});
  const run = useRef(new AbortController());
  const place = useRef<Place>({ selection: [0, 0], top: 0 });
  useEffect(() => () => run.current.abort(), []);
  const path = apiPath(live.kind.path, live.namespace, live.name);
  const isMoved = useComputed(() => {
    const latest = live.object.value;
    return (
      latest !== null &&
      latest.metadata.uid === uid &&
      !equal(withoutCounters(editable(latest, live.kind)), withoutCounters(editable(draft.base, live.kind)))
    );
  });

  const close = () => {
    run.current.abort();
    setDraft(uid, null);
  };
  const asks = useSignal(false);
  const cancel = () => {
    if (draft.text === draft.original) close();
    else asks.value = true;
  };
  const edit = (problems: Problem[] = []) => (step.value = { step: "edit", problems });

  const back = () => {
    run.current.abort();
    edit();
  };

  const refused = (error: unknown) => {
    if (error instanceof TextError) {
      edit([{ message: error.message, line: error.line }]);
      return;
    }
    const failure = Failure.of(error);
    const lines = linesOfText(draft.text);
    const causes = causesOf(failure);
    edit(
      causes.length > 0
        ? causes.map(({ field, message }) => ({ field, message, line: field ? lineOf(lines, field) : null }))
        : [{ message: failure.message, line: null }],
    );
  };

  const send = (object: KubernetesObject, isDry: boolean, signal?: AbortSignal) =>
    request(path, {
      method: "PUT",
      query: { fieldManager: FIELD_MANAGER, fieldValidation: "Strict", dryRun: isDry ? "All" : undefined },
      body: object,
      signal,
    });

  const check = async (notice: string | null = null) => {
    run.current.abort();
    run.current = new AbortController();
    const { signal } = run.current;
    step.value = { step: "check" };
    // The step is painted first: to read the text of a large object takes a moment.
    await new Promise((resolve) => setTimeout(resolve));
    try {
      for (let tried = 1; ; tried++) {
        const latest = await live.read(signal);
        const prepared = prepare(draft, latest, live.kind, (field) => (Object.hasOwn(sides.current, field) ? sides.current[field]! : "mine"));
        const open = prepared.conflicts.filter(({ path }) => !Object.hasOwn(sides.current, path));
        if (open.length > 0) {
          step.value = { step: "choose", conflicts: prepared.conflicts, sides: { ...sides.current } };
          return;
        }
        try {
          const { value, warnings } = await send(prepared.object, true, signal);
          const shown = (object: KubernetesObject) => toYaml(withoutCounters(editable(object, live.kind)));
          step.value = { step: "review", prepared, diff: diffLines(shown(latest), shown(value)), warnings, notice };
          return;
        } catch (error) {
          if (Failure.of(error).code !== "conflict" || tried === TRIES) throw error;
        }
      }
    } catch (error) {
      if (!signal.aborted) refused(error);
    }
  };

  const write = async () => {
    const review = step.value;
    if (review.step !== "review" || review.diff.added + review.diff.removed === 0) return;
    step.value = { ...review, step: "write" };
    try {
      // It goes on when another tab is chosen.
      const { value, warnings } = await send(review.prepared.object, false);
      live.take(value);
      toast(`${live.kind.kind} ${live.name} is applied`);
      warnings.forEach((warning) => toast(sentence(warning), "warn"));
      close();
    } catch (error) {
      if (Failure.of(error).code === "conflict") {
        void check("The object changed while you looked: this is what would change now.");
      } else {
        refused(error);
      }
    }
  };

  const now = step.value;
  useKeyDown(
    (event) => {
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        if (now.step === "edit") void check();
        else if (now.step === "review") void write();
      } else if (event.key === "Escape" && !event.defaultPrevented) {
        event.preventDefault();
        event.stopPropagation();
        if (now.step === "edit") cancel();
        else if (now.step !== "write") back();
      }
    },
    { capture: true },
  );

  if (now.step === "choose") {
    return (
      <Conflicts
        conflicts={now.conflicts}
        onChosen={(chosen) => {
          sides.current = { ...sides.current, ...chosen };
          void check();
        }}
        onBack={back}
      />
    );
  }
  if (now.step === "review" || now.step === "write") {
    const count = now.diff.added + now.diff.removed;
    const isWriting = now.step === "write";
    return (
      <div class="pane">
        <div class="bar">
          <strong>{count === 0 ? "Nothing would change" : "What would change"}</strong>
          {count > 0 && (
            <span class="quiet">
              <span class="plus">+{now.diff.added}</span> <span class="minus">−{now.diff.removed}</span>, checked by the server, not written yet
            </span>
          )}
          <span class="space" />
          <Button onClick={back} keys="Esc" label="Back to the text" disabled={isWriting}>
            Back
          </Button>
          <Button look="primary" onClick={write} keys="Ctrl-Enter" label="Write it" busy={isWriting} disabled={count === 0} autofocus>
            {isWriting ? "Applying…" : "Apply"}
          </Button>
        </div>
        {now.notice && (
          <p class="note warn" role="alert">
            <Icon name="warn" /> {now.notice}
          </p>
        )}
        {now.prepared.isMoved && isMoved.value && !now.notice && (
          <p class="note">
            <Icon name="refresh" /> Others changed the object since you began. What they changed stays.
          </p>
        )}
        {now.warnings.map((warning) => (
          <p class="note warn" key={warning}>
            <Icon name="warn" /> {sentence(warning)}
          </p>
        ))}
        {count > 0 ? (
          <DiffView diff={now.diff} label="What would change" />
        ) : (
          <p class="note">The server makes of your text the object that it has already.</p>
        )}
      </div>
    );
  }
  return (
    <div class="pane">
      <div class="bar">
        <strong>Edit</strong>
        <span class="quiet wide-only">
          <Key>Ctrl</Key> <Key>Enter</Key> shows what would change before anything is written
        </span>
        <span class="space" />
        <Button onClick={cancel} keys="Esc" label="Leave the object as it is">
          Cancel
        </Button>
        {asks.value && (
          <Dialog
            title="Discard what you changed?"
            onClose={() => (asks.value = false)}
            actions={
              <>
                <Button onClick={() => (asks.value = false)} autofocus>
                  Keep editing
                </Button>
                <Button look="danger" onClick={close}>
                  Discard
                </Button>
              </>
            }
          >
            <p class="dialog-text">{live.name} stays as it is. Your text is gone.</p>
          </Dialog>
        )}
        <Button look="primary" onClick={() => check()} busy={now.step === "check"} keys="Ctrl-Enter" label="Ask the server what would change">
          {now.step === "check" ? "Checking…" : "Review"}
        </Button>
      </div>
      {now.step === "check" && <Progress label="The server checks the object" />}
      {isMoved.value && (
        <p class="note" role="status">
          <Icon name="refresh" /> Others changed the object since you began. Your changes are put on top of theirs.
        </p>
      )}
      <TextArea
        place={place}
        draft={draft}
        uid={uid}
        name={live.name}
        problems={now.step === "edit" ? now.problems : []}
        isBusy={now.step === "check"}
      />
    </div>
  );
}
