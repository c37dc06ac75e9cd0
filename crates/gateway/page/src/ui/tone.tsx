// The tone of a state: told by a colour, a shape and the word itself.

import { Icon } from "./icon";
import type { ComponentChildren } from "preact";
import type { IconName } from "./icon";

export type Tone = "good" | "busy" | "warn" | "bad" | "off";

const SHAPES: Record<Tone, IconName> = { good: "check", busy: "clock", warn: "warn", bad: "cross", off: "dash" };

const WORDS: [Tone, RegExp][] = [
  ["bad", /(err|fail|back-?off|crash|oom|evicted|lost|invalid|unhealthy|notready|degraded|denied|unknown|missing|false$|killed|unschedulable)/i],
  ["warn", /(schedulingdisabled|warning|pressure|suspended|outofsync|out of sync|unready|stalled|expired)/i],
  ["busy", /(pending|creating|terminating|progress|initializ|init:|waiting|updating|released|provisioning|scaling|reconcil|podscheduled|notstarted|deleting)/i],
  ["off", /^(completed|succeeded|complete|inactive|disabled|none|<none>|<unknown>|normal|-|)$/i],
  ["good", /^(running|ready|true|active|available|bound|healthy|synced|established|approved,?issued|approved|issued|valid|deployed|ok)$/i],
];

/** The columns that tell a state. */
const isState = (column: string): boolean => /^(status|phase|state|health|sync status|health status|condition|type|ready|available|synced|succeeded|accepted|programmed|established)$/i.test(column);

/** The tone of a cell, by the name of its column; undefined if it tells no state. */
export function toneOf(column: string, text: string): Tone | undefined {
  const ratio = /^(\d+)\/(\d+)$/.exec(text);
  if (ratio) {
    if (ratio[1] === ratio[2]) return ratio[2] === "0" ? "off" : "good";
    return "warn";
  }
  if (!isState(column)) return undefined;
  // The type of an event is a state, that of a service is not.
  if (/^type$/i.test(column) && !/^(normal|warning)$/i.test(text)) return undefined;
  if (/^\d+$/.test(text)) return undefined;
  return stateTone(text);
}

/** The tone of the word of a state. */
export function stateTone(text: string): Tone {
  for (const [tone, words] of WORDS) if (words.test(text)) return tone;
  return "off";
}

export function ToneMark({ tone }: { tone: Tone }) {
  return (
    <span class={`mark ${tone}`}>
      <Icon name={SHAPES[tone]} />
    </span>
  );
}

/** The word of a state with its mark. */
export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <ToneMark tone={tone} />
      <span class="word">{children}</span>
    </span>
  );
}
