// The text of an object while it is edited, with the problems that were found in it.

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Icon, sentence } from "../ui";
import { Lines, showLine } from "./code";
import { setDraft } from "./drafts";
import type { Draft } from "./drafts";

export interface Problem {
  message: string;
  field?: string;
  line: number | null;
}

/** Text from which on it has no colours and numbers while it is edited. */
const MOST_COLOURED = 120_000;

interface TextAreaProps {
  draft: Draft;
  uid: string;
  name: string;
  problems: Problem[];
  isBusy: boolean;
  /** Where the text was left, to come back there from a review. */
  place: { current: Place };
}

export interface Place {
  selection: [number, number];
  top: number;
}

export function TextArea({ draft, uid, name, problems, isBusy, place }: TextAreaProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = useMemo(() => draft.text.split("\n"), [draft.text]);
  const isColoured = draft.text.length <= MOST_COLOURED;
  const escaped = useRef(false);
  const marks = useMemo(() => {
    const found = new Map<number, string>();
    for (const { line } of problems) if (line !== null) found.set(line, "wrong");
    return found;
  }, [problems]);

  useLayoutEffect(() => {
    const field = area.current!;
    const scrolled = scroller.current ?? field;
    field.focus({ preventScroll: true });
    field.setSelectionRange(...place.current.selection);
    scrolled.scrollTop = place.current.top;
    return () => {
      place.current = { selection: [field.selectionStart, field.selectionEnd], top: scrolled.scrollTop };
    };
  }, []);
  const go = (line: number) => {
    const field = area.current!;
    const at = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
    field.focus({ preventScroll: true });
    field.setSelectionRange(at, at + lines[line]!.length);
    showLine(scroller.current ?? field, line);
  };
  const first = problems.find(({ line }) => line !== null)?.line;
  useLayoutEffect(() => {
    if (first !== undefined && first !== null) go(first);
  }, [problems]);

  const keyDown = (event: KeyboardEvent) => {
    const field = area.current!;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Tab" && !escaped.current && !event.shiftKey) {
      event.preventDefault();
      insert(field, "  ");
    } else if (event.key === "Enter") {
      const before = field.value.slice(field.value.lastIndexOf("\n", field.selectionStart - 1) + 1, field.selectionStart);
      const indent = /^ */.exec(before)![0] + (/:\s*$/.test(before) ? "  " : "");
      event.preventDefault();
      insert(field, `\n${indent}`);
    }
    escaped.current = event.key === "F6";
  };

  const field = (
    <textarea
      ref={area}
      class={isColoured ? undefined : "lines code plain"}
      value={draft.text}
      aria-busy={isBusy || undefined}
      spellcheck={false}
      autocapitalize="off"
      autocomplete="off"
      wrap="off"
      aria-label={`YAML of ${name}. Tab indents; F6 and then Tab leaves the text.`}
      aria-invalid={problems.length > 0 || undefined}
      // A field that becomes read-only is laid out anew, which takes long for a MiB.
      onBeforeInput={(event) => isBusy && event.preventDefault()}
      onInput={(event) => setDraft(uid, { ...draft, text: event.currentTarget.value })}
      onKeyDown={keyDown}
    />
  );
  return (
    <>
      {problems.length > 0 && (
        <div class="edit-problems" role="alert">
          <ul>
            {problems.map(({ field, message, line }, index) => (
              <li key={index}>
                <Icon name="warn" />
                {line !== null ? (
                  <button type="button" onClick={() => go(line)}>
                    <span class="where">line {line + 1}</span> {field && <code>{field}</code>} {sentence(message)}
                  </button>
                ) : (
                  <span>
                    {field && <code>{field}</code>} {sentence(message)}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="edit-frame">
        {isColoured ? (
          <div class="lines code edit" ref={scroller}>
            <div class="code-lines">
              <div aria-hidden="true" class="edit-shown">
                <Lines lines={lines} marks={marks} scroller={scroller} />
              </div>
              {field}
            </div>
          </div>
        ) : (
          field
        )}
      </div>
    </>
  );
}

/** Inserts as if it were typed, so that the browser's undo knows it. */
function insert(field: HTMLTextAreaElement, text: string): void {
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
}
