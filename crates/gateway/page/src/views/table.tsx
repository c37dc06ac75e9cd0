// Any kind as a table that is alive, with the server's own columns.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Column, Row } from "../api";
import { Live, keyOf } from "../live";
import type { Status } from "../live";
import { plural } from "../nav";
import { openPalette } from "../palette";
import { go, href } from "../router";
import type { TableRoute } from "../router";
import { clusterAway, gateway, kindOf, refresh } from "../state";
import { isTyping } from "../keys";
import { Age, Button, Countdown, Empty, FailureNotice, Grid, Icon, Progress, Skeleton, State, ToneMark, copy, sentence, toneOf } from "../ui";
import type { GridColumn } from "../ui";
import { comparator, isAge, isName, matcher, textOf } from "./cells";
import { ObjectLink } from "./object-link";
import { KindUnknown } from "./unknown";

/** A column that is shown; `cell` is its place in the server's rows, -1 for the namespace. */
interface Shown extends GridColumn {
  cell: number;
}

export function TableView({ route }: { route: TableRoute }) {
  const { path, ns, labels, fields } = route;
  const kind = kindOf(path);
  const live = useLive(path, kind?.namespaced === false ? undefined : ns, labels, fields);
  const status = live.status.value;
  const title = kind ? plural(kind) : (path.split("/")[2] ?? path);

  useEffect(() => {
    document.title = `${title}${ns ? ` in ${ns}` : ""} · klient`;
  }, [title, ns]);

  useEffect(() => {
    const isAway = status.state === "waiting" || (status.state === "failed" && ["unreachable", "cluster_error"].includes(status.failure.code));
    clusterAway.value = !isAway ? null : status.state === "waiting" ? status.message : status.failure.message;
    return () => void (clusterAway.value = null);
  }, [status]);

  // A kind that is gone has no table any more; it comes back with its definition.
  const isGone = status.state === "failed" && status.failure.code === "kind_unknown";
  useEffect(() => {
    if (isGone) void refresh();
  }, [isGone]);
  if (isGone) return <KindUnknown path={path} />;
  return <LiveTable live={live} route={route} title={title} namespaced={kind?.namespaced ?? true} />;
}

function useLive(path: string, namespace: string | undefined, labelSelector: string | undefined, fieldSelector: string | undefined): Live {
  const [live, setLive] = useState(() => new Live(path, { namespace, labelSelector, fieldSelector }));
  const first = useRef(live);
  useEffect(() => {
    // The one of the first render is there already.
    const isFirst = first.current === live && !live.isClosed;
    const now = isFirst ? live : new Live(path, { namespace, labelSelector, fieldSelector });
    if (!isFirst) setLive(now);
    return () => now.close();
  }, [path, namespace, labelSelector, fieldSelector]);
  return live;
}

interface LiveTableProps {
  live: Live;
  route: TableRoute;
  title: string;
  namespaced: boolean;
}

function LiveTable({ live, route, title, namespaced }: LiveTableProps) {
  const { path, ns, labels, fields, desc = false, wide = false } = route;
  const sort = route.sort ?? (path.split("/")[2] === "events" ? "age" : undefined);
  const [search, setSearch] = useSearch(route);
  const [selected, setSelected] = useState<string | null>(null);
  const status = live.status.value;
  const columns = live.columns.value;
  const revision = live.revision.value;
  const total = live.total.value;
  const isLoaded = total !== null && live.rows.size >= total;

  const rows = useRows(live, revision, search, sort, desc, columns);
  const shown = useMemo(() => columnsOf(columns, rows, { wide, withNamespace: namespaced && !ns }), [columns, wide, namespaced, ns, isLoaded, rows.length > 0]);
  const indexOf = (key: string) => rows.findIndex((row) => keyOf(row) === key);
  const open = (row: Row) => go({ view: "object", path, namespace: row.metadata.namespace, name: row.metadata.name });

  const grid = useRef<HTMLDivElement>(null);
  const gridElement = () => grid.current?.querySelector<HTMLElement>("[role=grid]");
  const focusGrid = () => gridElement()?.focus();
  const isReady = rows.length > 0;
  useEffect(() => {
    // The keys of the table work at once.
    if (isReady && (document.activeElement === document.body || document.activeElement?.id === "main")) focusGrid();
  }, [isReady]);
  useEffect(() => {
    const keyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      if (event.key === "w") go({ ...route, wide: !wide || undefined }, { replace: true });
      else if (event.key === "y" && selected) void copy(selected.slice(selected.indexOf("/") + 1), "The name is copied");
      else if (["j", "k", "ArrowDown", "ArrowUp"].includes(event.key) && document.activeElement === document.body) {
        focusGrid();
        gridElement()?.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", keyDown);
    return () => removeEventListener("keydown", keyDown);
  });

  const onSort = (column: string) => {
    const isSorted = sort === column;
    // Up, down, and as it was.
    const next = !isSorted ? { sort: column, desc: undefined } : desc ? { sort: undefined, desc: undefined } : { sort: column, desc: true };
    go({ ...route, ...next }, { replace: true });
  };

  return (
    <section class="table-view" aria-label={title}>
      <header class="view-head">
        <h1>{title}</h1>
        <Count shown={rows.length} all={live.rows.size} total={total} isFiltered={search.trim() !== ""} />
        <StatusBadge status={status} hasRows={live.rows.size > 0} />
        <span class="space" />
        <SearchField
          value={search}
          onInput={setSearch}
          onDown={() => {
            if (rows[0] && selected === null) setSelected(keyOf(rows[0]));
            focusGrid();
          }}
        />
        <Filters route={route} status={status} />
        <SortChoice columns={shown} sort={sort} desc={desc} onChoose={(next) => go({ ...route, ...next }, { replace: true })} />
        {columns.some((column) => column.priority > 0) && (
          <Button
            icon="columns"
            class="wide-toggle"
            label="Wide columns"
            keys="w"
            aria-pressed={wide}
            onClick={() => go({ ...route, wide: !wide || undefined }, { replace: true })}
          />
        )}
      </header>
      {total !== null && !isLoaded && <Progress label="Loading rows" value={live.rows.size / total} />}
      {status.state === "failed" && rows.length > 0 && gateway.value === "answers" && (
        <p class="strip" role="alert">
          <Icon name="warn" />
          {sentence(status.failure.message)} {status.retryAt && <Countdown until={status.retryAt} />}
          <Button look="plain" onClick={live.retry}>
            Try now
          </Button>
        </p>
      )}
      <div class="table-body" ref={grid}>
        {rows.length > 0 ? (
          <Grid
            label={`${title}${ns ? ` in ${ns}` : ""}`}
            columns={shown}
            count={rows.length}
            keyAt={(index) => keyOf(rows[index]!)}
            indexOf={indexOf}
            valueAt={(index) => rows[index]}
            cell={(index, column) => <CellText row={rows[index]!} column={shown[column]!} columns={columns} path={path} />}
            rowClass={(index) => (Date.now() - (live.changed.get(rows[index]!) ?? 0) < 1500 ? "changed" : undefined)}
            selected={selected}
            onSelect={setSelected}
            onOpen={(index) => open(rows[index]!)}
            sort={sort}
            desc={desc}
            onSort={onSort}
            stale={status.state === "waiting" || status.state === "failed"}
          />
        ) : (
          <Nothing live={live} status={status} route={route} title={title} namespaced={namespaced} search={search} onClear={() => setSearch("")} />
        )}
      </div>
      <Hints labels={labels} fields={fields} />
    </section>
  );
}

/** The rows in their order, with what the search leaves. The order of before is the start for the next: few rows move. */
function useRows(live: Live, revision: number, search: string, sort: string | undefined, desc: boolean, columns: Column[]): Row[] {
  const before = useRef<string[]>([]);
  const compare = useMemo(() => comparator(sort, desc, columns), [sort, desc, columns]);
  const ordered = useMemo(() => {
    const rows: Row[] = [];
    const known = new Set<string>();
    for (const key of before.current) {
      const row = live.rows.get(key);
      if (row) {
        rows.push(row);
        known.add(key);
      }
    }
    if (known.size < live.rows.size) for (const [key, row] of live.rows) if (!known.has(key)) rows.push(row);
    rows.sort(compare);
    before.current = rows.map(keyOf);
    return rows;
  }, [live, revision, compare]);
  return useMemo(() => (search.trim() ? ordered.filter(matcher(search)) : ordered), [ordered, search]);
}

/** The search, which the address has a moment after it is typed. */
function useSearch(route: TableRoute): [string, (text: string) => void] {
  const [search, setSearch] = useState(route.q ?? "");
  const timer = useRef(0);
  const latest = useRef(route);
  latest.current = route;
  const isOurs = useRef(route.q ?? "");
  useEffect(() => {
    // Another address, as by the way back.
    if ((route.q ?? "") !== isOurs.current) {
      isOurs.current = route.q ?? "";
      setSearch(route.q ?? "");
    }
  }, [route.q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (text: string) => {
    setSearch(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      isOurs.current = text;
      go({ ...latest.current, q: text || undefined }, { replace: true });
    }, 200);
  };
  return [search, change];
}

/** The width, in characters, from which a text may be cut. */
const LONG = 30;

/** Columns whose cells say what they are. */
const PLAIN = /^(last seen|reason|message|image|images|node|url|schedule|provider)$/i;

/** The columns that are shown, as wide as the first rows need. */
function columnsOf(columns: Column[], rows: Row[], { wide, withNamespace }: { wide: boolean; withNamespace: boolean }): Shown[] {
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

function CellText({ row, column, columns, path }: { row: Row; column: Shown; columns: Column[]; path: string }) {
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

function Count({ shown, all, total, isFiltered }: { shown: number; all: number; total: number | null; isFiltered: boolean }) {
  if (total === null) return null;
  const number = (value: number) => value.toLocaleString("en");
  const text = isFiltered ? `${number(shown)} of ${number(all)}` : number(Math.max(all, total));
  return (
    <span class="count" role="status">
      {text}
      <span class="hidden"> rows</span>
    </span>
  );
}

function StatusBadge({ status, hasRows }: { status: Status; hasRows: boolean }) {
  if (!hasRows && status.state !== "live") return null;
  switch (status.state) {
    case "loading":
      return null;
    case "live":
      return (
        <span class="live" title="Changes come as they happen">
          <span class="dot" aria-hidden="true" />
          Live
        </span>
      );
    case "waiting":
    case "failed":
      return (
        <span class="live off">
          <ToneMark tone="warn" />
          As it was last
        </span>
      );
  }
}

function SearchField({ value, onInput, onDown }: { value: string; onInput: (text: string) => void; onDown: () => void }) {
  return (
    <label class="search">
      <Icon name="search" />
      <input
        type="search"
        data-search
        aria-label="Search rows: words that they have, or with a minus sign do not have"
        aria-keyshortcuts="/"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "Enter") onDown();
          else if (event.key === "Escape" && value) onInput("");
          else if (event.key === "Escape") event.currentTarget.blur();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

/** The selectors, which the server evaluates. */
function Filters({ route, status }: { route: TableRoute; status: Status }) {
  const isOpen = useSignal(false);
  const labels = useSignal(route.labels ?? "");
  const fields = useSignal(route.fields ?? "");
  const count = useComputed(() => [labels.value, fields.value].filter((text) => text.trim()).length);
  useEffect(() => {
    labels.value = route.labels ?? "";
    fields.value = route.fields ?? "";
  }, [route.labels, route.fields]);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen.value) return;
    const outside = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) isOpen.value = false;
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [isOpen.value]);
  const apply = () => go({ ...route, labels: labels.value.trim() || undefined, fields: fields.value.trim() || undefined });
  const failure = status.state === "failed" && status.failure.code === "bad_selector" ? status.failure : null;
  return (
    <div
      class="filters"
      ref={element}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen.value) return;
        isOpen.value = false;
        element.current?.querySelector("button")?.focus();
        event.stopPropagation();
      }}
    >
      <Button icon="tag" class="filter-toggle" label="Selectors" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        {count.value > 0 ? `Selectors: ${count.value}` : "Selectors"}
      </Button>
      {isOpen.value && (
        <form
          class="popover"
          onSubmit={(event) => {
            event.preventDefault();
            apply();
          }}
        >
          <label>
            Labels
            <input class="input" type="text" spellcheck={false} autocomplete="off" placeholder="app=web,tier!=cache" value={labels.value} onInput={(event) => (labels.value = event.currentTarget.value)} />
          </label>
          <label>
            Fields
            <input class="input" type="text" spellcheck={false} autocomplete="off" placeholder="status.phase=Running" value={fields.value} onInput={(event) => (fields.value = event.currentTarget.value)} />
          </label>
          {failure && (
            <p class="field-error" role="alert">
              {sentence(failure.message)}
            </p>
          )}
          <footer>
            <Button
              onClick={() => {
                labels.value = fields.value = "";
                apply();
              }}
            >
              Clear
            </Button>
            <Button type="submit" look="primary">
              Apply
            </Button>
          </footer>
        </form>
      )}
    </div>
  );
}

/** The order, on a phone, where there are no headings to tap on. */
function SortChoice({ columns, sort, desc, onChoose }: { columns: Shown[]; sort?: string; desc: boolean; onChoose: (next: { sort?: string; desc?: boolean }) => void }) {
  return (
    <select
      class="sort-choice"
      aria-label="Order"
      value={`${sort ?? ""} ${desc ? "desc" : ""}`}
      onChange={(event) => {
        const [by, down] = event.currentTarget.value.split(/ (?=desc$|$)/);
        onChoose({ sort: by || undefined, desc: down === "desc" || undefined });
      }}
    >
      <option value=" ">By name</option>
      {!columns.some(({ id }) => id === "age") && <option value="age ">Newest first</option>}
      {columns.flatMap(({ id, title }) => [
        <option key={id} value={`${id} `}>{`${title} ↑`}</option>,
        <option key={`${id} desc`} value={`${id} desc`}>{`${title} ↓`}</option>,
      ])}
    </select>
  );
}

interface NothingProps {
  live: Live;
  status: Status;
  route: TableRoute;
  title: string;
  namespaced: boolean;
  search: string;
  onClear: () => void;
}

/** What stands in place of rows: they are on their way, there are none, a filter hides them, or a failure. */
function Nothing({ live, status, route, title, namespaced, search, onClear }: NothingProps) {
  const { ns, labels, fields } = route;
  const withoutSelectors = { ...route, labels: undefined, fields: undefined };
  if (status.state === "loading") return <Skeleton lines={14} label={`Loading ${title}`} />;
  if (status.state === "failed") {
    const { failure, retryAt } = status;
    return (
      <FailureNotice failure={failure} retryAt={retryAt} onRetry={retryAt ? live.retry : undefined}>
        {failure.code === "forbidden" && namespaced && (
          <Button look="primary" onClick={() => openPalette("namespace")}>
            Choose a namespace
          </Button>
        )}
        {failure.code === "bad_selector" && (
          <Button look="primary" onClick={() => go(withoutSelectors)}>
            Clear the selectors
          </Button>
        )}
      </FailureNotice>
    );
  }
  const where = ns ? ` in ${ns}` : "";
  const names = title.toLowerCase();
  if (live.rows.size > 0) {
    return (
      <Empty
        icon="search"
        title={`No ${names} match “${search.trim()}”`}
        actions={
          <Button look="primary" onClick={onClear}>
            Clear the search
          </Button>
        }
      >
        <p>
          The search hides {live.rows.size === 1 ? "the one row" : `all ${live.rows.size.toLocaleString("en")} rows`}
          {where}.
        </p>
      </Empty>
    );
  }
  if (labels || fields) {
    return (
      <Empty
        icon="tag"
        title={`No ${names}${where} match the selectors`}
        actions={
          <Button look="primary" onClick={() => go(withoutSelectors)}>
            Clear the selectors
          </Button>
        }
      >
        <p>
          <code>{[labels, fields].filter(Boolean).join("  ")}</code>
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title={`No ${names}${where}`}
      actions={
        ns && (
          <Button look="primary" onClick={() => go({ ...route, ns: undefined })}>
            All namespaces
          </Button>
        )
      }
    >
      <p>They appear here as soon as somebody creates one.</p>
    </Empty>
  );
}

/** The selectors that are in force, below the table, since they hide rows. */
function Hints({ labels, fields }: { labels?: string; fields?: string }) {
  if (!labels && !fields) return null;
  return (
    <p class="hints">
      <Icon name="tag" />
      Only rows with {labels && <code>{labels}</code>} {labels && fields && "and"} {fields && <code>{fields}</code>}
    </p>
  );
}
