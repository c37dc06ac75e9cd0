// What can be done with an object: scale, restart, delete.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Failure, apiPath } from "../api";
import type { Kind, KubernetesObject } from "../api";
import { Button, Dialog, Icon, sentence, toast } from "../ui";
import "./actions.css";
import { Problem, useAttempt } from "./attempt";
import { DeleteDialog } from "./delete-dialog";
import type { LiveObject } from "./live-object";
import { FIELD_MANAGER, request } from "./request";

const MERGE = "application/merge-patch+json";

/** The annotation by which `kubectl rollout restart` replaces pods. */
const RESTARTED = "kubectl.kubernetes.io/restartedAt";

const hasTemplate = (object: KubernetesObject) =>
  object.apiVersion.startsWith("apps/") && ["Deployment", "StatefulSet", "DaemonSet"].includes(object.kind);

const canScale = (kind: Kind) => kind.subresources.includes("scale");

export function Actions({ live }: { live: LiveObject }) {
  const open = useSignal<"scale" | "restart" | "delete" | null>(null);
  const object = live.object.value;
  if (!object) return null;
  const { kind } = live;
  const isGone = live.state.value.state === "deleted" || object.metadata.deletionTimestamp !== undefined;
  const close = () => (open.value = null);
  return (
    <>
      {canScale(kind) && (
        <Button onClick={() => (open.value = "scale")} disabled={isGone}>
          Scale
        </Button>
      )}
      {hasTemplate(object) && (
        <Button icon="refresh" onClick={() => (open.value = "restart")} disabled={isGone}>
          Restart
        </Button>
      )}
      {kind.verbs.includes("delete") && (
        <Button look="danger" onClick={() => (open.value = "delete")} disabled={live.state.value.state === "deleted"}>
          Delete
        </Button>
      )}
      {open.value === "scale" && <ScaleDialog live={live} onClose={close} />}
      {open.value === "restart" && <RestartDialog live={live} object={object} onClose={close} />}
      {open.value === "delete" && <DeleteDialog live={live} object={object} onClose={close} />}
    </>
  );
}

interface Scale {
  spec?: { replicas?: number };
  status?: { replicas?: number };
}

function ScaleDialog({ live, onClose }: { live: LiveObject; onClose: () => void }) {
  const path = apiPath(live.kind.path, live.namespace, live.name, "scale");
  const now = useSignal<Scale | null>(null);
  const wanted = useSignal("");
  const isTyped = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const { isBusy, problem, run } = useAttempt(() => {
    toast(`${live.kind.kind} ${live.name} is scaled to ${wanted.value}`);
    onClose();
  });
  const failure = useSignal<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    request<Scale>(path, { signal: abort.signal }).then(
      ({ value }) => {
        now.value = value;
        // The field has the focus before this is known.
        if (!isTyped.value) wanted.value = String(value.spec?.replicas ?? 0);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) failure.value = sentence(Failure.of(error).message);
      },
    );
    return () => abort.abort();
  }, []);
  // A key that is pressed now replaces the number.
  useLayoutEffect(() => {
    if (!isTyped.peek()) field.current?.select();
  }, [now.value]);
  const before = now.value?.spec?.replicas ?? 0;
  const number = /^\d{1,9}$/.test(wanted.value) ? Number(wanted.value) : null;
  const isReady = now.value !== null && number !== null && number !== before;
  const type = (text: string) => {
    isTyped.value = true;
    wanted.value = text;
  };
  const step = (by: number) => now.value && type(String(Math.max(0, (number ?? before) + by)));
  const apply = () => {
    if (!isReady) return;
    void run(() =>
      request(path, { method: "PATCH", contentType: MERGE, query: { fieldManager: FIELD_MANAGER }, body: { spec: { replicas: number } } }),
    );
  };
  return (
    <Dialog
      title={`Scale ${live.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={isBusy} disabled={!isReady} onClick={apply}>
            {isReady ? `Scale from ${before} to ${number}` : "Scale"}
          </Button>
        </>
      }
    >
      <div class="dialog-text">
        {failure.value ? (
          <Problem text={failure.value} />
        ) : (
          <>
            <label class="stepper-label" for="replicas">
              Replicas
            </label>
            <div class="stepper">
              <Button label="One less" onClick={() => step(-1)} icon="dash" disabled={number === 0} />
              <input
                id="replicas"
                ref={field}
                class="input"
                inputMode="numeric"
                autofocus
                value={wanted.value}
                aria-invalid={isTyped.value && number === null ? true : undefined}
                onInput={(event) => type(event.currentTarget.value.trim())}
                onKeyDown={(event) => {
                  if (event.key === "Enter") apply();
                  else if (event.key === "ArrowUp") step(1);
                  else if (event.key === "ArrowDown") step(-1);
                  else return;
                  event.preventDefault();
                }}
              />
              <Button label="One more" onClick={() => step(1)} icon="plus" />
            </div>
            <p class="quiet" role="status">
              {now.value ? `${before} wanted, ${now.value.status?.replicas ?? 0} there now.` : "Reading the number of replicas…"}
            </p>
            {isTyped.value && number === null && <p class="field-error">A whole number from 0</p>}
            {now.value && number === 0 && before > 0 && (
              <p class="note warn">
                <Icon name="warn" /> All pods are removed; {live.name} serves nothing until it is scaled up again.
              </p>
            )}
            <Problem text={problem} />
          </>
        )}
      </div>
    </Dialog>
  );
}

function RestartDialog({ live, object, onClose }: { live: LiveObject; object: KubernetesObject; onClose: () => void }) {
  const { isBusy, problem, run } = useAttempt(() => {
    toast(`${live.kind.kind} ${live.name} restarts`);
    onClose();
  });
  const replicas = (object.spec as { replicas?: number } | undefined)?.replicas;
  const restart = () =>
    run(() =>
      request(apiPath(live.kind.path, live.namespace, live.name), {
        method: "PATCH",
        contentType: MERGE,
        query: { fieldManager: FIELD_MANAGER },
        body: { spec: { template: { metadata: { annotations: { [RESTARTED]: new Date().toISOString().replace(/\.\d+Z/, "Z") } } } } },
      }),
    );
  return (
    <Dialog
      title={`Restart ${live.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={isBusy} onClick={restart} autofocus>
            Restart
          </Button>
        </>
      }
    >
      <div class="dialog-text">
        <p>
          {replicas === undefined ? "Its pods are" : replicas === 1 ? "Its pod is" : `Its ${replicas} pods are`} replaced by new ones, as its strategy
          says, in the way of <code>kubectl rollout restart</code>.
        </p>
        <Problem text={problem} />
      </div>
    </Dialog>
  );
}
