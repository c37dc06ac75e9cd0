// The keys of the whole page, and the dialog that tells them.

import { signal } from "@preact/signals";
import { openPalette } from "./palette";
import { go, route } from "./router";
import { useKeyDown, useShortcuts } from "./shortcuts";
import { kindOf, lastTable, namespace, session, theme } from "./state";
import type { Theme } from "./state";
import { Dialog, Key } from "./ui";

export const showsKeys = signal(false);

/** The second key behind `g`. */
const PLACES: Record<string, string> = {
  p: "core/v1/pods",
  d: "apps/v1/deployments",
  s: "core/v1/services",
  n: "core/v1/nodes",
  e: "core/v1/events",
  c: "core/v1/configmaps",
};

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

export function nextTheme(): void {
  theme.value = NEXT[theme.value];
}

/** Goes to the table of a kind, in the namespace that is chosen. */
export function openKind(path: string): void {
  const ns = kindOf(path)?.namespaced === false ? undefined : namespace.value;
  go({ view: "table", path, ns });
}

let isBehindG = false;

/** Does what a key is for; false if it is for nothing here. */
function pressed({ key }: KeyboardEvent): boolean {
  if (isBehindG) {
    isBehindG = false;
    if (key === "o") go({ view: "overview", ns: namespace.value });
    else if (PLACES[key]) openKind(PLACES[key]);
    else return false;
    return true;
  }
  switch (key) {
    case "g":
      isBehindG = true;
      setTimeout(() => (isBehindG = false), 1200);
      return true;
    case ":":
      openPalette("all");
      return true;
    case "n":
      openPalette("namespace");
      return true;
    case "?":
      showsKeys.value = true;
      return true;
    case "/":
      document.querySelector<HTMLElement>("[data-search]")?.focus();
      return true;
    case "t":
      nextTheme();
      return true;
    case "Escape":
      if (route.value.view !== "object") return false;
      go(lastTable.value ?? { view: "table", path: route.value.path, ns: namespace.value });
      return true;
    default:
      return false;
  }
}

export function useKeys(): void {
  // It also leads out of fields and dialogs.
  useKeyDown((event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    openPalette("all");
  });
  useShortcuts(pressed);
}

const HELP: [string, [string[], string][]][] = [
  [
    "Everywhere",
    [
      [["Ctrl K", ":"], "Go to a kind, a namespace, or an action"],
      [["n"], "Choose the namespace"],
      [["g o"], "Overview"],
      [["g p", "g d", "g s"], "Pods, deployments, services"],
      [["g n", "g e", "g c"], "Nodes, events, config maps"],
      [["t"], "Light, dark, or as the system"],
      [["Esc"], "Close, or back to the table"],
      [["?"], "These keys"],
    ],
  ],
  [
    "In a table",
    [
      [["/"], "Search"],
      [["j", "↓"], "Next row"],
      [["k", "↑"], "Row before"],
      [["Home", "End"], "First and last row"],
      [["Enter"], "Open the object"],
      [["w"], "Wide columns"],
      [["y"], "Copy the name"],
    ],
  ],
  [
    "In an object",
    [
      [["1", "2", "3"], "Choose a tab"],
      [["e"], "Edit the YAML"],
      [["Ctrl Enter"], "Review an edit, then apply it"],
      [["c"], "Changes since it was opened"],
      [["m"], "Managed fields; times in logs"],
      [["f", "w"], "Follow a log, break its lines"],
      [["G"], "To the end of a log"],
      [["F6"], "Leave the terminal"],
    ],
  ],
];

export function KeysDialog() {
  if (!showsKeys.value) return null;
  return (
    <Dialog title="Keys" class="keys-dialog" onClose={() => (showsKeys.value = false)}>
      <div class="keys" role="region" aria-label="All keys" tabIndex={0}>
        {HELP.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([names, what]) => (
                <div key={what}>
                  <dt>
                    {names.map((name) => (
                      <Key key={name}>{name}</Key>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="licenses">
        klient {session.value?.gateway}, with <a href={document.querySelector<HTMLLinkElement>("link[rel=license]")?.href}>software of others</a>
      </p>
    </Dialog>
  );
}
