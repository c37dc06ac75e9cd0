// The tab Ports: what listens in a pod or a service, in the browser and on this machine.

import { useSignal } from "@preact/signals";
import { apiPath, belowContext } from "../api";
import type { KubernetesObject } from "../api";
import { Button, Empty, Icon, copy } from "../ui";
import { isPod } from "./pods";
import type { Pod } from "./pods";
import "./ports.css";

interface Port {
  name?: string;
  number: number;
  protocol: string;
  /** The container of a pod's port, or the port of pods that a service leads to. */
  detail: string;
}

function portsOf(object: KubernetesObject): Port[] {
  if (isPod(object)) {
    const { containers, initContainers = [] } = (object as Pod).spec;
    return [...containers, ...initContainers].flatMap(({ name, ports = [] }) =>
      ports.map((port) => ({ name: port.name, number: port.containerPort, protocol: port.protocol ?? "TCP", detail: name })),
    );
  }
  const ports =
    (object.spec as { ports?: { name?: string; port: number; protocol?: string; targetPort?: string | number }[] } | undefined)?.ports ?? [];
  return ports.map(({ name, port, protocol, targetPort }) => ({
    name,
    number: port,
    protocol: protocol ?? "TCP",
    detail: `port ${targetPort ?? port} of pods`,
  }));
}

export const hasPorts = (object: KubernetesObject) => isPod(object) || (object.apiVersion === "v1" && object.kind === "Service");

export function PortsTab({ object, isAllowed, context }: { object: KubernetesObject; isAllowed: boolean; context: string }) {
  const ports = portsOf(object);
  const { name, namespace = "" } = object.metadata;
  const other = useSignal("");
  const isService = !isPod(object);
  const wanted = Number(other.value);
  const isPort = Number.isInteger(wanted) && wanted > 0 && wanted < 65_536;
  return (
    <div class="pane scrolls" role="region" aria-label={`Ports of ${name}`} tabIndex={0}>
      {!isAllowed && (
        <p class="note">
          <Icon name="lock" /> The gateway opens no ports: start it with <code>--allow-exec</code> to open them in the browser. The command below goes
          past it, with your own kubeconfig.
        </p>
      )}
      {ports.length === 0 ? (
        <Empty icon="plug" title="No ports are declared">
          <p>A port can be forwarded all the same: name it below.</p>
        </Empty>
      ) : (
        <ul class="ports">
          {ports.map((port) => (
            <PortRow key={`${port.detail} ${port.number} ${port.protocol}`} {...{ port, name, namespace, isService, isAllowed, context }} />
          ))}
        </ul>
      )}
      {!isService && (
        <div class="other-port">
          <label>
            Another port{" "}
            <input
              class="input"
              inputMode="numeric"
              placeholder="8080"
              value={other.value}
              onInput={(event) => (other.value = event.currentTarget.value.trim())}
            />
          </label>
          {other.value !== "" && !isPort && <span class="field-error">A port is a number from 1 to 65535</span>}
          {isPort && <Command text={commandOf(namespace, name, isService, wanted, context)} />}
        </div>
      )}
    </div>
  );
}

function commandOf(namespace: string, name: string, isService: boolean, port: number, context: string): string {
  // Ports below 1024 need rights on most machines.
  const local = port < 1024 ? `${port + 8000}:${port}` : String(port);
  const where = /^[\w.@:/-]+$/.test(context) ? `--context ${context} ` : "";
  return `klient port-forward ${where}-n ${namespace} ${isService ? "svc" : "pod"}/${name} ${local}`;
}

interface PortRowProps {
  port: Port;
  name: string;
  namespace: string;
  isService: boolean;
  isAllowed: boolean;
  context: string;
}

function PortRow({ port, name, namespace, isService, isAllowed, context }: PortRowProps) {
  const isTcp = port.protocol === "TCP";
  const scheme = port.number === 443 || port.number === 8443 || /^https/.test(port.name ?? "") ? "https:" : "";
  const path = apiPath(isService ? "core/v1/services" : "core/v1/pods", namespace, `${scheme}${name}:${port.number}`, "proxy");
  return (
    <li class="port">
      <span class="port-number">{port.number}</span>
      <span class="port-about">
        <strong>{port.name ?? "unnamed"}</strong>
        <span class="quiet">
          {port.protocol}, {port.detail}
        </span>
      </span>
      {isTcp && isAllowed && (
        <a class="button" href={belowContext(`${path}/`)} target="_blank" rel="noopener noreferrer" title="By HTTP through the cluster; scripts of the page do not run">
          Open
        </a>
      )}
      {isTcp ? (
        <Command text={commandOf(namespace, name, isService, port.number, context)} />
      ) : (
        <span class="quiet">{port.protocol} cannot be forwarded</span>
      )}
    </li>
  );
}

function Command({ text }: { text: string }) {
  return (
    <span class="command-line">
      <code tabIndex={0} role="group" aria-label="Command">
        {text}
      </code>
      <Button look="plain" icon="copy" label="Copy the command" onClick={() => copy(text, "Command copied")} />
    </span>
  );
}
