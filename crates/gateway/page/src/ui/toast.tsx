// Messages that come up at the edge and go by themselves, such as "copied".

import { signal } from "@preact/signals";
import { Button } from "./button";
import { ToneMark } from "./tone";
import type { Tone } from "./tone";

interface Message {
  id: number;
  tone: Tone;
  text: string;
}

const messages = signal<Message[]>([]);
let last = 0;

function close(id: number): void {
  messages.value = messages.value.filter((message) => message.id !== id);
}

/** Shows a message for some seconds; one that is bad news stays until it is closed. */
export function toast(text: string, tone: Tone = "good"): void {
  const id = ++last;
  messages.value = [...messages.value.slice(-3), { id, tone, text }];
  if (tone !== "bad") setTimeout(() => close(id), 5000);
}

/** Copies a text, and says so. */
export async function copy(text: string, what = "Copied"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(what);
  } catch {
    toast("The browser does not allow this page to copy", "bad");
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {messages.value.map(({ id, tone, text }) => (
        <div class="toast" key={id}>
          <ToneMark tone={tone} />
          <span>{text}</span>
          <Button look="plain" icon="cross" label="Close" onClick={() => close(id)} />
        </div>
      ))}
    </div>
  );
}
