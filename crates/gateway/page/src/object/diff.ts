// Differences of texts line by line, in a time that is bounded.

import { diffArrays } from "diff";

export type DiffLine = { kind: "same" | "add" | "del"; old?: number; new?: number; text: string };

export interface Diff {
  lines: DiffLine[];
  added: number;
  removed: number;
}

/** The limit of changes that are looked for one by one. Texts that differ in more are shown as removed and added. */
const MOST_EDITS = 4000;

/** The limit of the time for that, in milliseconds. */
const PATIENCE = 400;

export function linesOfText(text: string): string[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

export function diffLines(before: string, after: string): Diff {
  const old = linesOfText(before);
  const now = linesOfText(after);
  let begin = 0;
  while (begin < old.length && begin < now.length && old[begin] === now[begin]) begin++;
  let end = 0;
  while (end < old.length - begin && end < now.length - begin && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;

  const lines: DiffLine[] = [];
  let [oldLine, newLine, added, removed] = [0, 0, 0, 0];
  const push = (kind: DiffLine["kind"], texts: string[]) => {
    for (const text of texts) {
      const line: DiffLine = { kind, text };
      if (kind !== "add") line.old = ++oldLine;
      if (kind !== "del") line.new = ++newLine;
      lines.push(line);
    }
    if (kind === "add") added += texts.length;
    if (kind === "del") removed += texts.length;
  };

  push("same", old.slice(0, begin));
  const [oldMiddle, newMiddle] = [old.slice(begin, old.length - end), now.slice(begin, now.length - end)];
  const changes =
    oldMiddle.length > 0 && newMiddle.length > 0 ? diffArrays(oldMiddle, newMiddle, { maxEditLength: MOST_EDITS, timeout: PATIENCE }) : undefined;
  if (changes) {
    for (const { value, added: isAdded, removed: isRemoved } of changes) push(isAdded ? "add" : isRemoved ? "del" : "same", value);
  } else {
    push("del", oldMiddle);
    push("add", newMiddle);
  }
  push("same", old.slice(old.length - end));
  return { lines, added, removed };
}

/** Lines with those that are far from a change folded: a number stands for so many. */
export function folded(lines: DiffLine[], context = 3): (DiffLine | { kind: "fold"; from: number; to: number })[] {
  const out: (DiffLine | { kind: "fold"; from: number; to: number })[] = [];
  let index = 0;
  while (index < lines.length) {
    if (lines[index]!.kind !== "same") {
      out.push(lines[index++]!);
      continue;
    }
    let end = index;
    while (end < lines.length && lines[end]!.kind === "same") end++;
    const head = index === 0 ? 0 : context;
    const tail = end === lines.length ? 0 : context;
    if (end - index > head + tail + 1) {
      out.push(...lines.slice(index, index + head));
      out.push({ kind: "fold", from: index + head, to: end - tail });
      out.push(...lines.slice(end - tail, end));
    } else {
      out.push(...lines.slice(index, end));
    }
    index = end;
  }
  return out;
}

/** The parts of two lines before, in and behind their difference. */
export function within(one: string, other: string): { head: number; tail: number } {
  const most = Math.min(one.length, other.length);
  let head = 0;
  while (head < most && one[head] === other[head]) head++;
  let tail = 0;
  while (tail < most - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  return { head, tail };
}
