// The banner: says when the page cannot reach the gateway, the gateway cannot reach the cluster, or the token is another one.

import { useState } from "preact/hooks";
import { Failure, signIn } from "./api";
import { clusterAway, gateway, session } from "./state";
import { Button, Icon, sentence } from "./ui";

export function Banner() {
  if (gateway.value === "unauthorized") return (session.value?.access ?? "token") === "token" ? <SignIn /> : <Expired />;
  if (gateway.value === "away") {
    return (
      <div class="banner bad" role="alert">
        <Icon name="warn" />
        <p>
          <strong>This page cannot reach the gateway.</strong> What is shown is as it was last. If you stopped the gateway, start it again: the page goes on by
          itself.
        </p>
      </div>
    );
  }
  if (clusterAway.value !== null) {
    return (
      <div class="banner warn" role="alert">
        <Icon name="warn" />
        <p>
          <strong>The gateway cannot reach the cluster.</strong> What is shown is as it was last; the gateway keeps trying.{" "}
          <span class="detail" title={clusterAway.value}>
            {sentence(clusterAway.value)}
          </span>
        </p>
      </div>
    );
  }
  return null;
}

/** Takes the address that the gateway printed, or the token alone. The page stays, with edits that are not applied. */
function SignIn() {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await signIn(text);
    } catch (error) {
      setProblem(Failure.of(error).code === "unauthorized" ? "That is not the token of this gateway." : sentence(Failure.of(error).message));
    }
  };
  return (
    <form class="banner warn" aria-label="Sign in" onSubmit={submit}>
      <Icon name="lock" />
      <p role="alert">
        <strong>This browser is signed out.</strong> {problem || "The gateway was started again and has another token: paste the address that it printed."}
      </p>
      <input
        type="text"
        class="input"
        aria-label="Address that the gateway printed, or its token"
        placeholder="http://127.0.0.1:8888/?token=…"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" look="primary" disabled={!text.trim()}>
        Sign in
      </Button>
    </form>
  );
}

/** Where a proxy in front signs users in, it does so when the page is loaded. */
function Expired() {
  return (
    <div class="banner warn" role="alert">
      <Icon name="lock" />
      <p>
        <strong>Your sign-in has expired.</strong> Load the page again to sign in; edits that are not applied are lost.
      </p>
      <Button look="primary" onClick={() => location.reload()}>
        Load the page
      </Button>
    </div>
  );
}
