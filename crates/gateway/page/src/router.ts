// The address of the page, and the state that it stands for.

import { computed, signal } from "@preact/signals";

export interface TableRoute {
  view: "table";
  /** The path of the kind: `apps/v1/deployments`, `core/v1/pods`. */
  path: string;
  ns?: string;
  /** Words that rows have; those behind a minus sign, that they do not have. */
  q?: string;
  labels?: string;
  fields?: string;
  sort?: string;
  desc?: boolean;
  wide?: boolean;
}

export interface ObjectRoute {
  view: "object";
  path: string;
  namespace?: string;
  name: string;
  tab?: string;
  /** Parameters of the tab, such as the container whose log is shown. */
  query?: Record<string, string>;
}

export interface OverviewRoute {
  view: "overview";
  /** The namespace; all of them without it. */
  ns?: string;
}

export type Route = OverviewRoute | TableRoute | ObjectRoute | { view: "unknown"; address: string };

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

export function parse(hash: string): Route {
  const text = hash.replace(/^#\/?/, "");
  const at = text.indexOf("?");
  const [path, query] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  const parts = path.split("/").filter(Boolean).map(decode);
  const parameters = new URLSearchParams(query);
  const get = (key: string) => parameters.get(key) || undefined;
  if (parts.length === 0 || (parts.length === 1 && parts[0] === "overview")) return { view: "overview", ns: get("ns") };
  const [view, group, version, resource, namespace, name, tab] = parts;
  const kind = [group, version, resource].join("/");
  if (view === "k" && parts.length === 4) {
    const has = (key: string) => parameters.has(key) || undefined;
    return {
      view: "table",
      path: kind,
      ns: get("ns"),
      q: get("q"),
      labels: get("labels"),
      fields: get("fields"),
      sort: get("sort"),
      desc: has("desc"),
      wide: has("wide"),
    };
  }
  if (view === "o" && namespace && name && parts.length <= 7) {
    return {
      view: "object",
      path: kind,
      namespace: namespace === "-" ? undefined : namespace,
      name,
      tab,
      query: Object.fromEntries(parameters),
    };
  }
  return { view: "unknown", address: text };
}

function withQuery(path: string, query: Record<string, string | boolean | undefined>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (value === true) parts.push(key);
    // Commas and equals signs of selectors stay readable.
    else if (value) parts.push(`${key}=${encodeURIComponent(value).replace(/%2C/g, ",").replace(/%2F/g, "/")}`);
  }
  return parts.length > 0 ? `${path}?${parts.join("&")}` : path;
}

/** The address of a state, for links. */
export function href(route: Route): string {
  switch (route.view) {
    case "overview":
      return withQuery("#/overview", { ns: route.ns });
    case "table": {
      const { view: _, path, ...query } = route;
      return withQuery(`#/k/${path}`, query);
    }
    case "object": {
      const parts = [route.namespace || "-", route.name, route.tab].filter((part) => part !== undefined);
      return withQuery(`#/o/${route.path}/${parts.map((part) => encodeURIComponent(part!)).join("/")}`, route.query ?? {});
    }
    case "unknown":
      return `#/${route.address}`;
  }
}

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

/** The state that the address stands for. */
export const route = computed(() => parse(hash.value));

/** Goes to a state; `replace` leaves no step to come back to, as for each letter of a search. */
export function go(to: Route | string, options: { replace?: boolean } = {}): void {
  const target = typeof to === "string" ? to : href(to);
  if (target === location.hash) return;
  if (options.replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  hash.value = location.hash;
}
addEventListener("popstate", () => (hash.value = location.hash));
