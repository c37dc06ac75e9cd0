// What is wrong, worst first.

import type { Overview, Part, Problem } from "../api";
import { plural } from "../nav";
import { href } from "../router";
import { kindOf } from "../state";
import { ToneMark, stateTone } from "../ui";
import type { Tone } from "../ui";
import { Card, NODES, PODS, nodeState } from "./card";
import { textOf } from "./cells";

/** Objects of a kind with the same problem. */
interface Group {
  rank: number;
  tone: Tone;
  path: string;
  why: string;
  members: Problem[];
}

/** Problems that many objects have are one line from this number. */
const MANY = 4;

function groupsOf(overview: Overview): Group[] {
  const groups: Group[] = [];
  const add = (part: Part<{ problems: Problem[] }>, path: string, rate: (why: string) => [number, Tone]) => {
    if (part.error) return;
    const byReason = new Map<string, Problem[]>();
    for (const problem of part.problems) {
      const why = textOf(problem.why);
      byReason.set(why, [...(byReason.get(why) ?? []), problem]);
    }
    for (const [why, members] of byReason) {
      const [rank, tone] = rate(why);
      if (members.length >= MANY) groups.push({ rank, tone, path, why, members });
      else members.forEach((member) => groups.push({ rank, tone, path, why, members: [member] }));
    }
  };
  if (overview.nodes) add(overview.nodes, NODES, (why) => (/^Ready/.test(why) ? [5, "warn"] : [0, "bad"]));
  for (const part of overview.workloads) add(part, part.path, (why) => (why.startsWith("0") ? [1, "bad"] : [3, "warn"]));
  add(overview.pods, PODS, (why) => {
    const tone = stateTone(why);
    return tone === "bad" ? [2, tone] : [4, tone === "off" ? "warn" : tone];
  });
  return groups.sort((one, other) => one.rank - other.rank);
}

export function Problems({ overview, ns }: { overview: Overview; ns?: string }) {
  const groups = groupsOf(overview);
  const messages = new Map<string, string>();
  if (!overview.warnings.error) {
    // The last one is first.
    for (const { namespace, object, message } of overview.warnings.last.toReversed()) messages.set(`${namespace ?? ""} ${object.toLowerCase()}`, message);
  }
  if (groups.length === 0) {
    const isAllSeen = ![overview.nodes, overview.pods, ...overview.workloads].some((part) => part?.error);
    return (
      <Card title="What is wrong">
        <div class="calm">
          <ToneMark tone="good" />
          <div>
            <h2>Nothing{isAllSeen ? "" : " that you may see"}</h2>
            <p>{overview.nodes ? "Nodes are ready, workloads have their pods, and pods run." : "Workloads have their pods, and pods run."}</p>
          </div>
        </div>
      </Card>
    );
  }
  return (
    <Card title="What is wrong" total={groups.reduce((sum, group) => sum + group.members.length, 0)}>
      <ul class="problems">
        {groups.map((group) => (
          <ProblemItem key={`${group.path} ${group.why} ${group.members[0]!.namespace} ${group.members[0]!.name}`} group={group} ns={ns} messages={messages} />
        ))}
      </ul>
    </Card>
  );
}

function ProblemItem({ group, ns, messages }: { group: Group; ns?: string; messages: Map<string, string> }) {
  const { tone, path, why, members } = group;
  const kind = kindOf(path)?.kind ?? "";
  const isWorkload = path.startsWith("apps/");
  const shown = isWorkload ? `${why} ready` : nodeState(why);
  const link = ({ namespace, name }: Problem) => (
    <>
      <a href={href({ view: "object", path, namespace: namespace ?? undefined, name })}>{name}</a>
      {namespace && !ns && <span class="of"> in {namespace}</span>}
    </>
  );
  const [first] = members;
  const messageOf = ({ namespace, name }: Problem) => messages.get(`${namespace ?? "default"} ${kind.toLowerCase()}/${name}`.toLowerCase());
  if (members.length > 1) {
    return (
      <li>
        <ToneMark tone={tone} />
        <span class="who">
          <a href={href({ view: "table", path, ns, q: isWorkload ? undefined : why })}>
            {members.length} {plural(kindOf(path) ?? { kind, resource: `${kind}s` }).toLowerCase()}
          </a>
        </span>
        <span class={`why ${tone}`}>{shown}</span>
        <details>
          <summary>{messageOf(first!) ?? "Which ones"}</summary>
          <ul>
            {members.map((member) => (
              <li key={`${member.namespace} ${member.name}`}>{link(member)}</li>
            ))}
          </ul>
        </details>
      </li>
    );
  }
  const message = messageOf(first!);
  return (
    <li>
      <ToneMark tone={tone} />
      <span class="who">
        <span class="of">{kind} </span>
        {link(first!)}
      </span>
      <span class={`why ${tone}`}>{shown}</span>
      {message && (
        <span class="message" title={message}>
          {message}
        </span>
      )}
    </li>
  );
}
