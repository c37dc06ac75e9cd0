// `Ordered`: the rows of a table in an order, into which changes are put one by one: a busy kind of many rows is sorted once.

import type { Row } from "../api";
import { keyOf } from "../live";
import type { Live } from "../live";
import type { Compare } from "./cells";

/** A part of the rows from which on it is cheaper to sort them all. */
const MANY = 1 / 16;

export class Ordered {
  private rows: Row[] = [];
  /** The rows that are in `rows`, by their keys. */
  private placed = new Map<string, Row>();
  private revision = -1;

  /** `compare` is never 0 for two rows. */
  constructor(
    private readonly live: Pick<Live, "rows" | "revision" | "changes">,
    readonly compare: Compare,
  ) {}

  /** The rows as they are now, in the array that the last call has returned, too. */
  now(): readonly Row[] {
    const { revision, changes } = this.live;
    if (revision.value === this.revision) return this.rows;
    const isNext = revision.value === this.revision + 1;
    this.revision = revision.value;
    if (isNext && changes && changes.size <= this.rows.length * MANY) this.put(changes);
    else this.sort();
    return this.rows;
  }

  /** The place of a row; -1 if it is not there. */
  static indexOf(rows: readonly Row[], row: Row | undefined, compare: Compare): number {
    if (!row) return -1;
    const at = place(rows, row, compare);
    return rows[at] === row ? at : -1;
  }

  private put(keys: ReadonlySet<string>): void {
    for (const key of keys) {
      const [before, after] = [this.placed.get(key), this.live.rows.get(key)];
      if (before === after) continue;
      const from = Ordered.indexOf(this.rows, before, this.compare);
      if (from >= 0) this.rows.splice(from, 1);
      this.placed.delete(key);
      if (!after) continue;
      this.rows.splice(place(this.rows, after, this.compare), 0, after);
      this.placed.set(key, after);
    }
  }

  private sort(): void {
    const rows: Row[] = [];
    // Those that were there are in their order already, which is quick to sort.
    for (const before of this.rows) {
      const row = this.live.rows.get(keyOf(before));
      if (row) rows.push(row);
    }
    for (const [key, row] of this.live.rows) if (!this.placed.has(key)) rows.push(row);
    this.rows = rows.sort(this.compare);
    this.placed = new Map(this.live.rows);
  }
}

/** The number of rows before one. */
function place(rows: readonly Row[], row: Row, compare: Compare): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(rows[middle]!, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
