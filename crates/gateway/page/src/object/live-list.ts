// `LiveList`: the objects of a selector, which follow the server.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { Failure, apiPath } from "../api";
import type { KubernetesObject, Query } from "../api";
import { Follower } from "../follower";
import { request } from "./request";
import { watch } from "./watch";

export type ListState = { state: "loading" } | { state: "live" } | { state: "failed"; failure: Failure; retryAt: number };

/** The limit of objects that are read; selectors of the page select far fewer. */
const MOST = 1000;

export class LiveList<T extends KubernetesObject = KubernetesObject> extends Follower {
  private readonly itemsSignal = signal<T[]>([]);
  private readonly stateSignal = signal<ListState>({ state: "loading" });
  readonly items: ReadonlySignal<T[]> = this.itemsSignal;
  readonly state: ReadonlySignal<ListState> = this.stateSignal;

  private readonly byName = new Map<string, T>();
  private showTimer = 0;

  constructor(
    readonly path: string,
    readonly namespace: string | undefined,
    readonly selector: { fieldSelector?: string; labelSelector?: string },
  ) {
    super();
    this.start();
  }

  protected async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const path = apiPath(this.path, this.namespace);
      const query: Query = { ...this.selector, limit: MOST };
      const { value } = await request<{ metadata: { resourceVersion: string }; items: T[] }>(path, { query, signal });
      this.byName.clear();
      for (const item of value.items) this.byName.set(keyOf(item), item);
      this.show();
      this.succeeded();
      this.stateSignal.value = { state: "live" };
      let resourceVersion: string | undefined = value.metadata.resourceVersion;
      let goesOn = true;
      while (goesOn) {
        goesOn = await watch(path, { ...this.selector, resourceVersion }, signal, ({ type, object }) => {
          resourceVersion = object.metadata.resourceVersion;
          if (type === "BOOKMARK") return;
          if (type === "DELETED") this.byName.delete(keyOf(object));
          else this.byName.set(keyOf(object), object as T);
          this.showTimer ||= window.setTimeout(() => this.show(), 100);
        });
      }
    }
  }

  protected failed(failure: Failure, retryAt: number): void {
    this.stateSignal.value = { state: "failed", failure, retryAt };
  }

  private show(): void {
    clearTimeout(this.showTimer);
    this.showTimer = 0;
    this.itemsSignal.value = [...this.byName.values()];
  }
}

const keyOf = ({ metadata }: KubernetesObject) => `${metadata.namespace ?? ""}/${metadata.name}`;
