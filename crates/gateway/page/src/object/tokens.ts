// The parts of lines of YAML, for their colours.

export interface Token {
  text: string;
  /** `key`, `string`, `number`, `word` (true, false, null), `comment`, `mark` (punctuation), or "" for plain text. */
  kind: string;
}

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'[\]{},&*!|>%@`-][^#]*?|-[^\s#][^#]*?)(:)(?=\s|$)/;

/** For each line, whether it is inside of a literal block, which has no syntax. */
export function literals(lines: string[]): boolean[] {
  const out: boolean[] = new Array<boolean>(lines.length).fill(false);
  let indent = -1;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    const begin = line.search(/\S/);
    if (indent >= 0) {
      if (begin < 0 || begin > indent) {
        out[index] = true;
        continue;
      }
      indent = -1;
    }
    if (/(?:^|[:-] )\s*[|>][+-]?\d?[+-]?\s*(?:#.*)?$/.test(line)) {
      // A block behind dashes is deeper than the last of them.
      indent = /^\s*(?:- )*(?=[|>])/.test(line) ? line.search(/[|>]/) - 2 : /^\s*(?:- )*/.exec(line)![0].length;
    }
  }
  return out;
}

/** The parts of a line outside of literal blocks. */
export function tokens(line: string): Token[] {
  const out: Token[] = [];
  let rest = line;
  const take = (length: number, kind: string) => {
    if (length > 0) out.push({ text: rest.slice(0, length), kind });
    rest = rest.slice(length);
  };
  take(/^\s*(?:- +|-$)*/.exec(rest)![0].length, "mark");
  const key = KEY.exec(rest);
  if (key) {
    take(key[1]!.length, "key");
    take(1, "mark");
    take(/^\s*/.exec(rest)![0].length, "");
  }
  if (rest.startsWith("#")) take(rest.length, "comment");
  else if (/^["']/.test(rest)) take(rest.length, "string");
  else if (/^(?:true|false|null|~)\s*$/.test(rest)) take(rest.length, "word");
  else if (/^[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?\s*$/.test(rest)) take(rest.length, "number");
  else if (/^(?:[|>][+-]?\d?|\[\]|\{\})\s*$/.test(rest)) take(rest.length, "mark");
  else take(rest.length, "text");
  return out;
}
