// Lines of YAML text at which fields are, found by indentation, so that a MiB is no matter.

/** The steps of a field's path: `spec.ports[0].name` and `metadata.labels[app.example/name]`. */
function steps(path: string): (string | number)[] {
  const out: (string | number)[] = [];
  for (const match of path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)) {
    const inner = match[1];
    if (inner === undefined) out.push(match[2]!);
    else if (/^\d+$/.test(inner)) out.push(Number(inner));
    else out.push(inner.replace(/^["']|["']$/g, ""));
  }
  return out;
}

const indentOf = (line: string) => line.length - line.trimStart().length;
const isBlank = (line: string) => /^\s*(#.*)?$/.test(line);

/** The number of the line, from 0, of a field, or of the nearest one above it that is there; null if none is. */
export function lineOf(lines: string[], path: string): number | null {
  let [found, begin, end, column]: [number | null, number, number, number] = [null, 0, lines.length, 0];
  for (const step of steps(path)) {
    const next = typeof step === "number" ? item(lines, begin, end, step) : field(lines, begin, end, column, step);
    if (!next) break;
    [found, begin, end, column] = [next.line, next.begin, next.end, next.column];
  }
  return found;
}

interface Place {
  line: number;
  /** The lines of the value. */
  begin: number;
  end: number;
  /** The indentation at which the fields of the value's first line stand, if they stand behind a dash; 0 otherwise. */
  column: number;
}

function firstLine(lines: string[], begin: number, end: number): number {
  while (begin < end && isBlank(lines[begin]!)) begin++;
  return begin;
}

/** A field among lines; `column` is that of fields behind a dash. */
function field(lines: string[], begin: number, end: number, column: number, name: string): Place | null {
  const first = firstLine(lines, begin, end);
  if (first >= end) return null;
  const indent = column || indentOf(lines[first]!);
  for (let line = first; line < end; line++) {
    const text = lines[line]!;
    const isFirst = line === first && column > 0;
    if (isBlank(text) || (!isFirst && indentOf(text) !== indent)) continue;
    const rest = text.slice(isFirst ? column : indent);
    const key = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^:\s][^:]*?)\s*:(?:\s|$)/.exec(rest)?.[1];
    if (key === undefined || key.replace(/^["']|["']$/g, "") !== name) continue;
    let after = line + 1;
    while (after < end) {
      const next = lines[after]!;
      const isInside = isBlank(next) || indentOf(next) > indent || (indentOf(next) === indent && /^\s*-(\s|$)/.test(next));
      if (!isInside) break;
      after++;
    }
    return { line, begin: line + 1, end: after, column: 0 };
  }
  return null;
}

/** An item of a list among lines. */
function item(lines: string[], begin: number, end: number, index: number): Place | null {
  const first = firstLine(lines, begin, end);
  if (first >= end) return null;
  const indent = indentOf(lines[first]!);
  let seen = -1;
  for (let line = first; line < end; line++) {
    const text = lines[line]!;
    if (isBlank(text) || indentOf(text) !== indent || !/^\s*-(\s|$)/.test(text)) continue;
    if (++seen !== index) continue;
    let after = line + 1;
    while (after < end && (isBlank(lines[after]!) || indentOf(lines[after]!) > indent)) after++;
    const column = indent + /^-\s*/.exec(text.slice(indent))![0].length;
    return { line, begin: line, end: after, column };
  }
  return null;
}
