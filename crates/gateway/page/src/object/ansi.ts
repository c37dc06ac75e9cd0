// Colours of log lines: the SGR sequences of terminals as spans; other control sequences are left out.

export interface Span {
  text: string;
  /** Classes of the page, such as `a-red a-bold`; "" for plain text. */
  style: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SEQUENCE = /\u001b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function spans(text: string): Span[] {
  if (!text.includes("\u001b")) return [{ text: text.replace(CONTROL, "\ufffd"), style: "" }];
  const out: Span[] = [];
  let [style, at]: [Map<string, string>, number] = [new Map(), 0];
  const push = (part: string) => {
    if (part) out.push({ text: part.replace(CONTROL, "\ufffd"), style: [...style.values()].join(" ") });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") style = select(style, match[1] ?? "");
  }
  push(text.slice(at));
  return out;
}

/** The text without sequences. */
export function plain(text: string): string {
  return text.includes("\u001b") ? text.replace(SEQUENCE, "") : text;
}

function select(before: Map<string, string>, codes: string): Map<string, string> {
  const style = new Map(before);
  const numbers = codes.split(/[;:]/).map(Number);
  for (let index = 0; index < numbers.length; index++) {
    const code = numbers[index]!;
    if (code === 0) style.clear();
    else if (code === 1) style.set("weight", "a-bold");
    else if (code === 2) style.set("weight", "a-dim");
    else if (code === 22) style.delete("weight");
    else if (code === 3) style.set("italic", "a-italic");
    else if (code === 23) style.delete("italic");
    else if (code === 4) style.set("line", "a-underline");
    else if (code === 24) style.delete("line");
    else if (code >= 30 && code <= 37) style.set("colour", `a-${COLOURS[code - 30]}`);
    else if (code >= 90 && code <= 97) style.set("colour", `a-${COLOURS[code - 90]}`);
    else if (code === 39) style.delete("colour");
    // Colours of 256 or more are left out, with their parameters.
    else if (code === 38 || code === 48) index += numbers[index + 1] === 5 ? 2 : 4;
  }
  return style;
}
