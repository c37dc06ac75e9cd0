// Requests to the API of the cluster, which the gateway passes on.

import { Failure, address, send } from "../api";
import type { KubernetesObject, Query } from "../api";

export interface Request {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
}

export interface Answer<T> {
  value: T;
  /** The texts of the server's headers `Warning`. */
  warnings: string[];
}

/** The name under which the page's writes are in managed fields. */
export const FIELD_MANAGER = "klient-gateway";

/** Sends a request and decodes its JSON. Throws a `Failure`, or an `AbortError` if the signal aborts it. */
export async function request<T = KubernetesObject>(path: string, options: Request = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.body !== undefined) headers["content-type"] = options.contentType ?? "application/json";
  const response = await send(address(path, options.query), {
    method: options.method ?? "GET",
    headers,
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    signal: options.signal,
    cache: "no-store",
  });
  try {
    return { value: (await response.json()) as T, warnings: warningsOf(response.headers.get("warning")) };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw Failure.of(error);
  }
}

/** The texts of `299 - "text"`, the form of warnings of API servers. */
export function warningsOf(header: string | null): string[] {
  if (!header) return [];
  const texts = [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!.replace(/\\(.)/g, "$1"));
  return texts.length > 0 ? texts : [header];
}

/** A problem that the server found; `field` is a path such as `spec.ports[0].name`, or "" if the message names none. */
export interface Cause {
  field: string;
  message: string;
}

/** The problems of a request that was refused, one by one. */
export function causesOf(failure: Failure): Cause[] {
  const status = failure.details as { details?: { causes?: { field?: string; message?: string }[] } } | undefined;
  const causes = (status?.details?.causes ?? []).map(({ field, message }) => ({ field: field ?? "", message: message ?? "" }));
  if (causes.some((cause) => cause.field)) return causes;
  // Strict decoding and unmarshalling have their fields in the text only.
  const found = [...failure.message.matchAll(/(unknown|duplicate) field "([^"]+)"/g)].map((match) => ({
    field: match[2]!,
    message: match[1] === "unknown" ? "the server knows no such field" : "the field is there twice",
  }));
  if (found.length > 0) return found;
  const unmarshal = /cannot unmarshal (\S+) into Go struct field \w+\.(\S+) of type (\S+)/.exec(failure.message);
  if (unmarshal) return [{ field: unmarshal[2]!, message: `${unmarshal[1]} is no ${unmarshal[3]}` }];
  return [];
}

/** The lines of a body as they come. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  // Parts of a line, joined once: a line may have a MiB and come in hundreds of parts.
  let parts: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      let begin = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", begin)) {
        parts.push(text.slice(begin, end));
        yield parts.join("");
        parts = [];
        begin = end + 1;
      }
      if (begin < text.length) parts.push(text.slice(begin));
      if (done) break;
    }
    if (parts.length > 0) yield parts.join("");
  } finally {
    void reader.cancel().catch(() => {});
  }
}
