// The columns of a table, and its cells.

import type { Column, Row } from "../api";
import { href } from "../router";
import { Age, State, toneOf } from "../ui";
import type { GridColumn } from "../ui";
import { isAge, isName, textOf } from "./cells";
import { ObjectLink } from "./object-link";

/** A column that is shown; `cell` is its place in the server's rows, -1 for the namespace. */
export interface Shown extends GridColumn {
  cell: number;
}

/** The width, in characters, from which a text may be cut. */
const LONG = 30;

/** Columns whose cells say what they are. */
const PLAIN = /^(last seen|reason|message|image|images|node|url|schedule|provider)$/i;

/** The columns that are shown, as wide as the first rows need. */
export function columnsOf(columns: Column[], rows: readonly Row[], { wide, withNamespace }: { wide: boolean; withNamespace: boolean }): Shown[] {
  const sample = rows.slice(0, 200);
  const width = (title: string, text: (row: Row) => string, most: number) =>
    Math.min(most, Math.max(title.length + 2, 4, ...sample.map((row) => text(row).length)));
  const shown = columns.flatMap((column, cell): Shown[] => {
    if (column.priority > 0 && !wide) return [];
    const name = isName(column, cell);
    const isNumber = column.type === "integer" || column.type === "number";
    const text = (row: Row) => (name ? row.metadata.name : isAge(column) ? "10d20h" : textOf(row.cells[cell]));
    const most = name ? 56 : 60;
    const full = width(column.name, text, most);
    const isFirstState = toneOf(column.name, textOf(rows[0]?.cells[cell])) !== undefined;
    return [
      {
        id: column.name.toLowerCase(),
        title: column.name,
        description: column.description,
        cell,
        width: full + (isFirstState ? 2 : 0),
        least: full > LONG ? LONG : undefined,
        isPlain: isAge(column) || PLAIN.test(column.name),
        align: isNumber ? "end" : undefined,
        place: name ? "name" : isFirstState && /^(status|phase|type)$/i.test(column.name) ? "state" : "rest",
      },
    ];
  });
  if (!shown.some((column) => column.place === "name")) {
    // Events, whose names say nothing.
    const named = shown.find((column) => /^object$/i.test(column.title)) ?? shown.find((column) => column.place === "rest");
    if (named) named.place = "name";
  }
  if (!shown.some((column) => column.place === "state")) {
    const ready = shown.find((column) => /^ready$/i.test(column.title));
    if (ready) ready.place = "state";
  }
  if (withNamespace) {
    const namespace: Shown = { id: "namespace", title: "Namespace", cell: -1, width: width("Namespace", (row) => row.metadata.namespace ?? "", 32), place: "rest", isPlain: true };
    const at = shown.findIndex((column) => columns[column.cell]?.format === "name");
    shown.splice(at + 1, 0, namespace);
  }
  return shown;
}

/** The cell of a row. Ages are those of now, and not of when the server made the row. */
export function CellText({ row, column, columns, path }: { row: Row; column: Shown; columns: Column[]; path: string }) {
  const { metadata } = row;
  if (column.cell < 0) return <>{metadata.namespace}</>;
  const definition = columns[column.cell]!;
  if (isName(definition, column.cell)) {
    return (
      <a href={href({ view: "object", path, namespace: metadata.namespace, name: metadata.name })} tabIndex={-1} title={metadata.name}>
        {metadata.name}
      </a>
    );
  }
  if (isAge(definition) && metadata.creationTimestamp) return <Age since={metadata.creationTimestamp} />;
  const text = textOf(row.cells[column.cell]);
  if (definition.name === "Object" && path.endsWith("/events")) return <ObjectLink text={text} namespace={metadata.namespace} tabIndex={-1} />;
  const tone = toneOf(definition.name, text);
  if (tone) {
    return (
      <State tone={tone}>
        <span title={text}>{text || "-"}</span>
      </State>
    );
  }
  const isNone = text === "" || /^<(none|unknown|unset)>$/.test(text);
  return (
    <span class={isNone ? "none" : undefined} title={text.length > 30 ? text : undefined}>
      {text || "-"}
    </span>
  );
}
