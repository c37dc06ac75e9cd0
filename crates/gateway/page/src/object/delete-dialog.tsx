// The deletion of an object, with what would go along.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failure, apiPath, getObject } from "../api";
import type { KubernetesObject } from "../api";
import { Button, Dialog, Icon, Skeleton, toast } from "../ui";
import { Problem, useAttempt } from "./attempt";
import { childrenOf, going, sizeOf, tally } from "./family";
import type { Member } from "./family";
import type { LiveObject } from "./live-object";
import { request } from "./request";

type Policy = "Background" | "Foreground" | "Orphan";

const POLICIES: [Policy, string, string][] = [
  ["Background", "With what it owns", "It goes at once, the rest soon after."],
  ["Foreground", "What it owns first", "It stays until all of that is gone."],
  ["Orphan", "Only itself", "What it owns stays, without an owner."],
];

/** The number of objects from which on the name has to be typed. */
const MANY = 10;

export function DeleteDialog({ live, object, onClose }: { live: LiveObject; object: KubernetesObject; onClose: () => void }) {
  const owned = useSignal<Member[] | null>(null);
  const unknown = useSignal<string | null>(null);
  const policy = useSignal<Policy>("Background");
  const typed = useSignal("");
  const { isBusy, problem, run } = useAttempt(onClose);
  useEffect(() => {
    const abort = new AbortController();
    getObject(live.kind.path, live.namespace, live.name, {}, abort.signal).then(
      ({ owned: all, problems, object }) => {
        owned.value = childrenOf(object.metadata.uid, all);
        const hidden = problems.filter(({ part }) => part !== "events" && part !== "owners").map(({ part }) => part);
        if (hidden.length > 0) unknown.value = `Not all of ${hidden.join(", ")} could be looked at: more of these may go along.`;
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        owned.value = [];
        unknown.value = `What would go along cannot be told: ${Failure.of(error).message}.`;
      },
    );
    return () => abort.abort();
  }, []);
  const isNamespace = object.apiVersion === "v1" && object.kind === "Namespace";
  const isDefinition = object.kind === "CustomResourceDefinition";
  const members = owned.value ?? [];
  const isTop = isNamespace || isDefinition;
  const count = sizeOf(going(members));
  const isMuch = isTop || (count >= MANY && policy.value !== "Orphan");
  const isConfirmed = !isMuch || typed.value === live.name;
  const finalizers = (object.metadata.finalizers ?? []) as string[];
  const remove = () => {
    if (!isConfirmed || owned.value === null) return;
    const { uid } = object.metadata;
    const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: policy.value, preconditions: { uid } };
    void run(async () => {
      const answer = await request(apiPath(live.kind.path, live.namespace, live.name), { method: "DELETE", body });
      // The response has the object if it is not gone at once.
      const stays = answer.value.metadata?.deletionTimestamp !== undefined;
      toast(`${live.kind.kind} ${live.name} ${stays ? "is being deleted" : "is deleted"}`);
      return answer;
    });
  };
  return (
    <Dialog
      title={`Delete ${object.kind} ${live.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose} autofocus={!isTop}>
            Cancel
          </Button>
          <Button look="danger" busy={isBusy} disabled={!isConfirmed || owned.value === null} onClick={remove}>
            {policy.value === "Orphan" || count === 0 ? "Delete" : `Delete it and ${count} more`}
          </Button>
        </>
      }
    >
      <div class="dialog-text">
        {isNamespace && (
          <p class="note bad">
            <Icon name="warn" /> Everything in the namespace is deleted with it.
          </p>
        )}
        {isDefinition && (
          <p class="note bad">
            <Icon name="warn" /> All objects of the kind are deleted with their definition.
          </p>
        )}
        {owned.value === null ? (
          <Skeleton lines={3} label="Looking for what would go along" />
        ) : members.length > 0 ? (
          <>
            <p>
              {policy.value === "Orphan" ? "It owns " : "With it go "}
              <strong>{tally(policy.value === "Orphan" ? members : going(members)) || "no others"}</strong>
              {policy.value === "Orphan" ? ", which stay:" : ":"}
            </p>
            <div class="goes" role="region" aria-label="What it owns" tabIndex={0}>
              <Goes members={members} />
            </div>
            {!isTop && <Policies policy={policy.value} onChoose={(id) => (policy.value = id)} />}
          </>
        ) : (
          !isTop && <p>It owns nothing: no other object goes along.</p>
        )}
        {unknown.value && (
          <p class="note warn">
            <Icon name="lock" /> {unknown.value}
          </p>
        )}
        {finalizers.length > 0 && (
          <p class="note">
            <Icon name="clock" /> It stays until {finalizers.length === 1 ? "its finalizer is" : "its finalizers are"} done:{" "}
            <code>{finalizers.join(", ")}</code>
          </p>
        )}
        {isMuch && (
          <label class="confirm">
            <span>
              Type <code>{live.name}</code> to go on
            </span>
            <input
              class="input"
              autofocus={isTop}
              value={typed.value}
              spellcheck={false}
              autocomplete="off"
              autocapitalize="off"
              onInput={(event) => (typed.value = event.currentTarget.value.trim())}
              onKeyDown={(event) => event.key === "Enter" && remove()}
            />
          </label>
        )}
        <Problem text={problem} />
      </div>
    </Dialog>
  );
}

function Policies({ policy, onChoose }: { policy: Policy; onChoose: (policy: Policy) => void }) {
  return (
    <fieldset class="policies">
      <legend class="hidden">What happens with what it owns</legend>
      {POLICIES.map(([id, title, detail]) => (
        <label key={id} class={policy === id ? "choice chosen" : "choice"}>
          <input type="radio" name="policy" checked={policy === id} onChange={() => onChoose(id)} />
          <span>
            <strong>{title}</strong>
            <span class="quiet">{detail}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** The limit of objects that are listed under one. */
const LISTED = 30;

function Goes({ members }: { members: Member[] }) {
  return (
    <ul>
      {members.slice(0, LISTED).map((member) => (
        <li key={member.uid}>
          <span class="tree-kind">{member.kind}</span> {member.name}
          {member.keptBy.length > 0 && <span class="quiet"> stays: {member.keptBy.join(", ")} owns it, too</span>}
          {member.children.length > 0 && <Goes members={member.children} />}
        </li>
      ))}
      {members.length > LISTED && <li class="quiet">and {members.length - LISTED} more</li>}
    </ul>
  );
}
