// A request of a dialog, and the problem that it may end in.

import { useSignal } from "@preact/signals";
import { Failure } from "../api";
import { Icon, sentence, toast } from "../ui";

/** A request of a dialog: it is busy, and then done, or tells what is wrong. */
export function useAttempt(onDone: () => void) {
  const isBusy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const run = async (attempt: () => Promise<{ warnings: string[] }>) => {
    isBusy.value = true;
    problem.value = null;
    try {
      const { warnings } = await attempt();
      warnings.forEach((warning) => toast(sentence(warning), "warn"));
      onDone();
    } catch (error) {
      problem.value = sentence(Failure.of(error).message);
    }
    isBusy.value = false;
  };
  return { isBusy: isBusy.value, problem: problem.value, run };
}

export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert">
      {text && (
        <p class="note bad">
          <Icon name="warn" /> {text}
        </p>
      )}
    </div>
  );
}
