// `Live`: the rows of a kind, which follow the server.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { Failure, address, getTable } from "./api";
import type { Column, FailureBody, Query, Row, Table } from "./api";
import { Follower } from "./follower";
import { readEvents } from "./stream";
import type { ServerEvent } from "./stream";

/** The state of what is shown. Rows stay in all of them, as they were last. */
export type Status =
  | { state: "loading" }
  | { state: "live" }
  /** The gateway cannot reach the cluster. It tries again by itself. */
  | { state: "waiting"; message: string }
  /** The request failed. `retryAt` is the time of the next try, in milliseconds; none for what no try can mend. */
  | { state: "failed"; failure: Failure; retryAt?: number };

export interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** The number of rows of the first request, which fill a screen, and of those for the rest. */
const FIRST = 120;
const REST = 2500;

/** Changes are taken together, so that a busy kind costs a render each time and not each change. */
const TOGETHER = 120;

export function keyOf(row: Row): string {
  return `${row.metadata.namespace ?? ""}/${row.metadata.name}`;
}

/**
 * The rows of a kind: the first ones at once, then the rest, then their changes. It comes back by itself when the gateway, the
 * cluster or the kind went away and is there again. `close` ends it.
 */
export class Live extends Follower {
  readonly rows = new Map<string, Row>();
  /** The keys of the rows that changed with the last revision; null if all may have. */
  changes: ReadonlySet<string> | null = null;
  /** The time at which a row last changed, for rows that changed since they were loaded. */
  readonly changed = new WeakMap<Row, number>();

  private readonly revisionSignal = signal(0);
  private readonly statusSignal = signal<Status>({ state: "loading" });
  private readonly columnsSignal = signal<Column[]>([]);
  private readonly resourceSignal = signal<Table["resource"] | null>(null);
  private readonly totalSignal = signal<number | null>(null);

  /** Counts up when rows have changed. */
  readonly revision: ReadonlySignal<number> = this.revisionSignal;
  readonly status: ReadonlySignal<Status> = this.statusSignal;
  readonly columns: ReadonlySignal<Column[]> = this.columnsSignal;
  readonly resource: ReadonlySignal<Table["resource"] | null> = this.resourceSignal;
  /** The number of rows when all are loaded; null before the first are. */
  readonly total: ReadonlySignal<number | null> = this.totalSignal;

  private cursor = "";
  private flushTimer = 0;
  private pending: ServerEvent[] = [];

  /** `newest` keeps the last rows only, by creation, and does not load the rest. */
  constructor(
    readonly path: string,
    readonly selection: Selection = {},
    private readonly newest?: number,
  ) {
    super();
    this.start();
  }

  /** Reads everything anew. */
  private reload(): void {
    this.cursor = "";
    this.again();
  }

  protected override stop(): void {
    super.stop();
    clearTimeout(this.flushTimer);
    this.flushTimer = 0;
    this.pending = [];
  }

  protected override settle(): void {
    this.flush();
  }

  protected async follow(signal: AbortSignal): Promise<void> {
    try {
      if (!this.cursor) await this.load(signal);
      await this.listen(signal);
    } catch (error) {
      if (!signal.aborted) this.flush();
      throw error;
    }
  }

  protected failed(failure: Failure, retryAt: number): void {
    if (!failure.isTransient) this.cursor = "";
    const isFinal = failure.code.startsWith("bad_");
    if (isFinal) this.giveUp();
    this.statusSignal.value = { state: "failed", failure, retryAt: isFinal ? undefined : retryAt };
  }

  private async load(signal: AbortSignal): Promise<void> {
    const query: Query = { ...this.selection, limit: this.newest ?? FIRST };
    if (this.newest) query.sort = "age";
    let table = await getTable(this.path, query, signal);
    const rows = new Map<string, Row>();
    // The last of the map is the one that changed last.
    const inOrder = (part: Table) => (this.newest ? part.rows.reverse() : part.rows);
    const take = (part: Table) => inOrder(part).forEach((row) => rows.set(keyOf(row), row));
    take(table);
    const { cursor, status } = table;
    this.columnsSignal.value = table.columns;
    this.resourceSignal.value = table.resource;
    this.totalSignal.value = table.total;
    // Rows that are shown already stay until all are here, so that a list that is read anew does not shrink.
    const isFirst = this.rows.size === 0;
    if (isFirst) this.show(rows);
    while (table.continue && !this.newest) {
      table = await getTable(this.path, { ...this.selection, limit: REST, continue: table.continue }, signal);
      take(table);
      this.totalSignal.value = table.total;
      if (isFirst) this.show(rows);
    }
    this.show(rows);
    this.cursor = cursor;
    this.statusSignal.value = status;
  }

  private show(rows: Map<string, Row>): void {
    this.rows.clear();
    for (const [key, row] of rows) this.rows.set(key, row);
    this.changes = null;
    this.revisionSignal.value++;
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const url = address(`/v1/changes/${this.path}`, { ...this.selection, cursor: this.cursor });
    await readEvents(url, signal, (events) => {
      if (signal.aborted) return;
      this.succeeded();
      // The stream tells at its beginning if the cluster is away.
      if (events.length === 0) this.statusSignal.value = { state: "live" };
      this.take(events);
    });
    // The gateway ends it, as when it stops: come back, where it was.
    throw Failure.of(undefined);
  }

  private take(events: ServerEvent[]): void {
    for (const event of events) this.pending.push(event);
    if (this.pending.length > 0 && !this.flushTimer) this.flushTimer = window.setTimeout(() => this.flush(), TOGETHER);
  }

  private flush(): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = 0;
    const events = this.pending;
    this.pending = [];
    const changes = new Set<string>();
    for (const event of events) {
      if (event.id) this.cursor = event.id;
      switch (event.name) {
        case "change":
          changes.add(this.change(JSON.parse(event.data) as { type: string; row: Row }));
          break;
        case "sync":
          this.statusSignal.value = { state: "live" };
          break;
        case "waiting":
          this.statusSignal.value = { state: "waiting", message: (JSON.parse(event.data) as { message: string }).message };
          break;
        case "reset":
        case "columns":
          this.reload();
          return;
        case "gone": {
          const { error } = JSON.parse(event.data) as { error: FailureBody };
          this.cursor = "";
          this.fail(new Failure(error));
          return;
        }
      }
    }
    if (changes.size > 0) {
      this.changes = changes;
      this.totalSignal.value = this.newest ? this.totalSignal.value : this.rows.size;
      this.revisionSignal.value++;
    }
  }

  /** Takes a change, and returns the key of its row. */
  private change({ type, row }: { type: string; row: Row }): string {
    const key = keyOf(row);
    if (type === "deleted") {
      this.rows.delete(key);
      return key;
    }
    this.changed.set(row, Date.now());
    if (this.newest) {
      this.rows.delete(key);
      this.rows.set(key, row);
      if (this.rows.size > this.newest * 2) {
        for (const oldest of this.rows.keys()) {
          if (this.rows.size <= this.newest) break;
          this.rows.delete(oldest);
        }
      }
      return key;
    }
    this.rows.set(key, row);
    return key;
  }
}
