// The text and the order of the cells of rows.

import type { Cell, Column, Row } from "../api";

export function textOf(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** The place of a column among the cells of rows; -1 if the table has none of the name. */
export const placeOf = (columns: Column[], name: string): number => columns.findIndex((column) => column.name === name);

export const isName = (column: Column, index: number): boolean => column.format === "name" || (index === 0 && /^name$/i.test(column.name));
export const isAge = (column: Column): boolean => /^age$/i.test(column.name);

/** What a row is found by: name, namespace, cells and labels, in lower case. */
const found = new WeakMap<Row, string>();

function haystack(row: Row): string {
  let text = found.get(row);
  if (text === undefined) {
    const { name, namespace = "", labels = {} } = row.metadata;
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    text = [name, namespace, ...row.cells.map(textOf), ...pairs].join("\n").toLowerCase();
    found.set(row, text);
  }
  return text;
}

/** The rows that are prepared between two looks at the time. */
const STEP = 50;

/** Prepares a search of rows in the pauses of the page, so that its first letter need not wait for all of them. */
export function prepareSearch(rows: Iterable<Row>): void {
  const left = rows[Symbol.iterator]();
  const prepare = (pause: IdleDeadline) => {
    while (pause.timeRemaining() > 1) {
      for (let at = 0; at < STEP; at++) {
        const { value, done } = left.next();
        if (done) return;
        haystack(value);
      }
    }
    requestIdleCallback(prepare);
  };
  // Safari has none.
  globalThis.requestIdleCallback?.(prepare);
}

/** The condition of a search: all words, and none of those behind a minus sign. */
export function matcher(search: string): (row: Row) => boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = words.filter((word) => !word.startsWith("-"));
  const unwanted = words.filter((word) => word.startsWith("-") && word.length > 1).map((word) => word.slice(1));
  if (words.length === 0) return () => true;
  return (row) => {
    const text = haystack(row);
    return wanted.every((word) => text.includes(word)) && !unwanted.some((word) => text.includes(word));
  };
}

/** What a cell is ordered by: the number at its beginning, and the text, in which numbers have leading zeros. */
interface Order {
  number: number | undefined;
  text: string;
}

const natural = (text: string): string => text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));

const orderOf = (text: string): Order => ({ number: magnitude(text), text: natural(text) });

/** Compares by numbers if both have one, else by texts; what is empty is last. */
function compareOrder(one: Order, other: Order): number {
  if (one.number !== undefined && other.number !== undefined && one.number !== other.number) return one.number - other.number;
  if (one.text === other.text) return 0;
  if (one.text === "" || other.text === "") return one.text === "" ? 1 : -1;
  return one.text < other.text ? -1 : 1;
}

const SCALE: Record<string, number> = {
  n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};
const DURATION: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, y: 31_536_000 };

/** The number that a cell stands for: a number, a quantity such as `2Gi`, a duration such as `5m20s`, or `3 (2m ago)`. */
function magnitude(text: string): number | undefined {
  const duration = /^(\d+[ydhms])+$/.exec(text);
  if (duration) {
    let seconds = 0;
    for (const [, number, unit] of text.matchAll(/(\d+)([ydhms])/g)) seconds += Number(number) * DURATION[unit!]!;
    return seconds;
  }
  const quantity = /^(-?\d+(?:\.\d+)?)([numkMGTPE]|[KMGTPE]i)?(?=$|[\s(/%])/.exec(text);
  return quantity ? Number(quantity[1]) * (quantity[2] ? SCALE[quantity[2]]! : 1) : undefined;
}

/** An order of rows, in which no two are equal. */
export type Compare = (one: Row, other: Row) => number;

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

const byName: Compare = ({ metadata: one }, { metadata: other }) => compare(one.namespace ?? "", other.namespace ?? "") || compare(one.name, other.name);

// The youngest has the least age.
const byAge: Compare = ({ metadata: one }, { metadata: other }) => compare(other.creationTimestamp ?? "", one.creationTimestamp ?? "");

/** The order of rows by a column, in lower case; rows that are equal in it are in the order of their names. */
export function comparator(sort: string | undefined, desc: boolean, columns: Column[]): Compare {
  const sign = desc ? -1 : 1;
  const then = (first: Compare): Compare => (one, other) => sign * first(one, other) || byName(one, other);
  if (!sort || sort === "namespace") return then(byName);
  if (sort === "age") return then(byAge);
  const index = columns.findIndex((column) => column.name.toLowerCase() === sort);
  if (index < 0) return byName;
  const orders = new WeakMap<Row, Order>();
  const order = (row: Row): Order => {
    let found = orders.get(row);
    if (!found) orders.set(row, (found = orderOf(textOf(row.cells[index]))));
    return found;
  };
  return then((one, other) => compareOrder(order(one), order(other)));
}
