import { render } from "preact";
import { Shell } from "./shell";
import { start } from "./state";
import "./theme.css";

void start();
render(<Shell />, document.getElementById("app")!);
