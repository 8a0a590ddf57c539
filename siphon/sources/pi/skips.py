"""Which entries are left out, and why."""

SKIPS = {
    "label": "a bookmark in pi's own view of the tree",
    "custom": "an extension's state, for nobody to read",
    "thinking_level_change": "a setting; the answers show what was thought",
    "context_edit": "changes what the model is shown later, not what was said",
    "compact": "a note without content",
    "repeated": "a line that is there twice",
    "mode_change": "oh-my-pi: a setting",
    "service_tier_change": "oh-my-pi: a setting",
    "mcp_tool_selection": "oh-my-pi: a setting",
    "credential_pin": "oh-my-pi: which account is used",
    "ttsr_injection": "oh-my-pi: names of rules already injected",
    "session_init": "oh-my-pi: a subagent's instructions; its first prompt repeats the task",
    "reset_boundary": "oh-my-pi: where the model's context was emptied",
    "child_usage_attributed": "Prime Agent: repeats the usage that the child's own log states",
    "session_state": "Prime Agent: a daemon's state",
    "agent_status": "Prime Agent: a daemon's state",
    "git_state": "Prime Agent: a daemon's state",
}
