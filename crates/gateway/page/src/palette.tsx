// The palette: kinds, namespaces, contexts and actions by a few letters.

import { computed, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { nextTheme, openKind, showsKeys } from "./keys";
import { sections } from "./nav";
import { go, route } from "./router";
import { chooseContext, kindOf, namespace, namespaces, refresh, session } from "./state";
import { Dialog, Icon } from "./ui";
import type { IconName } from "./ui";

type Mode = "all" | "kind" | "namespace" | "context";

interface Item {
  id: string;
  icon: IconName;
  title: string;
  hint: string;
  /** Other words by which it is found, such as short names. */
  also: string[];
  run: () => void;
}

const mode = signal<Mode | null>(null);

export function openPalette(as: Mode): void {
  mode.value = as;
  // Namespaces and definitions may have come or gone.
  void refresh();
}

/** Goes to a namespace, undefined for all: to the same table there, that of the object's kind, or the overview. */
function chooseNamespace(name: string | undefined): void {
  namespace.value = name;
  const now = route.value;
  const isNamespaced = (path: string) => kindOf(path)?.namespaced !== false;
  if (now.view === "table" && isNamespaced(now.path)) go({ ...now, ns: name });
  else if (now.view === "object" && isNamespaced(now.path)) go({ view: "table", path: now.path, ns: name });
  else go({ view: "overview", ns: name });
}

const kindItems = computed<Item[]>(() =>
  sections.value.flatMap((section) => section.kinds).map((kind) => ({
    id: `kind ${kind.path}`,
    icon: "table",
    title: kind.kind,
    hint: kind.group ? `${kind.resource}.${kind.group}` : kind.resource,
    also: [kind.resource, ...kind.shortNames],
    run: () => openKind(kind.path),
  })),
);

const namespaceItems = computed<Item[]>(() => [
  { id: "all namespaces", icon: "tag", title: "All namespaces", hint: "Namespace", also: ["all", "*"], run: () => chooseNamespace(undefined) },
  ...(namespaces.value?.namespaces ?? []).map((name): Item => ({
    id: `namespace ${name}`,
    icon: "tag",
    title: name,
    hint: name === namespace.value ? "Namespace, chosen" : "Namespace",
    also: [],
    run: () => chooseNamespace(name),
  })),
]);

const contextItems = computed<Item[]>(() =>
  (session.value?.contexts ?? []).map((name) => ({
    id: `context ${name}`,
    icon: "plug",
    title: name,
    hint: name === session.value?.context ? "Context, chosen" : "Context",
    also: [],
    run: () => chooseContext(name),
  })),
);

const ACTIONS: Item[] = [
  { id: "overview", icon: "overview", title: "Overview", hint: "g o", also: ["home"], run: () => go({ view: "overview", ns: namespace.value }) },
  { id: "theme", icon: "sun", title: "Light, dark, or as the system", hint: "t", also: ["theme"], run: nextTheme },
  { id: "keys", icon: "keyboard", title: "Keys", hint: "?", also: ["help", "shortcuts"], run: () => (showsKeys.value = true) },
];

const TITLES: Record<Mode, string> = { all: "Go to", kind: "Choose a kind", namespace: "Choose a namespace", context: "Choose a context" };
const HINTS: Record<Mode, string> = { all: "Kind, namespace, context or action", kind: "Kind", namespace: "Namespace", context: "Context" };

/** How well an item matches; undefined if it does not. */
function score(item: Item, search: string): number | undefined {
  if (!search) return 0;
  const title = item.title.toLowerCase();
  if (title === search || item.also.includes(search)) return 0;
  if (title.startsWith(search)) return 1;
  if (item.also.some((word) => word.startsWith(search))) return 2;
  if (title.includes(search)) return 3;
  if (item.hint.toLowerCase().includes(search)) return 4;
  // All letters, in their order.
  let at = 0;
  for (const letter of title) if (letter === search[at]) at++;
  return at === search.length ? 5 : undefined;
}

function itemsOf(as: Mode): Item[] {
  const contexts = contextItems.value.length > 1 ? contextItems.value : [];
  switch (as) {
    case "kind":
      return kindItems.value;
    case "namespace":
      return namespaceItems.value;
    case "context":
      return contextItems.value;
    case "all":
      return [...ACTIONS, ...kindItems.value, ...namespaceItems.value, ...contexts];
  }
}

export function Palette() {
  if (!mode.value) return null;
  return <OpenPalette key={mode.value} mode={mode.value} />;
}

/** The most items that are shown: more are found by more letters. */
const MOST = 60;

function OpenPalette({ mode: as }: { mode: Mode }) {
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const close = () => (mode.value = null);
  const words = search.trim().toLowerCase();
  const scored = itemsOf(as).flatMap((item) => {
    const rank = score(item, words);
    return rank === undefined ? [] : [{ item, rank }];
  });
  if (words) scored.sort((one, other) => one.rank - other.rank);
  const items = scored.slice(0, MOST).map(({ item }) => item);
  const run = (item: Item | undefined) => {
    if (!item) return;
    close();
    item.run();
  };
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, search]);
  const keyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move !== undefined && items.length > 0) {
      event.preventDefault();
      setAt((at + move + items.length) % items.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(items[at]);
    }
  };
  return (
    <Dialog title={TITLES[as]} bare class="palette" onClose={close}>
      <div class="palette-search">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          data-autofocus
          aria-label={TITLES[as]}
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={items[at] ? `palette-${at}` : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={HINTS[as]}
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={keyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id="palette-list" role="listbox" aria-label={TITLES[as]} ref={list}>
        {items.map((item, index) => (
          <li key={item.id} id={`palette-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => run(item)}>
            <Icon name={item.icon} />
            <span class="title">{item.title}</span>
            <span class="hint">{item.hint}</span>
          </li>
        ))}
      </ul>
      {items.length === 0 && <p class="nothing" role="status">Nothing is called “{search.trim()}”</p>}
      {scored.length > MOST && <p class="more">{scored.length - MOST} more: type on</p>}
    </Dialog>
  );
}
