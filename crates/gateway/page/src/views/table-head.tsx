// What stands above a table: number of rows, state, search, selectors and order.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Status } from "../live";
import { go } from "../router";
import type { TableRoute } from "../router";
import { Button, Icon, ToneMark, sentence, takeFocus } from "../ui";
import type { Shown } from "./columns";

/** The number of rows, and of those that the search leaves. */
export function Count({ shown, all, total, isFiltered }: { shown: number; all: number; total: number | null; isFiltered: boolean }) {
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

/** Whether the rows follow the server. */
export function StatusBadge({ status, hasRows }: { status: Status; hasRows: boolean }) {
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
        <span class="live off" title="Rows are as they were last">
          <ToneMark tone="warn" />
          Not live
        </span>
      );
  }
}

export interface SearchFieldProps {
  value: string;
  onInput: (text: string) => void;
  /** A search may begin. */
  onEnter: () => void;
  /** The focus goes elsewhere, as before a row is opened. */
  onLeave: () => void;
  onDown: () => void;
}

/** The search; the arrow down leads from it to the rows. */
export function SearchField({ value, onInput, onEnter, onLeave, onDown }: SearchFieldProps) {
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
        onFocus={onEnter}
        onBlur={onLeave}
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
export function Filters({ route, status }: { route: TableRoute; status: Status }) {
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
            <input ref={takeFocus} class="input" type="text" spellcheck={false} autocomplete="off" placeholder="app=web,tier!=cache" value={labels.value} onInput={(event) => (labels.value = event.currentTarget.value)} />
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
export function SortChoice({ columns, sort, desc, onChoose }: { columns: Shown[]; sort?: string; desc: boolean; onChoose: (next: { sort?: string; desc?: boolean }) => void }) {
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
