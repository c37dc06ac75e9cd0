// Any kind as a table that is alive, with the server's own columns.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row } from "../api";
import { Live, keyOf } from "../live";
import { plural } from "../nav";
import { go, parse } from "../router";
import type { TableRoute } from "../router";
import { useShortcuts } from "../shortcuts";
import { clusterAway, gateway, kindOf, refresh } from "../state";
import { Button, Countdown, Grid, Icon, Progress, copy, sentence } from "../ui";
import { comparator, matcher, prepareSearch } from "./cells";
import type { Compare } from "./cells";
import { CellText, columnsOf } from "./columns";
import { Nothing } from "./nothing";
import { Ordered } from "./ordered";
import { Count, Filters, SearchField, SortChoice, StatusBadge } from "./table-head";
import { KindUnknown } from "./unknown";

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
  const [search, setSearch, keepSearch] = useSearch(route);
  const [selected, setSelected] = useState<string | null>(null);
  const status = live.status.value;
  const columns = live.columns.value;
  const revision = live.revision.value;
  const total = live.total.value;
  const isLoaded = total !== null && live.rows.size >= total;

  const compare = useMemo(() => comparator(sort, desc, columns), [sort, desc, columns]);
  const rows = useRows(live, revision, search, compare);
  const shown = useMemo(() => columnsOf(columns, rows, { wide, withNamespace: namespaced && !ns }), [columns, wide, namespaced, ns, isLoaded, rows.length > 0]);
  const indexOf = (key: string) => Ordered.indexOf(rows, live.rows.get(key), compare);
  const open = (row: Row) => go({ view: "object", path, namespace: row.metadata.namespace, name: row.metadata.name });

  const grid = useRef<HTMLDivElement>(null);
  const gridElement = () => grid.current?.querySelector<HTMLElement>("[role=grid]");
  const focusGrid = () => gridElement()?.focus();
  const isReady = rows.length > 0;
  useLayoutEffect(() => {
    // The keys of the table work at once.
    if (isReady && (document.activeElement === document.body || document.activeElement?.id === "main")) focusGrid();
  }, [isReady]);
  useShortcuts(({ key }) => {
    if (key === "w") go({ ...route, wide: !wide || undefined }, { replace: true });
    else if (key === "y" && selected) void copy(selected.slice(selected.indexOf("/") + 1), "The name is copied");
    else if (["j", "k", "ArrowDown", "ArrowUp"].includes(key) && document.activeElement === document.body) {
      focusGrid();
      gridElement()?.dispatchEvent(new KeyboardEvent("keydown", { key }));
    } else return false;
    return true;
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
          onEnter={() => prepareSearch(live.rows.values())}
          onLeave={keepSearch}
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

/** The rows in their order, with what the search leaves. */
function useRows(live: Live, revision: number, search: string, compare: Compare): readonly Row[] {
  const ordered = useMemo(() => new Ordered(live, compare), [live, compare]);
  const rows = ordered.now();
  return useMemo(() => (search.trim() ? rows.filter(matcher(search)) : rows), [rows, revision, search]);
}

/** The search, which the address has a moment after it is typed. */
function useSearch(route: TableRoute): [string, (text: string) => void, () => void] {
  const [search, setSearch] = useState(route.q ?? "");
  const timer = useRef(0);
  const latest = useRef(route);
  latest.current = route;
  const isOurs = useRef(route.q ?? "");
  // The text that is not in the address yet.
  const pending = useRef<string | null>(null);
  useEffect(() => {
    // Another address, as by the way back.
    if ((route.q ?? "") !== isOurs.current) {
      isOurs.current = route.q ?? "";
      setSearch(route.q ?? "");
    }
  }, [route.q]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      pending.current = null;
    },
    [],
  );
  const keep = () => {
    clearTimeout(timer.current);
    const text = pending.current;
    if (text === null) return;
    pending.current = null;
    const shown = parse(location.hash);
    if (shown.view !== "table" || shown.path !== latest.current.path) return;
    isOurs.current = text;
    go({ ...latest.current, q: text || undefined }, { replace: true });
  };
  const change = (text: string) => {
    setSearch(text);
    pending.current = text;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(keep, 200);
  };
  return [search, change, keep];
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
