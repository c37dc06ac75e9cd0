// Server-sent events over fetch, which, unlike EventSource, tells the status and the failure of a stream that is refused.

import { Failure, send } from "./api";

export interface ServerEvent {
  /** The event to go on from; "" if the stream has none. */
  id: string;
  name: string;
  data: string;
}

/** The longest silence: the gateway sends comments every 15 s. */
const SILENCE = 40_000;

/**
 * Reads a stream of events until it ends, the signal aborts it, or nothing is heard for too long. `take` gets the events that
 * came together; comments that move the id on have the name "" there.
 *
 * Throws a `Failure` if the stream is refused or breaks.
 */
export async function readEvents(url: string, signal: AbortSignal, take: (events: ServerEvent[]) => void): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE);
  };
  try {
    const both = AbortSignal.any([signal, silence.signal]);
    const response = await send(url, { headers: { accept: "text/event-stream" }, signal: both });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    // The response has begun: whoever waits for it knows that the stream is open.
    take([]);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const events = parser.push(value);
      if (events.length > 0) take(events);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw Failure.of(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The parser of the format (HTML standard, section 9.2.6), for lines that end in LF or CRLF. */
export class Parser {
  private rest = "";
  private id = "";
  private name = "";
  private data: string[] = [];
  private hasId = false;

  push(text: string): ServerEvent[] {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    const events: ServerEvent[] = [];
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.data.length > 0) events.push({ id: this.id, name: this.name || "message", data: this.data.join("\n") });
        else if (this.hasId) events.push({ id: this.id, name: "", data: "" });
        this.name = "";
        this.data = [];
        this.hasId = false;
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.data.push(value);
      else if (field === "event") this.name = value;
      else if (field === "id") {
        this.id = value;
        this.hasId = true;
      }
    }
    return events;
  }
}
