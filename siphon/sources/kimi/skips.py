"""Types of lines that are left out on purpose."""

_REASONS = {
    "brackets a turn or a step; what is in it is read": """
        TurnEnd CompactionBegin CompactionEnd turn.ended full_compaction.begin
        full_compaction.cancel hello
    """,
    "the state of the user interface": """
        ApprovalRequest ApprovalResponse
        MCPLoadingBegin MCPLoadingEnd MCPLoading HookTriggered HookResolved
        plan_mode.enter plan_mode.exit plan_mode.cancel swarm_mode.enter swarm_mode.exit
    """,
    "a setting": """
        permission.set_mode tools.set_active_tools tools.update_store tools.register llm.tools_snapshot
        plugin.session_start runtime.set_binding
    """,
    "the context meter": """
        token_counting.measured token_counting.turn_recorded token_counting.rebased
        micro_compaction.apply context.clear context/_usage context/_checkpoint
    """,
    "the state of goals and tasks; what was said of them is read": """
        goal.create goal.update goal.clear forked background.start background.stop background.update
    """,
    "the tool's own system prompt": "context/_system_prompt",
    "the same session is read from a log that has more of it": "twin",
}
SKIPS = {name: reason for reason, names in _REASONS.items() for name in names.split()}
