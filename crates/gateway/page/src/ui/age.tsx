// Ages, as kubectl tells them.

import { now } from "../state";

/** A duration in seconds in the form of kubectl: `45s`, `3m20s`, `5h10m`, `3d4h`, `120d`, `2y30d`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 ? `${m}m${s % 60}s` : `${m}m`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 ? `${h}h${m % 60}m` : `${h}h`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (d < 8) return h % 24 ? `${d}d${h % 24}h` : `${d}d`;
  if (d < 730) return `${d}d`;
  const y = Math.floor(d / 365);
  return y < 8 && d % 365 ? `${y}y${d % 365}d` : `${y}y`;
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time since a timestamp, which goes on by itself. */
export function Age({ since }: { since: string | null | undefined }) {
  if (!since) return <>-</>;
  return <time dateTime={since} title={WHEN.format(Date.parse(since))}>{duration((now.value - Date.parse(since)) / 1000)}</time>;
}
