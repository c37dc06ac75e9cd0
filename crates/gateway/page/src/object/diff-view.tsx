// A difference of two texts, with the lines between the changes folded.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Button } from "../ui";
import { folded, within } from "./diff";
import type { Diff, DiffLine } from "./diff";
import "./diff.css";

/** The limit of lines that are shown at first. */
const FIRST = 1500;

/** The limit of the characters of a line that are shown. */
const LONGEST = 1000;

export function DiffView({ diff, label }: { diff: Diff; label: string }) {
  const open = useSignal<Set<number>>(new Set());
  const limit = useSignal(FIRST);
  const rows = useMemo(() => folded(diff.lines), [diff]);
  const partners = useMemo(() => pairs(diff.lines), [diff]);
  const shown = rows.flatMap((row) => (row.kind === "fold" && open.value.has(row.from) ? diff.lines.slice(row.from, row.to) : [row]));
  return (
    <div class="lines diff" role="region" aria-label={label} tabIndex={0}>
      <div class="diff-lines">
        {shown.slice(0, limit.value).map((row) =>
          row.kind === "fold" ? (
            <button key={`fold${row.from}`} type="button" class="diff-fold" onClick={() => (open.value = new Set(open.value).add(row.from))}>
              <span aria-hidden="true">⋯</span> {row.to - row.from} unchanged lines
            </button>
          ) : (
            <Line key={`${row.kind}${row.old ?? ""}:${row.new ?? ""}`} line={row} partner={partners.get(row)} />
          ),
        )}
      </div>
      {shown.length > limit.value && (
        <Button class="diff-more" onClick={() => (limit.value *= 4)}>
          Show more of {shown.length.toLocaleString()} lines
        </Button>
      )}
    </div>
  );
}

const SIGNS = { add: "+", del: "−", same: " " };

function Line({ line, partner }: { line: DiffLine; partner?: string }) {
  const text = line.text.length > LONGEST ? `${line.text.slice(0, LONGEST)} …` : line.text;
  return (
    <div class={`diff-line ${line.kind}`}>
      <span class="diff-number" aria-hidden="true">
        {line.old ?? ""}
      </span>
      <span class="diff-number" aria-hidden="true">
        {line.new ?? ""}
      </span>
      <span class="diff-sign" aria-hidden="true">
        {SIGNS[line.kind]}
      </span>
      {line.kind === "same" ? (
        <span class="diff-text">{text}</span>
      ) : (
        <span class="diff-text">
          <span class="hidden">{line.kind === "add" ? "added: " : "removed: "}</span>
          <Words text={text} partner={partner} />
        </span>
      )}
    </div>
  );
}

/** The text with what differs from the line that it replaces, or that replaces it. */
function Words({ text, partner }: { text: string; partner?: string }) {
  if (partner === undefined) return <>{text}</>;
  const { head, tail } = within(text, partner);
  // Lines that have little in common are not told apart by letters.
  if (head + tail < text.length / 3 || head + tail === text.length) return <>{text}</>;
  return (
    <>
      {text.slice(0, head)}
      <mark>{text.slice(head, text.length - tail)}</mark>
      {text.slice(text.length - tail)}
    </>
  );
}

/** The lines that stand in each other's place: as many removed as added, one after the other. */
function pairs(lines: DiffLine[]): Map<DiffLine, string> {
  const out = new Map<DiffLine, string>();
  let index = 0;
  const run = (kind: DiffLine["kind"]) => {
    const begin = index;
    while (index < lines.length && lines[index]!.kind === kind) index++;
    return lines.slice(begin, index);
  };
  while (index < lines.length) {
    run("same");
    const removed = run("del");
    const added = run("add");
    if (removed.length !== added.length) continue;
    removed.forEach((line, at) => {
      out.set(line, added[at]!.text);
      out.set(added[at]!, line.text);
    });
  }
  return out;
}
