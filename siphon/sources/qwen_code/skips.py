"""Types of records that are read, and those that are left out on purpose."""

READ = frozenset(
    """
        user user/mid_turn_user_message user/notification user/background_task_completed user/cron
        user/realtime_message assistant/realtime_message user/goal_runtime user/agent_launch_prompt
        assistant tool_result tool_result/goal_runtime assistant/goal_runtime
        system/slash_command system/custom_title system/rewind system/parent_session
        system/session_source system/chat_compression system/notification system/cron
        system/background_task_completed
    """.split()
)
_REASONS = {
    "token counts and calls again, for the user interface": "system/ui_telemetry",
    "the prompt that follows holds what it read": "system/at_command system/user_text_elements",
    "history copied from the parent": "system/agent_bootstrap",
    "bookkeeping of a subagent's run": """
        system/agent_launch_prompt system/agent_retry system/agent_session_ready
    """,
    "state for undo and attribution, no content": """
        system/file_history_snapshot system/attribution_snapshot system/branch_checkpoint
        system/session_artifact_event system/session_artifact_snapshot system/session_sources_snapshot
    """,
    "a setting of the session": """
        system/session_model system/session_approval_mode system/session_execution_engine
        system/omni_recall system/session_notes
    """,
    "steps of a goal; what was said in them is read": """
        system/goal_state system/goal_runtime system/goal_turn_end system/turn_result
    """,
    "kept in the log of managed sessions": """
        system/managed_session_header_v1 system/managed_session_event_v1
        system/managed_session_commit_v1
    """,
    "the same session is read from a file that has more of it": "twin",
}
SKIPS = {name: reason for reason, names in _REASONS.items() for name in names.split()}
