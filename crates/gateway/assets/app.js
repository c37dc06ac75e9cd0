// The live table of a kind. The address has the kind and the search: #apps/v1/deployments?search=web

const kinds = document.getElementById("kind");
const search = document.getElementById("search");
const state = document.getElementById("state");
const caption = document.getElementById("caption");
const head = document.getElementById("columns");
const body = document.getElementById("rows");

/** The table that is shown; another one takes its place when the kind or the search changes. */
let shown = null;

/** Reads JSON, and throws the message of the gateway. */
async function read(path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer;
}

function place() {
  const [path, query] = location.hash.slice(1).split("?");
  return { path: path || "core/v1/pods", search: new URLSearchParams(query).get("search") ?? "" };
}

/** The rows of a kind, which follow the server until it is closed. */
class LiveTable {
  constructor({ path, search }) {
    this.path = path;
    this.query = search ? `&search=${encodeURIComponent(search)}` : "";
    this.rows = new Map();
  }

  async open() {
    try {
      const table = await read(`/v1/table/${this.path}?${this.query.slice(1)}`);
      if (shown !== this) return;
      this.show(table);
      this.follow(table.cursor);
    } catch (error) {
      this.wait(error.message);
    }
  }

  follow(cursor) {
    this.events?.close();
    const events = new EventSource(`/v1/changes/${this.path}?cursor=${cursor}${this.query}`);
    this.events = events;
    const say = (text) => () => (state.textContent = text);
    events.onopen = say("Live");
    events.addEventListener("sync", say("Live"));
    events.addEventListener("waiting", say("The cluster is away"));
    events.addEventListener("change", (event) => this.change(JSON.parse(event.data)));
    events.addEventListener("columns", () => this.again());
    events.addEventListener("reset", () => this.again());
    events.addEventListener("gone", (event) => this.wait(JSON.parse(event.data).error.message));
    // A stream that the gateway refuses is closed by the browser.
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) this.wait("The gateway is away");
      else state.textContent = "The gateway is away";
    };
  }

  again() {
    this.close();
    this.open();
  }

  wait(message) {
    if (shown !== this) return;
    this.close();
    state.textContent = message;
    this.timer = setTimeout(() => this.open(), 2000);
  }

  close() {
    clearTimeout(this.timer);
    this.events?.close();
  }

  show(table) {
    const isWide = (column) => column.priority > 0;
    this.columns = table.columns.map((column, index) => ({ ...column, index })).filter((column) => !isWide(column));
    this.namespaced = table.resource.namespaced;
    const names = this.columns.map((column) => column.name);
    head.replaceChildren(...(this.namespaced ? ["Namespace", ...names] : names).map(heading));
    this.rows = new Map(table.rows.map((row) => [key(row), this.element(row)]));
    body.replaceChildren(...this.rows.values());
    this.count(table.resource.kind);
  }

  change({ type, row }) {
    const old = this.rows.get(key(row));
    if (type === "deleted") {
      old?.remove();
      this.rows.delete(key(row));
    } else {
      const element = this.element(row);
      if (old) old.replaceWith(element);
      else body.append(element);
      this.rows.set(key(row), element);
    }
    this.count();
  }

  element(row) {
    const cells = this.columns.map((column) => cell(column, row));
    const element = document.createElement("tr");
    element.append(...(this.namespaced ? [data(row.metadata.namespace), ...cells] : cells));
    return element;
  }

  count(kind = this.kind) {
    this.kind = kind;
    caption.textContent = `${this.rows.size} × ${kind}`;
  }
}

function key(row) {
  return `${row.metadata.namespace ?? ""}/${row.metadata.name}`;
}

function heading(name) {
  const element = document.createElement("th");
  element.scope = "col";
  element.textContent = name;
  return element;
}

function data(text) {
  const element = document.createElement("td");
  element.textContent = text ?? "";
  return element;
}

/** The age of a row is that of now, and not of when the server made the row. */
function cell(column, row) {
  const created = row.metadata.creationTimestamp;
  return data(column.name === "Age" && created ? age(Date.parse(created)) : row.cells[column.index]);
}

function age(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]]) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${seconds}s`;
}

function open() {
  const to = place();
  kinds.value = to.path;
  search.value = to.search;
  shown?.close();
  state.textContent = "Connecting";
  shown = new LiveTable(to);
  shown.open();
}

function go() {
  const query = search.value ? `?search=${encodeURIComponent(search.value)}` : "";
  location.hash = `${kinds.value}${query}`;
}

async function start() {
  try {
    const served = (await read("/v1/kinds")).kinds;
    const listed = served.filter((kind) => kind.preferred && kind.verbs.includes("list") && kind.verbs.includes("watch"));
    const option = (kind) => new Option(kind.group ? `${kind.kind} (${kind.group})` : kind.kind, kind.path);
    kinds.replaceChildren(...listed.map(option));
    kinds.addEventListener("change", go);
    search.addEventListener("input", go);
    addEventListener("hashchange", open);
    open();
  } catch (error) {
    state.textContent = error.message;
    setTimeout(start, 2000);
  }
}

start();
