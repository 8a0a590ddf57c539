"""Which types of lines are read, and why the others are left out."""

from collections.abc import Mapping

_MODE = "a switch of the harness; it says nothing of the work"
_LISTING = "what tools, agents or skills the model was offered: the same in every session"
_REMINDER = "a reminder that the harness repeats to the model; what it is about has its own lines"
_PROGRESS = "a sign of life; the call's result says the same in full"
_BACKUP = "where the harness keeps a file's former content; not part of the talk"

READ = frozenset(
    """
    user assistant tool_use tool_result summary ai-title custom-title agent-name agent-setting
    agent_metadata last-prompt worktree-state relocated compact_boundary
    queue-operation/enqueue queue-operation/dequeue queue-operation/remove queue-operation/popAll
    progress/agent_progress
    system/compact_boundary system/microcompact_boundary system/stop_hook_summary system/api_error
    system/local_command system/informational system/away_summary system/bridge_status
    system/scheduled_task_fire system/agents_killed system/memory_saved system/session_start system/error
    system/init system/task_started system/task_progress system/task_notification
    system/api_refusal system/model_refusal_fallback
    attachment/queued_command attachment/hook_success attachment/hook_additional_context
    attachment/hook_blocking_error attachment/hook_non_blocking_error attachment/hook_system_message
    attachment/hook_cancelled attachment/hook_stopped_continuation attachment/hook_error_during_execution
    attachment/async_hook_response attachment/task_status
    """.split()
)

SKIPS: Mapping[str, str] = {
    "system/turn_duration": "sums the times of the turn's messages",
    "progress/hook_progress": _PROGRESS,
    "progress/bash_progress": _PROGRESS,
    "progress/powershell_progress": _PROGRESS,
    "progress/mcp_progress": _PROGRESS,
    "progress/waiting_for_task": _PROGRESS,
    "progress/query_update": _PROGRESS,
    "progress/search_results_received": _PROGRESS,
    "file-history-snapshot": _BACKUP,
    "file-history-delta": _BACKUP,
    "content-replacement": "which outputs a fork cut; the original has them",
    "mode": _MODE,
    "permission-mode": _MODE,
    "agent-color": _MODE,
    "atis-latch": _MODE,
    "tag": "a mark of the session list; there is no column for it",
    "pr-link": "written again with every change of the session; the call that opened it names it",
    "frame-link": "a link to a preview outside of the log",
    "bridge-session": "ids of the remote control; they name accounts",
    "started": "a workflow's journal; the agent's own log tells it",
    "result": "a workflow's journal; the agent's own log tells it",
    "attachment/deferred_tools_delta": _LISTING,
    "attachment/agent_listing_delta": _LISTING,
    "attachment/mcp_instructions_delta": _LISTING,
    "attachment/skill_listing": _LISTING,
    "attachment/invoked_skills": _LISTING,
    "attachment/dynamic_skill": _LISTING,
    "attachment/command_permissions": _MODE,
    "attachment/plan_mode": _MODE,
    "attachment/plan_mode_exit": _MODE,
    "attachment/plan_mode_reentry": _MODE,
    "attachment/auto_mode": _MODE,
    "attachment/auto_mode_exit": _MODE,
    "attachment/ultra_effort_enter": _MODE,
    "attachment/ultra_effort_exit": _MODE,
    "attachment/date_change": _REMINDER,
    "attachment/todo_reminder": _REMINDER,
    "attachment/task_reminder": _REMINDER,
    "attachment/budget_usd": _REMINDER,
    "attachment/total_tokens_reminder": _REMINDER,
    "attachment/batching_reminder_sent": _REMINDER,
    "attachment/silent_turn_reminder": _REMINDER,
    "attachment/read_truncation_notice": _REMINDER,
    "attachment/edited_text_file": "a snippet of a file that changed outside, as injected context",
    "attachment/file": "the content of a file that a prompt names",
    "attachment/directory": "the listing of a folder that a prompt names",
    "attachment/nested_memory": "the content of a memory file; it is the same in every session",
    "attachment/compact_file_reference": "names a file that was read before the compaction",
    "attachment/diagnostics": "the editor's findings at that moment, as injected context",
}
