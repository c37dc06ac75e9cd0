// What the whole page knows: session, kinds, namespaces, and whether the gateway answers.

import { computed, effect, signal } from "@preact/signals";
import { Failure, getKinds, getNamespaces, getSession, outcomes } from "./api";
import type { Kind, Kinds, Namespaces, Session } from "./api";
import { pauseAfter } from "./follower";
import { route } from "./router";

/** The session; null before the gateway has told it. */
export const session = signal<Session | null>(null);
export const kinds = signal<Kinds | null>(null);
export const namespaces = signal<Namespaces | null>(null);

/** The reason for which the page could not start; it tries again by itself. */
export const startFailure = signal<{ failure: Failure; retryAt: number } | null>(null);

/** Whether the gateway answers, and knows this browser: it forgets it when it is started anew with another token. */
export const gateway = signal<"answers" | "away" | "unauthorized">("answers");

/** The problem of a view with the cluster, which the banner tells. */
export const clusterAway = signal<string | null>(null);

/** The namespace that the overview and tables are of; undefined for all of them. */
export const namespace = signal<string | undefined>(undefined);

/** The last table, to which Esc leads back from an object. */
export const lastTable = signal<string | null>(null);

effect(() => {
  const now = route.value;
  if (now.view === "overview") namespace.value = now.ns;
  if (now.view === "table") {
    lastTable.value = location.hash;
    if (kindOf(now.path)?.namespaced !== false) namespace.value = now.ns;
  }
});

/** A kind by its path. */
export function kindOf(path: string): Kind | undefined {
  return kinds.value?.kinds.find((kind) => kind.path === path);
}

/** The kinds that have tables, in the server's order: one version of each. */
export const listed = computed(() => (kinds.value?.kinds ?? []).filter((kind) => kind.preferred && kind.verbs.includes("list") && kind.verbs.includes("watch")));

let failures = 0;
let timer = 0;

/** Reads session, kinds and namespaces, until that succeeds. */
export async function start(): Promise<void> {
  clearTimeout(timer);
  try {
    const [now, served, names] = await Promise.all([getSession(), getKinds(), getNamespaces().catch(() => null)]);
    failures = 0;
    session.value = now;
    kinds.value = served;
    if (names) namespaces.value = names;
    startFailure.value = null;
    if (!names) timer = window.setTimeout(refresh, 5000);
  } catch (error) {
    const failure = Failure.of(error);
    const wait = pauseAfter(failure, ++failures);
    startFailure.value = { failure, retryAt: Date.now() + wait };
    timer = window.setTimeout(start, wait);
  }
}

/** Asks again for kinds and namespaces, as when one is chosen: definitions come and go. */
export async function refresh(): Promise<void> {
  const [served, names] = await Promise.allSettled([getKinds(true), getNamespaces()]);
  if (served.status === "fulfilled") kinds.value = served.value;
  if (names.status === "fulfilled") namespaces.value = names.value;
}

let probe = 0;

/** Asks for the session until the gateway answers and knows this browser, and then tells everyone to go on. */
function watchGateway(): void {
  clearTimeout(probe);
  probe = window.setTimeout(async () => {
    try {
      session.value = await getSession();
    } catch {
      if (gateway.value !== "answers") watchGateway();
    }
  }, 2000);
}

function note(state: typeof gateway.value): void {
  const before = gateway.value;
  if (before === state) return;
  gateway.value = state;
  if (state !== "answers") {
    watchGateway();
    return;
  }
  outcomes.dispatchEvent(new Event("signed-in"));
  if (!kinds.value) void start();
  else void refresh();
}

outcomes.addEventListener("answered", () => note("answers"));
outcomes.addEventListener("away", () => note("away"));
outcomes.addEventListener("unauthorized", () => note("unauthorized"));

export type Theme = "system" | "light" | "dark";

const THEME = "klient-theme";
const stored = (): Theme => {
  const text = localStorage.getItem(THEME);
  return text === "light" || text === "dark" ? text : "system";
};

export const theme = signal<Theme>(stored());

effect(() => {
  const now = theme.value;
  if (now === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(THEME);
  } else {
    document.documentElement.dataset.theme = now;
    localStorage.setItem(THEME, now);
  }
});

/** The time, for what tells ages and countdowns; it moves once a second. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** Shows another cluster, by another address: nothing of this one is right there. */
export function chooseContext(name: string): void {
  if (name !== session.value?.context) location.assign(`/?context=${encodeURIComponent(name)}#/overview`);
}
