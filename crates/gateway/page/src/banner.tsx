// The banner: says when the gateway or the cluster is away, or the gateway has a new token.

import { useState } from "preact/hooks";
import { clusterAway, gateway } from "./state";
import { Button, Icon, sentence } from "./ui";

export function Banner() {
  if (gateway.value === "unauthorized") return <SignIn />;
  if (gateway.value === "away") {
    return (
      <div class="banner bad" role="alert">
        <Icon name="warn" />
        <p>
          <strong>The gateway does not answer.</strong> What is shown is as it was last; the page goes on by itself when the gateway is there again.
        </p>
      </div>
    );
  }
  if (clusterAway.value !== null) {
    return (
      <div class="banner warn" role="alert">
        <Icon name="warn" />
        <p>
          <strong>The cluster is away.</strong> What is shown is as it was last; the gateway tries again by itself.{" "}
          <span class="detail" title={clusterAway.value}>
            {sentence(clusterAway.value)}
          </span>
        </p>
      </div>
    );
  }
  return null;
}

/** Takes the address that the gateway printed, or the token alone. */
function SignIn() {
  const [text, setText] = useState("");
  const token = /token=([A-Za-z0-9]+)/.exec(text)?.[1] ?? (/^[A-Za-z0-9]{16,}$/.test(text.trim()) ? text.trim() : "");
  return (
    <form
      class="banner warn"
      aria-label="Sign in"
      onSubmit={(event) => {
        event.preventDefault();
        // The answer is a cookie, and this page anew, at the same place.
        if (token) location.assign(`/?token=${encodeURIComponent(token)}${location.hash}`);
      }}
    >
      <Icon name="lock" />
      <p role="alert">
        <strong>The gateway was started anew, with another token.</strong> Open the address that it printed, or paste it here.
      </p>
      <input
        type="text"
        class="input"
        aria-label="Address or token that the gateway printed"
        placeholder="http://127.0.0.1:8888/?token=…"
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" look="primary" disabled={!token}>
        Sign in
      </Button>
    </form>
  );
}
