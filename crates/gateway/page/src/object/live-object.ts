// `LiveObject`: an object that follows the server, and what it was when it was opened.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { Failure, address, apiPath, getObject } from "../api";
import type { Kind, KubernetesObject, Row } from "../api";
import { readEvents } from "../stream";
import { Follower, oneAtATime, pause } from "../follower";
import { request } from "./request";
import { watch } from "./watch";

export type ObjectState =
  | { state: "loading" }
  | { state: "live" }
  /** The last request failed; the object stays as it was last. `retryAt` is in milliseconds. */
  | { state: "failed"; failure: Failure; retryAt: number }
  /** It was deleted; it stays as it was last. */
  | { state: "deleted" };

export class LiveObject extends Follower {
  private readonly objectSignal = signal<KubernetesObject | null>(null);
  private readonly baseSignal = signal<KubernetesObject | null>(null);
  private readonly stateSignal = signal<ObjectState>({ state: "loading" });

  /** The object as it is now; null before it is loaded. */
  readonly object: ReadonlySignal<KubernetesObject | null> = this.objectSignal;
  /** The object with which changes are compared: as it was opened, or as it was when `rebase` was called. */
  readonly base: ReadonlySignal<KubernetesObject | null> = this.baseSignal;
  readonly state: ReadonlySignal<ObjectState> = this.stateSignal;
  /** The time of `base`, in milliseconds. */
  since = Date.now();

  constructor(
    readonly kind: Kind,
    readonly namespace: string | undefined,
    readonly name: string,
    /** True for Secrets whose values the gateway keeps to itself: it refuses them as the cluster has them. */
    private readonly isMasked: boolean,
  ) {
    super();
    this.start();
  }

  /** Takes the object as it is now as the one that changes are compared with. */
  rebase = (): void => {
    this.baseSignal.value = this.objectSignal.value;
    this.since = Date.now();
  };

  /** Takes a response of the server that is newer than what was followed. */
  take(object: KubernetesObject): void {
    this.succeeded();
    const last = this.objectSignal.value;
    const isOther = last?.metadata.uid !== object.metadata.uid;
    if (isOther || last?.metadata.resourceVersion !== object.metadata.resourceVersion) this.objectSignal.value = object;
    if (isOther || !this.baseSignal.value) this.rebase();
    if (this.stateSignal.value.state !== "live") this.stateSignal.value = { state: "live" };
  }

  /** Reads the object as it is at the server now. */
  async read(signal?: AbortSignal): Promise<KubernetesObject> {
    if (this.isMasked) return (await getObject(this.kind.path, this.namespace, this.name, { depth: 0 }, signal)).object;
    return (await request(apiPath(this.kind.path, this.namespace, this.name), { signal })).value;
  }

  protected async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.take(await this.read(signal));
      if (this.isMasked) await this.listen(signal);
      else if (this.kind.verbs.includes("watch")) await this.watch(signal);
      else await pause(10_000, signal);
      signal.throwIfAborted();
    }
  }

  protected failed(failure: Failure, retryAt: number): void {
    const isDeleted = failure.code === "not_found" && this.objectSignal.value !== null;
    this.stateSignal.value = isDeleted ? { state: "deleted" } : { state: "failed", failure, retryAt };
  }

  /** Follows the object with a watch of the cluster. */
  private async watch(signal: AbortSignal): Promise<void> {
    const query = { fieldSelector: `metadata.name=${this.name}`, resourceVersion: this.objectSignal.value?.metadata.resourceVersion };
    let isDeleted = false;
    await watch(apiPath(this.kind.path, this.namespace), query, signal, ({ type, object }) => {
      if (type === "BOOKMARK") return;
      isDeleted = type === "DELETED";
      if (isDeleted) {
        this.objectSignal.value = object;
        this.stateSignal.value = { state: "deleted" };
      } else {
        this.take(object);
      }
    });
    // One of the same name may come: it is asked for now and then.
    if (isDeleted) throw new Failure({ code: "not_found", status: 404, message: `${this.name} was deleted` });
  }

  /** Follows the row of the object in the gateway's table, and reads the object when that changes. */
  private async listen(signal: AbortSignal): Promise<void> {
    const url = address(`/v1/changes/${this.kind.path}`, {
      namespace: this.namespace,
      fieldSelector: `metadata.name=${this.name}`,
    });
    const broken = new AbortController();
    let failure: unknown;
    const read = oneAtATime(async () => this.take(await this.read(signal)));
    const concerns = ({ name, data }: { name: string; data: string }) =>
      name === "reset" || (name === "change" && (JSON.parse(data) as { row: Row }).row.metadata.name === this.name);
    try {
      await readEvents(url, AbortSignal.any([signal, broken.signal]), (events) => {
        if (!events.some(concerns)) return;
        read().catch((error: unknown) => {
          failure = error;
          broken.abort();
        });
      });
    } catch (error) {
      throw failure ?? error;
    }
  }
}
