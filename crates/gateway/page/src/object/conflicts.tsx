// Fields that an edit changed, and others changed meanwhile.

import { useSignal } from "@preact/signals";
import { Button } from "../ui";
import type { Conflict, Side } from "./merge";
import { toYaml } from "./yaml";

interface ConflictsProps {
  conflicts: Conflict[];
  onChosen: (sides: Record<string, Side>) => void;
  onBack: () => void;
}

/** The choice of which value is to be. */
export function Conflicts({ conflicts, onChosen, onBack }: ConflictsProps) {
  const chosen = useSignal<Record<string, Side>>({});
  const isDone = conflicts.every(({ path }) => Object.hasOwn(chosen.value, path));
  const all = (side: Side) => (chosen.value = Object.fromEntries(conflicts.map(({ path }) => [path, side])));
  const show = (value: unknown) => (value === undefined ? "(removed)" : toYaml(value).trimEnd());
  return (
    <div class="pane">
      <div class="bar">
        <strong>Someone else changed the same {conflicts.length === 1 ? "field" : "fields"}</strong>
        <span class="space" />
        <Button onClick={onBack} keys="Esc" label="Back to the text">
          Back
        </Button>
        <Button
          look="primary"
          disabled={!isDone}
          onClick={() => onChosen(chosen.value)}
          label={isDone ? undefined : "Choose a value for each field first"}
        >
          Review
        </Button>
      </div>
      <div class="conflicts" role="region" aria-label="Fields that both changed" tabIndex={0}>
        <p>
          {conflicts.length === 1 ? "This field was" : `These ${conflicts.length} fields were`} changed by you and by others since you began. Choose
          which value is to be. Nothing is written yet.
        </p>
        {conflicts.length > 1 && (
          <p class="actions">
            <Button onClick={() => all("mine")}>All of mine</Button> <Button onClick={() => all("theirs")}>All of theirs</Button>
          </p>
        )}
        {conflicts.map(({ path, base, mine, theirs }) => (
          <fieldset class="conflict" key={path}>
            <legend>
              <code>{path}</code> <span class="quiet">was {inline(base)}</span>
            </legend>
            {(["mine", "theirs"] as const).map((side) => (
              <label key={side} class={chosen.value[path] === side ? "choice chosen" : "choice"}>
                <input
                  type="radio"
                  name={`side-${path}`}
                  checked={chosen.value[path] === side}
                  onChange={() => (chosen.value = { ...chosen.value, [path]: side })}
                />
                <span class="whose">{side === "mine" ? "Mine" : "Theirs"}</span>
                <pre>{show(side === "mine" ? mine : theirs)}</pre>
              </label>
            ))}
          </fieldset>
        ))}
      </div>
    </div>
  );
}

function inline(value: unknown): string {
  if (value === undefined) return "not there";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)} …` : text;
}
