// A plugin of OpenClaw: asks `binance-leaks agent-hook` about prompts, tool calls and outputs of tools.
// If that cannot be run, a prompt and a tool call are stopped.
import { spawnSync } from "node:child_process";
import { definePluginEntry } from "openclaw/plugin-sdk/plugin-entry";

const PROGRAM = "binance-leaks";
const WORDS = ["agent-hook", "--agent", "openclaw"];
const LIMITS = { timeout: 30_000, maxBuffer: 32 * 1024 * 1024 };
const FAILED = "binance-leaks could not be run, so that nothing was looked at: is it in the PATH of OpenClaw?";

function ask(hook, fields, context, failed) {
  const event = { hook_event_name: hook, cwd: context?.workspaceDir ?? process.cwd(), ...fields };
  const done = spawnSync(PROGRAM, WORDS, { ...LIMITS, input: JSON.stringify(event), encoding: "utf8", windowsHide: true });
  if (done.status !== 0) {
    return failed;
  }
  try {
    const answer = JSON.parse(done.stdout);
    return Object.keys(answer).length > 0 ? answer : undefined;
  } catch {
    return failed;
  }
}

export default definePluginEntry({
  id: "binance-leaks",
  name: "binance-leaks",
  description: "Keeps Binance API credentials from the agent.",
  register(api) {
    api.on("before_agent_run", (event, context) =>
      ask("before_agent_run", { prompt: event.prompt }, context, { outcome: "block", reason: FAILED, message: FAILED }),
    );
    api.on("before_tool_call", (event, context) =>
      ask("before_tool_call", { toolName: event.toolName, params: event.params }, context, {
        block: true,
        blockReason: FAILED,
      }),
    );
    api.on("tool_result_persist", (event, context) =>
      ask("tool_result_persist", { toolName: event.toolName, message: event.message }, context, {
        message: { ...event.message, content: [{ type: "text", text: FAILED }] },
      }),
    );
  },
});
