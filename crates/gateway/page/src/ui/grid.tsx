// A table of any number of rows, of which only those in sight are in the document.

import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

export interface GridColumn {
  id: string;
  title: string;
  description?: string;
  /** The width in characters. */
  width: number;
  /** The width to which a long text may shrink; `width` if absent. */
  least?: number;
  align?: "end";
  /** Where the cell is on a narrow screen, which shows cards: in the first line, at its end, or below it. */
  place?: "name" | "state" | "rest";
  /** Says what it is without the title of the column. */
  isPlain?: boolean;
}

export interface GridProps {
  /** The name of the table for screen readers. */
  label: string;
  columns: GridColumn[];
  count: number;
  keyAt: (index: number) => string;
  indexOf: (key: string) => number;
  /** What a row is made of: one that has the same is not rendered again. */
  valueAt: (index: number) => unknown;
  cell: (index: number, column: number) => ComponentChildren;
  rowClass?: (index: number) => string | undefined;
  selected: string | null;
  onSelect: (key: string | null) => void;
  onOpen: (index: number) => void;
  sort?: string;
  desc?: boolean;
  onSort?: (column: string) => void;
  /** Rows as they were last, while the server is away. */
  stale?: boolean;
}

const NARROW = matchMedia("(max-width: 640px)");
/** True on a phone. */
const isNarrow = signal(NARROW.matches);
NARROW.addEventListener("change", () => (isNarrow.value = NARROW.matches));

/** Rows above and below those in sight, so that a quick scroll finds them. */
const MARGIN = 8;
const ROW = 30;
const CARD = 62;
const HEADER = 32;
/** The padding of a cell, on both sides. */
const PADDING = 20;

let grids = 0;

/** A row that is rendered, and what of. */
interface Rendered {
  of: unknown[];
  row: VNode;
}

export function Grid(props: GridProps) {
  const { columns, count, selected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useRef(0);
  id.current ||= ++grids;
  const top = useSignal(0);
  const height = useSignal(600);
  const isShifted = useSignal(false);
  const cards = isNarrow.value;
  const rowHeight = cards ? CARD : ROW;
  const header = cards ? 0 : HEADER;
  const page = Math.max(1, Math.floor((height.value - header) / rowHeight) - 1);

  useEffect(() => {
    const element = scroller.current!;
    const observer = new ResizeObserver(() => (height.value = element.clientHeight));
    observer.observe(element);
    let frame = 0;
    const scrolled = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        // Half of the margin is scrolled without a render.
        const step = (MARGIN / 2) * rowHeight;
        top.value = Math.floor(element.scrollTop / step) * step;
        const left = `${element.scrollLeft}px`;
        if (left !== element.style.getPropertyValue("--left")) {
          element.style.setProperty("--left", left);
          isShifted.value = element.scrollLeft > 0;
        }
      });
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    scrolled();
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
      element.removeEventListener("scroll", scrolled);
    };
  }, [rowHeight]);

  // Each takes a part of the room that is left.
  const template = columns.map(({ width, least = width }) => `minmax(calc(${least}ch + ${PADDING}px), ${width}fr)`).join(" ");
  const least = columns.reduce((sum, column) => sum + (column.least ?? column.width), 0);
  useLayoutEffect(() => {
    const { style } = scroller.current!;
    style.setProperty("--columns", template);
    style.setProperty("--least", cards ? "0px" : `calc(${least}ch + ${columns.length * PADDING}px)`);
  }, [template, least, cards]);

  const reveal = (index: number) => {
    const element = scroller.current!;
    const from = index * rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + rowHeight + header > element.scrollTop + element.clientHeight) {
      element.scrollTop = from + rowHeight + header - element.clientHeight;
    }
  };

  const at = selected === null ? -1 : props.indexOf(selected);
  const first = Math.max(0, Math.floor(top.value / rowHeight) - MARGIN);
  const slots = Math.ceil(height.value / rowHeight) + 3 * MARGIN;
  const end = Math.min(count, first + slots);
  const shown: number[] = [];
  for (let index = first; index < end; index++) shown.push(index);
  const rowId = (index: number) => `grid${id.current}-${index}`;

  const rendered = useRef(new Map<number, Rendered>());
  const rowAt = (index: number): VNode => {
    // Elements go from rows that leave to those that come in sight.
    const slot = index % slots;
    const of = [index, props.valueAt(index), index === at, columns, cards, props.rowClass?.(index)];
    const before = rendered.current.get(slot);
    if (before && before.of.every((value, at) => value === of[at])) return before.row;
    const row = <GridRow key={slot} index={index} id={rowId(index)} top={index * rowHeight} isSelected={index === at} cards={cards} {...props} />;
    rendered.current.set(slot, { of, row });
    return row;
  };

  const choose = (index: number) => {
    if (count === 0) return;
    const to = Math.max(0, Math.min(count - 1, index));
    props.onSelect(props.keyAt(to));
    reveal(to);
  };

  const keyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // Enter on a heading is its own.
    if (event.key === "Enter" && (event.target as Element).closest("button, a")) return;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      k: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: count - 1,
      G: count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) choose(to);
    else if (event.key === "Enter" && at >= 0) props.onOpen(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={scroller}
      class={["grid", cards && "cards", isShifted.value && "shifted", props.stale && "stale"].filter(Boolean).join(" ")}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-activedescendant={at >= first && at < end ? rowId(at) : undefined}
      onKeyDown={keyDown}
    >
      <div class="grid-head" role="rowgroup">
        <div class="grid-row" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Heading key={column.id} column={column} {...props} />
          ))}
        </div>
      </div>
      <div class="grid-body" role="rowgroup" style={{ height: `${count * rowHeight}px` }}>
        {shown.map(rowAt)}
      </div>
    </div>
  );
}

function Heading({ column, sort, desc, onSort }: GridProps & { column: GridColumn }) {
  const isSorted = sort === column.id;
  return (
    <div
      class={["grid-cell", column.align, column.place === "name" && "name"].filter(Boolean).join(" ")}
      role="columnheader"
      aria-sort={isSorted ? (desc ? "descending" : "ascending") : onSort ? "none" : undefined}
      title={column.description || undefined}
    >
      {onSort ? (
        <button type="button" onClick={() => onSort(column.id)}>
          <span>{column.title}</span>
          {isSorted && <Icon name={desc ? "down" : "up"} />}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

interface GridRowProps extends GridProps {
  index: number;
  id: string;
  top: number;
  isSelected: boolean;
  cards: boolean;
}

function GridRow({ index, id, top, isSelected, cards, columns, cell, keyAt, onSelect, onOpen, rowClass }: GridRowProps) {
  const key = keyAt(index);
  const cellAt = (at: number) => {
    const column = columns[at]!;
    const classes = ["grid-cell", column.align, column.place === "name" && "name"].filter(Boolean).join(" ");
    return (
      <div key={column.id} class={classes} role={column.place === "name" ? "rowheader" : "gridcell"}>
        {cards && column.place === "rest" && !column.isPlain && <span class="of">{column.title} </span>}
        {cell(index, at)}
      </div>
    );
  };
  const indices = columns.map((_, at) => at);
  const placed = (place: GridColumn["place"]) => indices.filter((at) => (columns[at]!.place ?? "rest") === place).map(cellAt);
  return (
    <div
      class={["grid-row", isSelected && "selected", rowClass?.(index)].filter(Boolean).join(" ")}
      role="row"
      id={id}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        if ((event.target as Element).closest("a, button")) return;
        onSelect(key);
        if (cards) onOpen(index);
      }}
      onDblClick={() => onOpen(index)}
    >
      {cards ? (
        <>
          {placed("name")}
          {placed("state")}
          <div class="rest" role="presentation">
            {placed("rest")}
          </div>
        </>
      ) : (
        indices.map(cellAt)
      )}
    </div>
  );
}
