// The routes of the gateway, typed, and the failures that they answer with.

/** A kind that the cluster serves. `path` names it in routes: `apps/v1/deployments`; the core group is `core` there. */
export interface Kind {
  group: string;
  version: string;
  resource: string;
  kind: string;
  namespaced: boolean;
  preferred: boolean;
  verbs: string[];
  shortNames: string[];
  categories: string[];
  subresources: string[];
  path: string;
}

export interface Kinds {
  kinds: Kind[];
  /** Groups whose server does not answer. */
  failed: { groupVersion: string; message: string }[];
}

export interface Namespaces {
  namespaces: string[];
  default: string;
  /** False if the user may not list namespaces, and only that of the kubeconfig is there. */
  complete: boolean;
}

/** What the gateway is connected to, and what it allows. What the cluster does not say is null, and `problem` has the reason. */
export interface Session {
  /** The name of the context that is shown. */
  context: string;
  contexts: string[];
  /** The namespace of the kubeconfig. */
  namespace: string;
  user: string | null;
  version: string | null;
  /** The version of the gateway. */
  gateway: string;
  /** The way in which the gateway knows users: by its own token, or by a proxy in front that signs them in. */
  access: "token" | "bearer" | "impersonate";
  writes: boolean;
  exec: boolean;
  secrets: boolean;
  problem: FailureBody | null;
}

export interface Column {
  name: string;
  type: string;
  format: string;
  description: string;
  /** Columns above 0 are those of `kubectl get -o wide`. */
  priority: number;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export type Cell = string | number | boolean | null | object;

export interface Row {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    ownerReferences?: OwnerReference[];
  };
  cells: Cell[];
}

export interface Table {
  resource: { group: string; version: string; resource: string; kind: string; namespaced: boolean };
  columns: Column[];
  rows: Row[];
  total: number;
  continue: string | null;
  resourceVersion: string;
  cursor: string;
  status: { state: "live" } | { state: "waiting"; message: string };
}

export interface EventSummary {
  type: string | null;
  reason: string | null;
  message: string | null;
  count: number | null;
  time: string | null;
  source: string | null;
  object: { apiVersion?: string; kind?: string; name?: string; namespace?: string; uid?: string; fieldPath?: string } | null;
}

/** An owner, or an object that is owned; `path` is absent if the cluster does not serve its kind. */
export interface Relative {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string | null;
  uid: string;
  path?: string;
  /** Of what is owned: the uid of its owner. */
  owner?: string;
  error?: FailureBody;
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Row["metadata"] & { annotations?: Record<string, string>; [field: string]: unknown };
  [field: string]: unknown;
}

export interface ObjectAnswer {
  object: KubernetesObject;
  events: EventSummary[];
  /** From the nearest owner to the top. */
  owners: Relative[];
  owned: Relative[];
  /** Parts that the user may not see. */
  problems: { part: string; error: FailureBody }[];
}

/** A part of the overview, or the reason for which it cannot be seen. */
export type Part<T> = (T & { total: number; error?: undefined }) | { error: FailureBody };

export interface Problem {
  namespace: string | null;
  name: string;
  why: Cell;
}

export interface Overview {
  /** Absent in a namespace. */
  nodes?: Part<{ byStatus: Record<string, number>; problems: Problem[] }>;
  pods: Part<{ byStatus: Record<string, number>; problems: Problem[] }>;
  workloads: (Part<{ problems: Problem[] }> & { path: string })[];
  warnings: Part<{
    warnings: number;
    last: { namespace: string | null; name: string; created: string; reason: string; object: string; message: string }[];
  }>;
}

export interface FailureBody {
  code: string;
  message: string;
  status: number;
}

/**
 * A failure of a request. `code` is that of the gateway (`forbidden`, `kind_unknown`, `not_synced`, …), or `gateway_away` if
 * the gateway does not answer. Failures of the API server behind the proxy have its reason in lower case, such as `conflict`.
 */
export class Failure extends Error {
  readonly code: string;
  readonly status: number;
  /** The Status of the API server, if it answered with one. */
  readonly details: unknown;

  constructor(body: FailureBody, details?: unknown) {
    super(body.message);
    this.name = "Failure";
    this.code = body.code;
    this.status = body.status;
    this.details = details;
  }

  static of(error: unknown): Failure {
    if (error instanceof Failure) return error;
    return new Failure({ code: "gateway_away", status: 0, message: "The gateway does not answer" });
  }

  /** True if somebody has to allow it first: the cluster, the gateway, or a new sign-in. */
  get isRefused(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** True if another try may help without anything being done about it. */
  get isTransient(): boolean {
    return ["gateway_away", "unreachable", "cluster_error", "not_synced", "too_many_requests", "internal", "too_many_streams"].includes(this.code);
  }
}

/** The context that this page shows, as its address says; null for the gateway's own. */
export const context: string | null = new URLSearchParams(location.search).get("context");

/** The address of a path for links and WebSockets, which cannot have the header that `send` tells the context by. */
export function inContext(path: string): string {
  if (context === null) return path;
  return `${path}${path.includes("?") ? "&" : "?"}context=${encodeURIComponent(context)}`;
}

/** The address of a path of the cluster's API for links behind which the query is a pod's: it has the context in its path. */
export function belowContext(path: string): string {
  // Twice, since no part of a path has an encoded slash, which some names have.
  return context === null ? path : `/context/${encodeURIComponent(encodeURIComponent(context))}${path}`;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** A path with the parameters that have a value. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** Listeners of the outcome of requests: whether the gateway answers, and whether it knows this browser. */
export const outcomes = new EventTarget();

function note(outcome: "answered" | "away" | "unauthorized"): void {
  outcomes.dispatchEvent(new Event(outcome));
}

/**
 * Sends a request to the gateway, and returns the response if it is a success.
 *
 * Throws a `Failure` otherwise; an `AbortError` if the signal aborts it.
 */
export async function send(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    const headers = new Headers(init.headers);
    if (context !== null) headers.set("x-klient-context", context);
    response = await fetch(url, { ...init, headers, credentials: "same-origin" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    note("away");
    throw Failure.of(error);
  }
  if (response.ok) {
    note("answered");
    return response;
  }
  const failure = await failureOf(response);
  note(failure.code === "unauthorized" ? "unauthorized" : "answered");
  throw failure;
}

async function failureOf(response: Response): Promise<Failure> {
  const text = await response.text().catch(() => "");
  const fallback = { code: "internal", status: response.status, message: text.trim() || `HTTP status ${response.status}` };
  try {
    const body = JSON.parse(text);
    if (body?.error?.message) return new Failure({ ...fallback, ...body.error });
    if (body?.kind === "Status") {
      const code = String(body.reason || "internal").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
      return new Failure({ code, status: body.code ?? response.status, message: body.message ?? fallback.message }, body);
    }
  } catch {
    // The text is the message.
  }
  return new Failure(fallback);
}

async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await send(url, { headers: { accept: "application/json" }, signal });
  return readJson(response);
}

async function readJson<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    // The connection broke in the middle.
    throw Failure.of(error);
  }
}

/**
 * Signs this browser in with the gateway's token, or with the address that has it.
 *
 * Throws a `Failure` with the code `unauthorized` if that is not the token.
 */
export async function signIn(token: string): Promise<void> {
  const headers = { accept: "application/json" };
  let response: Response;
  try {
    // The cookie is in the response, which leads to the page that is here already.
    response = await fetch("/", { method: "POST", body: new URLSearchParams({ token }), headers, redirect: "manual" });
  } catch (error) {
    throw Failure.of(error);
  }
  if (response.type !== "opaqueredirect") throw await failureOf(response);
  await getSession();
}

export const getSession = (signal?: AbortSignal) => getJson<Session>("/v1/session", signal);
export const getKinds = (refresh = false, signal?: AbortSignal) => getJson<Kinds>(address("/v1/kinds", { refresh }), signal);
export const getNamespaces = (signal?: AbortSignal) => getJson<Namespaces>("/v1/namespaces", signal);
/** The overview of a namespace, which has no nodes, or of all. */
export const getOverview = (namespace: string | undefined, signal?: AbortSignal) =>
  getJson<Overview>(address("/v1/overview", { namespace }), signal);

export const getTable = (path: string, query: Query, signal?: AbortSignal) =>
  getJson<Table>(address(`/v1/table/${path}`, query), signal);

export const getObject = (path: string, namespace: string | undefined, name: string, query: Query = {}, signal?: AbortSignal) =>
  getJson<ObjectAnswer>(address(`/v1/object/${path}/${encodeURIComponent(name)}`, { namespace, ...query }), signal);

/** The path of an object, or of a kind, in the cluster's own API: `/apis/apps/v1/namespaces/shop/deployments/web`. */
export function apiPath(path: string, namespace?: string | null, name?: string, subresource?: string): string {
  const [group = "", version = "", resource = ""] = path.split("/");
  const parts = group === "core" ? ["api", version] : ["apis", group, version];
  if (namespace) parts.push("namespaces", namespace);
  parts.push(resource);
  if (name !== undefined) parts.push(name);
  if (subresource) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join("/")}`;
}
