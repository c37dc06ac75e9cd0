// What stands where there is nothing to show: nothing yet, nothing at all, or a failure.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure as ApiFailure } from "../api";
import { now } from "../state";
import { Button } from "./button";
import { Icon } from "./icon";
import type { IconName } from "./icon";

/** Shows its children after a moment: what comes at once has no progress that flashes up. */
export function Delayed({ after = 150, children }: { after?: number; children: ComponentChildren }) {
  const [isDue, setDue] = useState(after === 0);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return isDue ? <>{children}</> : null;
}

/** Grey lines in place of rows that are on their way. */
export function Skeleton({ lines = 8, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <Delayed>
      <div class="skeleton" role="status" aria-label={label}>
        {Array.from({ length: lines }, (_, index) => (
          <div key={index} class={`line w${(index * 7) % 5}`} />
        ))}
        <Delayed after={4000}>
          <p class="slow">The cluster takes its time to answer.</p>
        </Delayed>
      </div>
    </Delayed>
  );
}

/** A thin bar at the top of what is being loaded. */
export function Progress({ label, value }: { label: string; value?: number }) {
  return (
    <Delayed>
      <progress class="progress" aria-label={label} value={value} max={1} />
    </Delayed>
  );
}

interface NoticeProps {
  icon?: IconName;
  title: string;
  /** It stands for the whole view, whose heading it is. */
  isWhole?: boolean;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}

/** Nothing to show: says what would be here, and which way leads on. */
export function Empty({ icon = "circle", title, isWhole, children, actions }: NoticeProps) {
  return (
    <div class="notice">
      <Icon name={icon} />
      {isWhole ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children && <div class="why">{children}</div>}
      {actions && <div class="actions">{actions}</div>}
    </div>
  );
}

const TITLES: Record<string, string> = {
  gateway_away: "This page cannot reach the gateway",
  unreachable: "The gateway cannot reach the cluster",
  cluster_error: "The cluster answered with an error",
  not_synced: "The cluster is slow to answer",
  forbidden: "Not allowed",
  kind_unknown: "The cluster does not serve this kind",
  not_found: "Not found",
  bad_selector: "The selector is malformed",
  bad_request: "The request is malformed",
  read_only: "The gateway is read-only",
  exec_off: "The gateway does not run commands",
  secrets_hidden: "The gateway hides Secrets",
  unauthorized: "This browser is signed out",
  too_many_streams: "Too many open pages",
  too_many_kinds: "Too many kinds are open",
  conflict: "Someone else changed it",
  invalid: "The cluster refuses it",
  expired: "The version is too old",
  context_unknown: "The gateway has no such context",
  context_unusable: "The context cannot be used",
};

interface FailureProps {
  failure: ApiFailure;
  /** The time of the next try, in milliseconds. */
  retryAt?: number;
  onRetry?: () => void;
  isWhole?: boolean;
  /** Other ways on, as buttons. */
  children?: ComponentChildren;
}

/** A failure, with what happens next. */
export function FailureNotice({ failure, retryAt, onRetry, isWhole, children }: FailureProps) {
  const actions = (onRetry || children) && (
    <>
      {children}
      {onRetry && (
        <Button icon="refresh" onClick={onRetry}>
          Try now
        </Button>
      )}
    </>
  );
  return (
    <Empty icon={failure.code === "forbidden" ? "lock" : "warn"} title={TITLES[failure.code] ?? "That did not work"} isWhole={isWhole} actions={actions}>
      <p title={failure.message}>{sentence(failure.message)}</p>
      {retryAt !== undefined && (
        <p class="next">
          <Countdown until={retryAt} />
        </p>
      )}
    </Empty>
  );
}

/** "Tries again in 4 s". It is no live region: it would be read out each second. */
export function Countdown({ until }: { until: number }) {
  const seconds = Math.max(0, Math.ceil((until - now.value) / 1000));
  const time = seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`;
  return <>{seconds > 0 ? `Tries again in ${time}` : "Trying again"}</>;
}

/** A message of the gateway as a sentence. What RBAC refuses is told in fewer words. */
export function sentence(message: string): string {
  const refused = /User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "[^"]*"(?: in the namespace "([^"]+)"| at the cluster scope)?/.exec(message);
  if (refused) {
    const [, user, verb, resource, namespace] = refused;
    return `${user} may not ${verb} ${resource} ${namespace ? `in ${namespace}` : "in all namespaces"}.`;
  }
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
