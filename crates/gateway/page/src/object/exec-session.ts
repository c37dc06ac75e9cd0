// `ExecSession`: a command in a container over a WebSocket, in the protocol v5 or v4 of `channel.k8s.io`.

import { Failure, inContext, send } from "../api";

export type ExecState =
  | { state: "connecting" }
  | { state: "open" }
  /** The command has ended. `code` is null if the server told none. */
  | { state: "ended"; code: number | null; message: string }
  | { state: "failed"; message: string };

export interface ExecOptions {
  /** The address of the subresource, `/api/v1/namespaces/…/pods/…/exec`. */
  path: string;
  container: string;
  command: string[];
  onOutput: (bytes: Uint8Array) => void;
  onState: (state: ExecState) => void;
}

enum Channel {
  Stdin = 0,
  Stdout = 1,
  Stderr = 2,
  Error = 3,
  Resize = 4,
}

const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/** The limit of bytes of a message: a paste of a MiB goes in parts. */
const PART = 32 * 1024;

/** The limit of what is kept until the connection is open; each is a key, or a paste. */
const EARLY = 200;

export class ExecSession {
  private readonly socket: WebSocket;
  private readonly encoder = new TextEncoder();
  private isOver = false;
  /** Bytes that were typed before the connection was open, in their order. */
  private early: Uint8Array[] = [];
  private wasOpen = false;
  private lastSize = "";

  constructor(private readonly options: ExecOptions) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const address = inContext(addressOf(options, { stdin: "true", stdout: "true", tty: "true" }));
    this.socket = new WebSocket(`${scheme}//${location.host}${address}`, PROTOCOLS);
    this.socket.binaryType = "arraybuffer";
    options.onState({ state: "connecting" });
    this.socket.onopen = () => {
      this.wasOpen = true;
      options.onState({ state: "open" });
      for (const bytes of this.early) this.send(Channel.Stdin, bytes);
      this.early = [];
    };
    this.socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.take(event.data);
    this.socket.onclose = (event) => void this.closed(event);
  }

  /** Sends what was typed, which waits until the connection is open. */
  write(text: string): void {
    const bytes = this.encoder.encode(text);
    if (this.socket.readyState !== WebSocket.CONNECTING) this.send(Channel.Stdin, bytes);
    else if (this.early.length < EARLY) this.early.push(bytes);
  }

  resize(columns: number, rows: number): void {
    const size = JSON.stringify({ Width: columns, Height: rows });
    if (size === this.lastSize || this.socket.readyState !== WebSocket.OPEN) return;
    this.lastSize = size;
    this.send(Channel.Resize, this.encoder.encode(size));
  }

  /** Ends the session from here. */
  close(): void {
    this.isOver = true;
    this.socket.close(1000);
  }

  private send(channel: Channel, bytes: Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at === 0 || at < bytes.length; at += PART) {
      const part = bytes.subarray(at, at + PART);
      const message = new Uint8Array(part.length + 1);
      message[0] = channel;
      message.set(part, 1);
      this.socket.send(message);
    }
  }

  private take(data: ArrayBuffer | string): void {
    const bytes = typeof data === "string" ? this.encoder.encode(data) : new Uint8Array(data);
    const channel = bytes[0];
    const content = bytes.subarray(1);
    if (channel === Channel.Stdout || channel === Channel.Stderr) {
      if (content.length > 0) this.options.onOutput(content);
    } else if (channel === Channel.Error && content.length > 0) {
      this.end(new TextDecoder().decode(content));
    }
  }

  /** The last message: a Status with the exit code among its causes. */
  private end(text: string): void {
    if (this.isOver) return;
    this.isOver = true;
    let [code, message]: [number | null, string] = [null, text];
    try {
      const status = JSON.parse(text) as {
        status?: string;
        message?: string;
        details?: { causes?: { reason?: string; message?: string }[] };
      };
      const exit = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
      code = status.status === "Success" ? 0 : exit === undefined ? null : Number(exit);
      message = status.message ?? "";
    } catch {
      // A text of an old server.
    }
    this.options.onState({ state: "ended", code, message });
    this.socket.close(1000);
  }

  private async closed(event: CloseEvent): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    if (this.wasOpen) {
      const message = event.reason || "the connection was closed before the command told its end";
      this.options.onState({ state: "ended", code: null, message });
      return;
    }
    // A browser does not tell the status of a handshake that failed: the plain request has the reason.
    this.options.onState({ state: "failed", message: await this.reason() });
  }

  private async reason(): Promise<string> {
    try {
      await send(addressOf(this.options, { stdout: "true" }));
    } catch (error) {
      const { message } = Failure.of(error);
      // The plain request is refused for being one, if nothing else is wrong.
      if (!/upgrade/i.test(message)) return message;
    }
    return "the connection for the terminal was refused";
  }
}

function addressOf({ path, container, command }: ExecOptions, streams: Record<string, string>): string {
  const query = new URLSearchParams({ container, ...streams });
  for (const word of command) query.append("command", word);
  return `${path}?${query}`;
}
